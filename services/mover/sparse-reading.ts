// Owns which parts of a file with holes are read. Where the system can say where data is (SEEK_DATA) only that is read; elsewhere the whole
// file is, directly (O_DIRECT), since the kernel fills holes at memory speed then and does not cache them. Both ways give the same content
// list: data is looked at in whole granules, and a granule of zeros is a hole, whatever the file system calls it.
import type { FileStat } from './file-stat.ts';
import type { SourceDisk } from './source-disk.ts';

/** Zeros are looked for in pieces of this size, aligned in the file; a hole smaller than that is kept as data. */
export const zeroGranuleBytes = 64 * 1024;
const minSparseBytes = 1024 * 1024;

/** Clearly fewer blocks allocated than the size needs. A hint: it means different things on different file systems. */
export function isProbablySparse({ sizeBytes, blocks }: FileStat): boolean {
  return sizeBytes >= minSparseBytes && blocks * 512 < (sizeBytes / 8) * 7;
}

const zeros = Buffer.alloc(zeroGranuleBytes);

export function isZero(granule: Buffer): boolean {
  return zeros.compare(granule, 0, granule.length, 0, granule.length) === 0;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** The system did not say so. */
  readonly isGuess: boolean;
}

/** The stretches that can hold data, in order, in whole granules; all of the file where the system cannot tell. */
export function* dataStretches(
  disk: SourceDisk,
  descriptor: number,
  sizeBytes: number,
): Generator<Stretch, void, undefined> {
  for (let position = 0; position < sizeBytes;) {
    const data = disk.nextData(descriptor, position);
    if (data === undefined) return;
    if (data === 'unknown') {
      yield { from: position, to: sizeBytes, isGuess: true };
      return;
    }
    const from = Math.max(position, data.from - (data.from % zeroGranuleBytes));
    const to = Math.min(sizeBytes, Math.ceil(data.to / zeroGranuleBytes) * zeroGranuleBytes);
    if (from >= sizeBytes) return;
    yield { from, to, isGuess: false };
    position = to;
  }
}

/** Reads a file that is read as a whole although it has holes; falls back to the plain descriptor. */
export class DirectReader {
  readonly #disk: SourceDisk;
  readonly #plain: number;
  #direct: number | undefined;

  constructor(disk: SourceDisk, plain: number) {
    this.#disk = disk;
    this.#plain = plain;
    this.#direct = disk.openDirect(plain);
  }

  /** Fills `target` (page-aligned memory, a multiple of 4 KiB) from `position` (likewise); the count is short only at the end. */
  read(target: Buffer, position: number): number {
    if (this.#direct !== undefined) {
      try {
        return this.#readFully(this.#direct, target, position);
      } catch {
        this.close(); // the plain descriptor gives the same bytes, or the error that counts
      }
    }
    return this.#readFully(this.#plain, target, position);
  }

  close(): void {
    if (this.#direct !== undefined) this.#disk.closeFile(this.#direct);
    this.#direct = undefined;
  }

  #readFully(descriptor: number, target: Buffer, position: number): number {
    let done = 0;
    while (done < target.length) {
      const count = this.#disk.read(descriptor, target, done, target.length - done, position + done);
      if (count === 0) break;
      done += count;
      // A direct read that stops in the middle of a block has met the end of the file; going on from there would not be aligned.
      if (descriptor === this.#direct && done % 4096 !== 0) break;
    }
    return done;
  }
}
