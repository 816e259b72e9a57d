// Owns one tenant's folder in a repository: which blocks are there, taking in new ones, reading them back, and restore points.
// Knows nothing of sockets, sessions or keys. Several processes may have the same folder open; layout and rules are in
// docs/repository-format.md.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing } from '../../kernel/system-error.ts';
import {
  blockIdBytes,
  keyOfId,
  maxBlockContentBytes,
  maxBlockStoredBytes,
  type BlockKey,
  type StoredBlock,
} from '../../blocks/block.ts';
import { BlockReader, notHere, type BlockOutcome } from './block-reader.ts';
import type { Catalogue } from './catalogue.ts';
import { DamageNotes, type FoundDamage } from './damage-notes.ts';
import { FolderStorage } from '../storage/folder-storage.ts';
import { markDamage } from './mark-damage.ts';
import { checkPointIsWhole } from '../points/point-check.ts';
import { decodePointRoot, maxPointRootBytes } from '../points/point-root.ts';
import { isPointFile, isPointId, pointFileOf, pointIdOf, type PointRoot } from '../points/point-root-fields.ts';
import { blockOverheadBytes, PackWriter, type BlockToAppend, type FinishedPack } from '../packs/pack-writer.ts';
import { QuotaAccount, rootBytesOf } from './quota-account.ts';
import type { Storage } from '../storage/storage.ts';
import { incomingFolder, openCatalogueForReading, openFolderForWriting } from './tenant-folder.ts';
import type { WriterLock } from './writer-lock.ts';

export const defaultPackBytes = 64 * 1024 * 1024;

export interface DurableBlocks {
  /** Identifiers in the order in which they were appended. */
  readonly ids: readonly Buffer[];
  /** What they add to the tenant's used bytes; 0 for blocks that were there already. */
  readonly storedBytes: number;
  /** How many of them were known to be damaged and are whole again. */
  readonly replaced: number;
}

export interface TenantStoreOptions {
  /** `<repository>/<tenant id>`. */
  readonly folder: string;
  readonly mode: 'read' | 'write';
  readonly logger: Logger;
  /** What the tenant may use in all, in bytes; undefined is without bound. */
  readonly quotaBytes?: number;
  /** Called once for every appended block, when it will survive anything. */
  readonly onDurable?: (blocks: DurableBlocks) => void;
  /**
   * With it, blocks that turn out damaged are marked, so that they are not offered as present any more, and then it is told. A store that
   * was opened for writing marks in any case; one for reading changes nothing without it.
   */
  readonly onDamageMarked?: (found: FoundDamage) => void;
  readonly packBytes?: number;
  /** Bytes that may wait to be written before appendBlock makes its caller wait. */
  readonly maxQueuedBytes?: number;
  readonly storage?: Storage;
  readonly now?: () => number;
}

export interface PointListing {
  readonly pointId: string;
  readonly rootBytes: number;
  /** Undefined when the root is damaged; `problem` says how. */
  readonly root: PointSummary | undefined;
  readonly problem: string | undefined;
}

/** Without what may be large: lists hold very many of them, of tenants that are not trusted. */
export type PointSummary = Omit<PointRoot, 'manifest' | 'sourcePaths'>;

/** How commitPoint makes sure that no block is missing. */
export type CompletenessCheck =
  /** Reads the manifest and looks up every block in it (unencrypted jobs). */
  | 'walk-manifest'
  /** For callers that know the blocks better: manifest blocks are checked, and these identifiers. */
  | { readonly referenced: Iterable<Buffer> | AsyncIterable<Buffer> };

/** @throws protocol.malformed */
function checkLengths(block: BlockToAppend): void {
  const storedLength = block.stored.length;
  if (
    block.id.length !== blockIdBytes ||
    block.contentLength > maxBlockContentBytes ||
    storedLength > maxBlockStoredBytes ||
    (block.encoding === 'raw' && storedLength !== block.contentLength)
  ) {
    throw new FarkeepError(
      'protocol.malformed',
      `A block of ${storedLength} stored and ${block.contentLength} content bytes cannot be stored`,
    );
  }
}

