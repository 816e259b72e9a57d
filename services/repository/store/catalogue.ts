// Owns the port of the catalogue: where each block of a tenant lies. A catalogue is a cache of what the packs say: losing it costs a rebuild,
// never a block. A backend implements it (folder/sqlite-catalogue.ts); catalogue-conformance.ts says what each must do.
import type { Logger } from '../../kernel/logger.ts';
import type { DamageMarks } from '../packs/damage-marks.ts';
import type { PackBlock } from '../packs/pack-format.ts';
import type { WriterLease } from './writer-lease.ts';

export interface BlockPlace extends PackBlock {
  readonly packId: Buffer;
  /** Known to be damaged; there is no better place. */
  readonly isMarked: boolean;
}

/**
 * Answers at once: a store looks up thousands of blocks for each message, and nothing may become durable between an answer and its use.
 * A catalogue on another machine would need a copy here to look up in.
 */
export interface Catalogue extends Disposable {
  /** Whether the block has a place that is not marked as damaged. */
  has(id: Buffer): boolean;
  /** As `has`, for each identifier. */
  hasAll(ids: readonly Buffer[]): boolean[];
  /** Returns the identifiers without an undamaged place. @param ids joined identifiers */
  missing(ids: Buffer): Buffer[];
  /** Where to read the block; a marked place only when there is no other, since the mark may be wrong. */
  find(id: Buffer): BlockPlace | undefined;
  /**
   * Identifiers of the blocks with a place in this pack, marked or not, but for blocks that never were what they claim to be. Looks at every
   * block: only for when something is wrong.
   */
  blocksInPack(packId: Buffer): Buffer[];
  packIds(): Iterable<Buffer>;
  /**
   * Makes a pack that is safe on disk known. Adding one twice changes nothing; a block that another pack holds already
   * keeps its first place. `writer`'s reservation shrinks by the pack's size in the same transaction.
   *
   * @returns how many of its blocks were known by a marked place only, and are whole again
   */
  addPack(
    packId: Buffer,
    sizeBytes: number,
    blocks: readonly PackBlock[],
    options?: { readonly writer?: string | undefined; readonly marks?: DamageMarks },
  ): number;
  /** Forgets a pack that is not there any more, and its blocks. */
  removePack(packId: Buffer): void;
  /** Takes the places that the marks name out of what is present. Files of marks that were applied before are passed over. */
  applyMarks(marks: DamageMarks): void;
  /**
   * After a check of everything: exactly these places are damaged; others that were marked before are present again.
   *
   * @param better places of marked blocks in sound packs
   */
  setMarks(marks: DamageMarks, better?: Iterable<BlockPlace>): void;
  /**
   * What packs take, without the blocks in them that the disk has damaged: those are the provider's loss, not the tenant's. Blocks that never
   * were what they claim to be go on counting, or a tenant could fill the disk with them beside its quota.
   */
  packBytes(): number;
  /**
   * Reserves room for bytes that are about to be received, so that several sessions together cannot pass the quota.
   * Grants `neededBytes` or more: up to `wantedBytes`, but no more than a quarter of what is left, so that one session does not
   * starve another. Returns what was granted, 0 when refused.
   */
  reserve(writer: string, neededBytes: number, wantedBytes: number, quotaBytes: number, otherBytes: number): number;
  dropReservation(writer: string): void;
  /** After it a power cut loses nothing that was added before. Throws when other sessions did not let it finish. */
  checkpoint(): void;
  close(): void;
}

/** The catalogue of one tenant, in whatever state it is. */
export interface Catalogues {
  /** To read by; undefined, with a line in the log, when there is none or it cannot be used. Changes nothing. */
  openForReading(logger: Logger): Catalogue | undefined;
  /** As it is, to change it; undefined when there is none. @throws storage.damaged */
  openExisting(): Catalogue | undefined;
  /**
   * For a writer: makes an empty one when it is missing, or when it is damaged and no other writer is alive.
   *
   * @throws when it is damaged and another writer uses it
   */
  openForWriting(
    lease: WriterLease,
    logger: Logger,
  ): Promise<{ readonly catalogue: Catalogue; readonly isNew: boolean }>;
  /** An empty one that only the caller sees, and that is gone when it is closed. */
  makeTemporary(): Catalogue;
  /** An empty one outside the final place, for the caller to fill and close. */
  startReplacement(lease: WriterLease): CatalogueReplacement;
}

export interface CatalogueReplacement {
  readonly catalogue: Catalogue;
  /** Takes the place of the tenant's catalogue. The replacement has been closed before. */
  putInPlace(): void;
}
