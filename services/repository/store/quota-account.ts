// Owns what one writer may still add under its tenant's quota, with all writers together, so that the quota is never passed.
// What counts: packs as the catalogue knows them, roots of restore points, and what writers have reserved in the catalogue.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Catalogue } from './catalogue.ts';
import { packOverheadBytes } from '../packs/pack-writer.ts';
import { maxPointRootBytes } from '../points/point-root.ts';
import { trashFolder } from '../points/point-trash.ts';
import type { Storage } from '../storage/storage.ts';

const reservationBytes = 64 * 1024 * 1024;

export class QuotaAccount {
  readonly #catalogue: Catalogue;
  readonly #writer: string;
  readonly #quotaBytes: number;
  /** What restore points take beside packs; whoever commits one looks again. */
  rootBytes: number;
  #reservedBytes = 0;

  constructor(catalogue: Catalogue, writer: string, quotaBytes: number, rootBytes: number) {
    this.#catalogue = catalogue;
    this.#writer = writer;
    this.#quotaBytes = quotaBytes;
    this.rootBytes = rootBytes;
  }

  /** Counts what is about to be received. @throws quota.exceeded */
  take(bytes: number): void {
    // Two packs' own overhead may fall to this block: the one that it closes and the one that it opens.
    const needed = bytes + 2 * packOverheadBytes;
    if (this.#reservedBytes < needed) {
      const missing = needed - this.#reservedBytes;
      const quotaBytes = this.#quotaBytes;
      const granted = this.#catalogue.reserve(this.#writer, missing, reservationBytes, quotaBytes, this.rootBytes);
      if (granted === 0) {
        const usedBytes = this.#catalogue.packBytes() + this.rootBytes;
        throw new FarkeepError(
          'quota.exceeded',
          `The quota of ${quotaBytes} bytes does not hold what this session wants to store`,
          { details: { quotaBytes, usedBytes } },
        );
      }
      this.#reservedBytes += granted;
    }
    this.#reservedBytes -= bytes;
  }

  packSealed(): void {
    this.#reservedBytes = Math.max(0, this.#reservedBytes - packOverheadBytes);
  }
}

/**
 * Returns the bytes of all roots in `points/` and `trash/`. They count because a root may have a mebibyte and a tenant can make any number.
 * Deleted roots count: otherwise repeated commit and delete would fill the disk beyond the quota. Entries that are not
 * files are left to verify. An oversized file counts as a root of the largest size: otherwise one sparse file would use up the quota.
 */
export async function rootBytesOf(storage: Storage): Promise<number> {
  let total = 0;
  for (const folder of ['points', trashFolder]) {
    for (const name of await namesIn(storage, folder)) {
      try {
        total += Math.min((await storage.sizeBytes(`${folder}/${name}`)) ?? 0, maxPointRootBytes);
      } catch (error) {
        if (toFarkeepError(error).code !== 'storage.damaged') throw error;
      }
    }
  }
  return total;
}

/** A `trash/` that is not a folder holds no roots: none can be moved there. Sessions go on without it. @throws storage errors */
async function namesIn(storage: Storage, folder: string): Promise<readonly string[]> {
  try {
    return await storage.list(folder);
  } catch (error) {
    if (folder !== trashFolder || toFarkeepError(error).code !== 'storage.damaged') throw error;
    return [];
  }
}
