// Owns the interface of the catalogue, which stores the place of each block of a tenant. The catalogue is a cache of the packs. If the
// catalogue is lost, it is rebuilt, and no block is lost. Each storage backend implements this interface (folder/sqlite-catalogue.ts);
// catalogue-conformance.ts has the requirements.
import type { Logger } from '../../kernel/logger.ts';
import type { DamageMarks } from '../packs/damage-marks.ts';
import type { PackBlock } from '../packs/pack-format.ts';
import type { WriterLease } from './writer-lease.ts';

export interface BlockPlace extends PackBlock {
  readonly packId: Buffer;
  /** True if the place is marked as damaged and there is no other place. */
  readonly isMarked: boolean;
}

/**
 * All methods are synchronous: a store looks up thousands of blocks for each message, and no block may become durable between an answer and
 * its use. A catalogue on another machine would need a local copy for look-ups.
 */
export interface Catalogue extends Disposable {
  /** Whether the catalogue knows a place of the block that is not marked as damaged. */
  has(id: Buffer): boolean;
  /** Returns for each identifier what `has` would return. */
  hasAll(ids: readonly Buffer[]): boolean[];
  /** Returns the identifiers without an undamaged place. @param ids joined identifiers */
  missing(ids: Buffer): Buffer[];
  /**
   * Returns the place to read the block from. Returns a place that is marked as damaged only if there is no other place, because the mark
   * may be wrong.
   */
  find(id: Buffer): BlockPlace | undefined;
  /**
   * Returns the identifiers of all blocks in this pack, marked or not, but without blocks whose content never matched their identifier.
   * Searches all blocks, so use it only after damage.
   */
  blocksInPack(packId: Buffer): Buffer[];
  packIds(): Iterable<Buffer>;
  /**
   * Adds a durable pack. Adding a pack twice has no effect. A block that another pack already holds keeps its first place. In the same
   * transaction, `writer`'s reservation shrinks by the pack's size.
   *
   * @returns the number of its blocks that had only marked places before, and are now intact
   */
  addPack(
    packId: Buffer,
    sizeBytes: number,
    blocks: readonly PackBlock[],
    options?: { readonly writer?: string | undefined; readonly marks?: DamageMarks },
  ): number;
  /** Removes a missing pack and its blocks. */
  removePack(packId: Buffer): void;
  /** Applies marks: the marked places no longer count as present. Skips mark files that were applied before. */
  applyMarks(marks: DamageMarks): void;
  /**
   * Replaces all marks after a complete check. Places without a mark count as present again.
   *
   * @param better places of marked blocks in sound packs
   */
  setMarks(marks: DamageMarks, better?: Iterable<BlockPlace>): void;
  /**
   * Returns the bytes of all packs, without blocks that a disk has damaged. The provider bears the loss of such blocks. Blocks whose
   * content never matched their identifier do count. If these blocks did not count, a tenant could fill the disk with wrong blocks beyond
   * the quota.
   */
  packBytes(): number;
  /**
   * Reserves quota for bytes that will be received, so that several sessions together cannot exceed the quota. Grants at least
   * `neededBytes` and at most `wantedBytes`. Beyond `neededBytes`, it grants at most a quarter of the remaining quota, so that one session
   * does not block another. Returns the granted bytes, 0 if refused.
   */
  reserve(writer: string, neededBytes: number, wantedBytes: number, quotaBytes: number, otherBytes: number): number;
  dropReservation(writer: string): void;
  /** Makes all earlier changes durable. Throws if other sessions keep the catalogue busy. */
  checkpoint(): void;
  close(): void;
}

/** Opens and creates the catalogue of one tenant, also when the existing one is missing or damaged. */
export interface Catalogues {
  /** Opens the catalogue for reading; undefined, with a log line, if it is missing or unusable. Changes nothing. */
  openForReading(logger: Logger): Catalogue | undefined;
  /** Opens the existing catalogue for changes; undefined if there is none. @throws storage.damaged */
  openExisting(): Catalogue | undefined;
  /**
   * Opens the catalogue for a writer. Creates an empty catalogue if the catalogue is missing, or if it is damaged and no other writer is
   * alive.
   *
   * @throws when it is damaged and another writer uses it
   */
  openForWriting(
    lease: WriterLease,
    logger: Logger,
  ): Promise<{ readonly catalogue: Catalogue; readonly isNew: boolean }>;
  /** Creates an empty, private catalogue that is deleted when it is closed. */
  makeTemporary(): Catalogue;
  /** Creates an empty catalogue outside the final place. The caller fills and closes it. */
  startReplacement(lease: WriterLease): CatalogueReplacement;
}

export interface CatalogueReplacement {
  readonly catalogue: Catalogue;
  /** Replaces the tenant's catalogue. The caller must close the replacement first. */
  putInPlace(): void;
}
