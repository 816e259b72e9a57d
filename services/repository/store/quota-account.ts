// Owns the quota check of one writer. All writers of a tenant together never exceed the quota.
//
// used = packs in the catalogue (without blocks that a disk damaged) + roots of restore points + reservations of all writers
// before a block is accepted:
//   needed = the block's bytes + header and index entry + overhead of two packs
//   if this writer's reservation is smaller: reserve more in the catalogue; if used + needed > quota: quota.exceeded
//   subtract the block from the reservation
// when a pack is added to the catalogue: its bytes replace the same amount of the reservation
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
  /** Bytes of all roots. After a commit, the store counts the roots again. */
  rootBytes: number;
  #reservedBytes = 0;

  constructor(catalogue: Catalogue, writer: string, quotaBytes: number, rootBytes: number) {
    this.#catalogue = catalogue;
    this.#writer = writer;
    this.#quotaBytes = quotaBytes;
    this.rootBytes = rootBytes;
  }

  /** Counts bytes that will be received. @throws quota.exceeded */
  take(bytes: number): void {
    // A block of these bytes may close one pack and open the next pack, so the overhead of two packs is included.
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
 * Returns the bytes of all roots in `points/` and `trash/`. The roots count because one root may have a mebibyte, and a tenant can commit
 * any number of roots. Deleted roots count too. If they did not count, repeated commit and delete would fill the disk beyond the quota.
 * Entries that are not files are skipped; verify reports such entries. An oversized file counts as a root of the largest size, so that one
 * sparse file does not use up the quota.
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

/** If `trash/` is not a folder, it holds no roots. Sessions work without it. @throws storage errors */
async function namesIn(storage: Storage, folder: string): Promise<readonly string[]> {
  try {
    return await storage.list(folder);
  } catch (error) {
    if (folder !== trashFolder || toFarkeepError(error).code !== 'storage.damaged') throw error;
    return [];
  }
}
