// Owns content-defined cutting: finds the end of the next block of a file (FastCDC: gear hash, two masks; docs/data-movers.md, section 2).
// Files are read directly into the cutter's own memory. Does no I/O.
import { createHash } from 'node:crypto';
import { cutterModuleBytes } from './cutter-module.ts';

/**
 * The part of the global WebAssembly object that this file uses. The complete types of this object are part of the DOM types, which
 * services do not have.
 */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

export interface CutSizes {
  readonly minBytes: number;
  /** A power of two. */
  readonly averageBytes: number;
  readonly maxBytes: number;
}

export const defaultCutSizes: CutSizes = { minBytes: 256 * 1024, averageBytes: 1024 * 1024, maxBytes: 4 * 1024 * 1024 };

const pageBytes = 64 * 1024;
const tableBytes = 256 * 8;
const gearLabel = 'farkeep/1 gear ';

type Find = (from: number, to: number, mask: bigint, hash: bigint) => number;

export class Cutter {
  readonly #find: Find;
  readonly #sizes: CutSizes;
  readonly #hardMask: bigint;
  readonly #easyMask: bigint;
  /** Memory for the caller's bytes. It begins at a memory page, so direct disk reads into this memory are possible. */
  readonly memory: Buffer;
  readonly #base = pageBytes;

  constructor(memoryBytes: number, sizes: CutSizes = defaultCutSizes) {
    const pages = 1 + Math.ceil(memoryBytes / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    writeGearTable(Buffer.from(memory.buffer, 0, tableBytes));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(cutterModuleBytes()), { env: { memory } });
    this.#find = instance.exports['find'] as Find;
    this.memory = Buffer.from(memory.buffer, this.#base, memoryBytes);
    this.#sizes = sizes;
    const bits = Math.log2(sizes.averageBytes);
    // Below the average size, a cut is four times less likely. Above the average size, a cut is four times more likely. So sizes stay near
    // the average.
    this.#hardMask = topBits(bits + 2);
    this.#easyMask = topBits(bits - 2);
  }

  /**
   * Returns the length of the block that starts at `start` of `memory`, when `available` bytes are there. A result below `available`, or of
   * `maxBytes`, is final. A result equal to `available` is only valid if the file has no further bytes.
   */
  cut(start: number, available: number): number {
    const { minBytes, averageBytes, maxBytes } = this.#sizes;
    if (available <= minBytes) return available;
    const begin = this.#base + start;
    const end = begin + Math.min(available, maxBytes);
    const middle = Math.min(begin + averageBytes, end);
    const first = this.#find(begin + minBytes, middle, this.#hardMask, 0n);
    if (first < middle) return first - begin;
    return this.#find(middle, end, this.#easyMask, 0n) - begin;
  }
}

/** Fills the gear table with the SHA-256 of a label and the byte's value, so that other programs can make the same cuts. */
function writeGearTable(target: Buffer): void {
  for (let byte = 0; byte < 256; byte += 1) {
    createHash('sha256')
      .update(gearLabel)
      .update(Buffer.of(byte))
      .digest()
      .copy(target, byte * 8, 0, 8);
  }
}

function topBits(count: number): bigint {
  return BigInt.asIntN(64, ((1n << BigInt(count)) - 1n) << BigInt(64 - count));
}