/** An invalid root in a commit is reported as an error of the sender, not of the disk. */
function rootToCommit(root: Buffer, pointId: string): PointRoot {
  try {
    return decodePointRoot(root, pointId);
  } catch (cause) {
    throw new FarkeepError('protocol.malformed', toFarkeepError(cause).message, { cause });
  }
}

/** A bound on memory: forgetting one costs a look-up. */
const maxMissing = 65_536;

export class TenantStore {
  readonly #storage: Storage;
  readonly #catalogue: Catalogue;
  readonly #reader: BlockReader;
  readonly #logger: Logger;
  readonly #lock: WriterLock | undefined;
  readonly #writer: PackWriter | undefined;
  readonly #onDurable: (blocks: DurableBlocks) => void;
  readonly #damage: DamageNotes | undefined;
  readonly #quota: QuotaAccount | undefined;
  /** Appended, not yet durable. */
  readonly #pending = new Set<BlockKey>();
  /** Lately reported as missing, so that `appendBlocks` need not look again. */
  readonly #missing = new Set<BlockKey>();
  #isClosed = false;

  private constructor(
    options: TenantStoreOptions,
    storage: Storage,
    catalogue: Catalogue,
    lock: WriterLock | undefined,
    rootBytes = 0,
  ) {
    this.#storage = storage;
    this.#catalogue = catalogue;
    this.#lock = lock;
    this.#logger = options.logger;
    this.#quota =
      lock === undefined || options.quotaBytes === undefined
        ? undefined
        : new QuotaAccount(catalogue, lock.writer, options.quotaBytes, rootBytes);
    this.#onDurable = options.onDurable ?? ((): void => undefined);
    this.#damage =
      lock === undefined && options.onDamageMarked === undefined
        ? undefined
        : new DamageNotes({
            mark: async (packs) => {
              await markDamage({ folder: options.folder, storage, logger: options.logger }, packs);
            },
            onMarked: options.onDamageMarked ?? ((): void => undefined),
            logger: options.logger,
          });
    this.#reader = new BlockReader(storage, (place) => this.#damage?.note(place));
    this.#writer =
      lock === undefined
        ? undefined
        : new PackWriter({
            storage,
            incoming: `${incomingFolder}/${lock.writer}`,
            packBytes: options.packBytes ?? defaultPackBytes,
            maxQueuedBytes: options.maxQueuedBytes ?? 16 * 1024 * 1024,
            now: options.now ?? Date.now,
            onPack: (pack) => this.#takePack(pack),
          });
  }

  /**
   * Opens the folder. "write" creates what is missing and looks after what dead writers left; "read" changes nothing and
   * works on a read-only disk and without a catalogue.
   */
  static async open(options: TenantStoreOptions): Promise<TenantStore> {
    const storage = options.storage ?? new FolderStorage(options.folder);
    try {
      const opening = { folder: options.folder, storage, logger: options.logger };
      if (options.mode === 'read')
        return new TenantStore(options, storage, await openCatalogueForReading(opening), undefined);
      const rootBytes = options.quotaBytes === undefined ? 0 : await rootBytesOf(storage);
      const { catalogue, lock } = await openFolderForWriting(opening);
      return new TenantStore(options, storage, catalogue, lock, rootBytes);
    } catch (error) {
      const known = toFarkeepError(error, 'storage.io');
      throw new FarkeepError(known.code, `The repository folder ${options.folder} cannot be used: ${known.message}`, {
        cause: error,
        hint: known.hint,
      });
    }
  }

