// Owns choosing the parts of a sparse file to read. If the system reports data (SEEK_DATA), only the data is read. If the system does not
// report data, the whole file is read with O_DIRECT. The kernel then fills holes at memory speed and does not cache them. Both ways of
// reading give the same content list, because data is split into granules, and a granule of zeros always counts as a hole.
import type { FileStat } from '../walk/file-stat.ts';
import type { SourceDisk } from '../walk/source-disk.ts';

/** Zeros are searched in pieces of this size, aligned in the file. A smaller hole is saved as data. */
export const zeroGranuleBytes = 64 * 1024;
const minSparseBytes = 1024 * 1024;

/**
 * Whether the file has clearly fewer allocated blocks than its size needs. The answer is only a hint, because the number of blocks means
 * different things on different file systems.
 */
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
  /** True when the system does not report where data is. */
  readonly isGuess: boolean;
}

/** The ranges that can hold data, in order and in whole granules; the whole file if the system does not report data. */
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

/** Reads a sparse file as a whole with O_DIRECT; falls back to the plain descriptor. */
export class DirectReader {
  readonly #disk: SourceDisk;
  readonly #plain: number;
  #direct: number | undefined;

  constructor(disk: SourceDisk, plain: number) {
    this.#disk = disk;
    this.#plain = plain;
    this.#direct = disk.openDirect(plain);
  }

  /**
   * Fills `target` (page-aligned memory, a multiple of 4 KiB) from `position` (also a multiple of 4 KiB). Returns fewer bytes only at the
   * end of the file.
   */
  read(target: Buffer, position: number): number {
    if (this.#direct !== undefined) {
      try {
        return this.#readFully(this.#direct, target, position);
      } catch {
        this.close(); // The plain descriptor is used instead. It gives the same bytes, or the real error.
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
      // A direct read that stops in the middle of a block has reached the end of the file. A further read would not be aligned.
      if (descriptor === this.#direct && done % 4096 !== 0) break;
    }
    return done;
  }
}
