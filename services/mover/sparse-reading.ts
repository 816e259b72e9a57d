// Owns reading files with holes quickly. Node has no SEEK_HOLE, and the number of allocated blocks means different things on different file
// systems, so it is only a hint: everything is read, but directly (O_DIRECT), where the kernel fills holes at memory speed without caching them.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** Zeros are looked for in pieces of this size, aligned in the file; a hole smaller than that is kept as data. */
export const zeroGranuleBytes = 64 * 1024;
const minSparseBytes = 1024 * 1024;
const blockBytes = 512n;

/** Clearly fewer blocks allocated than the size needs. */
export function isProbablySparse(stats: BigIntStats): boolean {
  return stats.size >= minSparseBytes && stats.blocks * blockBytes < (stats.size / 8n) * 7n;
}

const zeros = Buffer.alloc(zeroGranuleBytes);

export interface DirectReader {
  /** Fills `target` (page-aligned memory, a multiple of 4 KiB) from `position` (likewise); the count is short only at the end. */
  read(target: Buffer, position: number): number;
  isZero(granule: Buffer): boolean;
  close(): void;
}

/** Falls back to `plainDescriptor` where the file system or the platform has no direct reads. */
export function openDirect(path: Buffer, plainDescriptor: number): DirectReader {
  let direct: number | undefined;
  const flag = (constants as { readonly O_DIRECT?: number }).O_DIRECT;
  if (flag !== undefined) {
    try {
      direct = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | flag);
      const [one, other] = [fstatSync(direct, { bigint: true }), fstatSync(plainDescriptor, { bigint: true })];
      if (one.ino !== other.ino || one.dev !== other.dev) {
        closeSync(direct); // another file has taken the path meanwhile
        direct = undefined;
      }
    } catch {
      direct = undefined; // EINVAL on file systems without direct reads
    }
  }
  const readFully = (descriptor: number, target: Buffer, position: number): number => {
    let done = 0;
    while (done < target.length) {
      const count = readSync(descriptor, target, done, target.length - done, position + done);
      if (count === 0) break;
      done += count;
      // A direct read that stops in the middle of a block has met the end of the file; going on from there would not be aligned.
      if (descriptor === direct && done % 4096 !== 0) break;
    }
    return done;
  };
  return {
    read: (target, position) => {
      if (direct !== undefined) {
        try {
          return readFully(direct, target, position);
        } catch {
          closeSync(direct);
          direct = undefined; // the plain descriptor gives the same bytes, or the error that counts
        }
      }
      return readFully(plainDescriptor, target, position);
    },
    isZero: (granule) => zeros.compare(granule, 0, granule.length, 0, granule.length) === 0,
    close: () => {
      if (direct !== undefined) closeSync(direct);
      direct = undefined;
    },
  };
}