  /** Answers without touching packs. "pending": on its way in this store, lost in a crash. `onDurable` names it when it is stored. */
  locate(ids: readonly Buffer[]): ('stored' | 'pending' | 'missing')[] {
    const isStored = this.#catalogue.hasAll(ids);
    if (this.#missing.size > maxMissing) this.#missing.clear();
    return ids.map((id, index) => {
      const key = keyOfId(id);
      if (this.#pending.has(key)) return 'pending';
      if (isStored[index] === true) return 'stored';
      this.#missing.add(key);
      return 'missing';
    });
  }

  /**
   * Stores blocks. Resolves when the store is ready for more (back-pressure). Rejects when a block cannot be stored: quota.exceeded (the
   * store stays usable), storage.disk-full and other storage errors (the store is closed). The caller must have checked that `stored`
   * belongs to `id`. `onDurable` or `flush` reports when blocks are durable.
   */
  async appendBlocks(blocks: readonly BlockToAppend[]): Promise<void> {
    const writer = this.#writing();
    for (const block of blocks) checkLengths(block);
    const keys = blocks.map(({ id }) => keyOfId(id));
    const known = this.#storedAmong(blocks, keys);
    if (known.size > 0) this.#onDurable({ ids: [...known.values()], storedBytes: 0, replaced: 0 });
    for (const [index, block] of blocks.entries()) {
      const key = keys[index] ?? '';
      if (known.has(key) || this.#pending.has(key)) {
        block.release?.();
        continue;
      }
      this.#quota?.take(block.stored.length + blockOverheadBytes);
      this.#pending.add(key);
      const room = writer.append(block);
      if (room !== undefined) await room;
    }
  }

  /** Blocks that are stored already. One that another writer has stored since it was reported as missing is stored twice, which is harmless. */
  #storedAmong(blocks: readonly BlockToAppend[], keys: readonly BlockKey[]): Map<BlockKey, Buffer> {
    const asked = blocks.filter((_, index) => !this.#missing.delete(keys[index] ?? ''));
    const isStored = this.#catalogue.hasAll(asked.map(({ id }) => id));
    return new Map(asked.filter((_, index) => isStored[index]).map(({ id }) => [keyOfId(id), id]));
  }

  /** Resolves when every block appended before is durable. */
  async flush(): Promise<void> {
    await this.#writing().flush();
  }

  /**
   * Makes a restore point exist, by one rename, after everything it needs is durable. Throws point.incomplete when a block
   * is missing, call.conflict when another point has this id; committing the same root again changes nothing.
   */
  async commitPoint({
    pointId,
    root,
    check = 'walk-manifest',
  }: {
    pointId: string;
    root: Buffer;
    check?: CompletenessCheck;
  }): Promise<{ rootBytes: number }> {
    const writer = this.#writing();
    const decoded = rootToCommit(root, pointId);
    if (!isPointId(pointId) || decoded.pointId !== pointId)
      throw new FarkeepError('protocol.malformed', `The root is of point ${decoded.pointId}, not ${pointId}`);
    await writer.flush();
    try {
      await checkPointIsWhole({
        root: decoded,
        missing: (ids) => this.#catalogue.missing(ids),
        readBlock: (id) => this.readBlock(id),
        referenced: check === 'walk-manifest' ? undefined : check.referenced,
      });
    } finally {
      // A damaged manifest block that the source did not send since it counted as present: the next attempt sends it.
      await this.#damage?.write();
    }
    const name = this.#pointName(pointId);
    if ((await this.#storage.sizeBytes(name)) !== undefined) {
      if ((await this.#storage.read(name, maxPointRootBytes)).equals(root)) return { rootBytes: root.length };
      throw new FarkeepError('call.conflict', `Restore point ${pointId} exists already`);
    }
    if (this.#quota !== undefined) this.#quota.rootBytes = await rootBytesOf(this.#storage);
    this.#quota?.take(root.length);
    const temporaryName = `${incomingFolder}/${this.#lock?.writer ?? ''}/${pointId}.root`;
    try {
      await this.#storage.remove(temporaryName);
      const output = await this.#storage.create(temporaryName);
      try {
        await output.append([root]);
        await output.sync();
      } finally {
        await output.close();
      }
      await this.#storage.rename(temporaryName, name);
      await this.#storage.sync('points');
    } catch (error) {
      throw toFarkeepError(error, 'storage.io');
    }
    this.#logger.info('Restore point committed', { pointId, rootBytes: root.length });
    return { rootBytes: root.length };
  }

  /** The stored form of a block, checked against its CRC. Throws call.not-found, or storage.damaged naming the pack. */
  async readBlock(id: Buffer): Promise<StoredBlock> {
    if (this.#pending.has(keyOfId(id))) await this.flush();
    const place = this.#catalogue.find(id);
    if (place === undefined) throw notHere(id);
    return this.#reader.read(place);
  }

  /**
   * Blocks in the order asked for, with neighbors read in one piece and the next ones read ahead; memory stays near 24 MiB.
   * Throws at the first that cannot be read.
   */
  async *readBlocks(ids: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<StoredBlock, void, undefined> {
    for await (const outcome of this.tryReadBlocks(ids)) {
      if (outcome === undefined) continue;
      if (outcome.block === undefined) throw outcome.error;
      yield outcome.block;
    }
  }

  /**
   * As readBlocks, but a block that cannot be read is an outcome and the others go on. `undefined` among the identifiers asks
   * for all before it without waiting for more, and is answered by `undefined`.
   */
  tryReadBlocks(
    ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
  ): AsyncGenerator<BlockOutcome | undefined, void, undefined> {
    return this.#reader.readMany(ids, (id) => this.#catalogue.find(id));
  }

  /** All restore points, oldest first. A damaged one is listed with its problem. */
  async listPoints(): Promise<PointListing[]> {
    const listings: PointListing[] = [];
    for (const name of await this.#storage.list('points')) {
      if (!isPointFile(name)) continue;
      const pointId = pointIdOf(name);
      try {
        const bytes = await this.readPointRoot(pointId);
        const { manifest: _manifest, sourcePaths: _sourcePaths, ...root } = decodePointRoot(bytes, pointId);
        listings.push({ pointId, rootBytes: bytes.length, root, problem: undefined });
      } catch (error) {
        listings.push({ pointId, rootBytes: 0, root: undefined, problem: toFarkeepError(error, 'storage.io').message });
      }
    }
    return listings.sort((a, b) => (a.root?.createdAtMs ?? 0) - (b.root?.createdAtMs ?? 0));
  }

  /** The bytes of a point's root, as committed. Throws call.not-found; decodePointRoot checks them. */
  async readPointRoot(pointId: string): Promise<Buffer> {
    if (!isPointId(pointId)) throw new FarkeepError('call.not-found', 'There is no such restore point');
    try {
      return await this.#storage.read(this.#pointName(pointId), maxPointRootBytes);
    } catch (error) {
      if (isMissing(error)) throw new FarkeepError('call.not-found', `There is no restore point ${pointId}`);
      if (error instanceof RangeError)
        throw new FarkeepError('storage.damaged', `Restore point ${pointId}: ${error.message}`);
      throw toFarkeepError(error, 'storage.io');
    }
  }

  /** What counts against the quota: durable packs, and the roots of restore points. */
  async usedBytes(): Promise<number> {
    return this.#catalogue.packBytes() + (await rootBytesOf(this.#storage));
  }

  /** Ends the store. What is not flushed is dropped: it was not acknowledged. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const failure = this.#writer?.failure;
    await this.#writer?.discard();
    await this.#damage?.write();
    if (this.#lock !== undefined) {
      let isClean = failure === undefined;
      try {
        this.#catalogue.dropReservation(this.#lock.writer);
        this.#catalogue.checkpoint();
        await this.#storage.removeFolder(`${incomingFolder}/${this.#lock.writer}`);
      } catch (error) {
        isClean = false;
        this.#logger.warn('The repository folder was not closed cleanly; the next session looks after it', { error });
      }
      if (isClean) this.#lock.release();
      else this.#lock.abandon();
    }
    this.#catalogue.close();
    await this.#storage.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #pointName(pointId: string): string {
    return `points/${pointFileOf(pointId)}`;
  }

  #writing(): PackWriter {
    if (this.#writer === undefined || this.#isClosed)
      throw new FarkeepError('storage.read-only', 'The repository folder was opened for reading only');
    return this.#writer;
  }

  #takePack(pack: FinishedPack): void {
    const replaced = this.#catalogue.addPack(pack.packId, pack.sizeBytes, pack.blocks, {
      writer: this.#quota === undefined ? undefined : this.#lock?.writer,
    });
    this.#quota?.packSealed();
    for (const block of pack.blocks) this.#pending.delete(keyOfId(block.id));
    this.#onDurable({ ids: pack.blocks.map((block) => block.id), storedBytes: pack.sizeBytes, replaced });
  }
}
