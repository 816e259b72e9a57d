// Owns the store of one tenant: look up, store and read blocks; commit, list and read restore points. Does not know sockets, sessions or
// keys. Several processes may open the same place; docs/repository-format.md has the layout and the rules.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { blockIdBytes, keyOfId, blockBounds, type BlockKey, type StoredBlock } from '../../blocks/block.ts';
import type { BlockOutcome, BlockStore, BlockToAppend, DurableBlocks } from '../../blocks/block-store.ts';
import { BlockReader, notHere } from './block-reader.ts';
import type { Catalogue } from './catalogue.ts';
import { DamageNotes, type FoundDamage } from './damage-notes.ts';
import { markDamage } from './mark-damage.ts';
import { checkPointIsWhole, type CompletenessCheck } from '../points/point-check.ts';
import { decodePointRoot, maxPointRootBytes } from '../points/point-root.ts';
import { isPointFile, isPointId, pointFileOf, pointIdOf, type PointRoot } from '../points/point-root-fields.ts';
import { blockOverheadBytes, PackWriter, type FinishedPack } from '../packs/pack-writer.ts';
import type { PointStore } from './point-store.ts';
import { QuotaAccount, rootBytesOf } from './quota-account.ts';
import type { Storage } from '../storage/storage.ts';
import { openCatalogueForReading, openPlaceForWriting } from './open-place.ts';
import { incomingFolder, type TenantPlace } from './tenant-place.ts';
import type { WriterLease } from './writer-lease.ts';

export const defaultPackBytes = 64 * 1024 * 1024;

export interface TenantStoreOptions {
  readonly place: TenantPlace;
  readonly mode: 'read' | 'write';
  readonly logger: Logger;
  /** Quota of the tenant in bytes; undefined for no limit. */
  readonly quotaBytes?: number;
  /** Called once for every appended block, when the block is durable. */
  readonly onDurable?: (blocks: DurableBlocks) => void;
  /**
   * Called after damaged blocks were marked; marked blocks no longer count as present. A store for writing always marks damaged blocks. A
   * store for reading marks them only if this callback is given.
   */
  readonly onDamageMarked?: (found: FoundDamage) => void;
  readonly packBytes?: number;
  /** Limit of bytes that wait to be written. Above it, `append` makes its caller wait. */
  readonly maxQueuedBytes?: number;
  readonly now?: () => number;
}

export interface PointListing {
  readonly pointId: string;
  readonly rootBytes: number;
  /** Undefined if the root is damaged; `problem` then gives the reason. */
  readonly root: PointSummary | undefined;
  readonly problem: string | undefined;
}

/** A root without its large fields, because lists hold very many roots, and a malicious tenant could make them large. */
export type PointSummary = Omit<PointRoot, 'manifest' | 'sourcePaths'>;

/** @throws protocol.malformed */
function checkLengths(block: BlockToAppend): void {
  const storedLength = block.stored.length;
  if (
    block.id.length !== blockIdBytes ||
    block.contentLength > blockBounds.repository.content ||
    storedLength > blockBounds.repository.stored ||
    (block.encoding === 'raw' && storedLength !== block.contentLength)
  ) {
    throw new FarkeepError(
      'protocol.malformed',
      `A block of ${storedLength} stored and ${block.contentLength} content bytes cannot be stored`,
    );
  }
}

/** Decodes the root of a commit. An invalid root is reported as an error of the sender, not of the disk. */
function rootToCommit(root: Buffer, pointId: string): PointRoot {
  try {
    return decodePointRoot(root, pointId);
  } catch (cause) {
    throw new FarkeepError('protocol.malformed', toFarkeepError(cause).message, { cause });
  }
}

/** Limit of remembered missing blocks. A forgotten block only costs a second look-up. */
const maxMissing = 65_536;

export class TenantStore implements BlockStore, PointStore, AsyncDisposable {
  readonly #storage: Storage;
  readonly #catalogue: Catalogue;
  readonly #reader: BlockReader;
  readonly #logger: Logger;
  readonly #lease: WriterLease | undefined;
  readonly #writer: PackWriter | undefined;
  readonly #onDurable: (blocks: DurableBlocks) => void;
  readonly #damage: DamageNotes | undefined;
  readonly #quota: QuotaAccount | undefined;
  /** Blocks that were appended but are not durable yet. */
  readonly #pending = new Set<BlockKey>();
  /** Blocks recently reported as missing, so that `append` need not look them up again. */
  readonly #missing = new Set<BlockKey>();
  #isClosed = false;

  private constructor(
    options: TenantStoreOptions,
    catalogue: Catalogue,
    lease: WriterLease | undefined,
    rootBytes = 0,
  ) {
    const { storage } = options.place;
    this.#storage = storage;
    this.#catalogue = catalogue;
    this.#lease = lease;
    this.#logger = options.logger;
    this.#quota =
      lease === undefined || options.quotaBytes === undefined
        ? undefined
        : new QuotaAccount(catalogue, lease.writer, options.quotaBytes, rootBytes);
    this.#onDurable = options.onDurable ?? ((): void => undefined);
    this.#damage =
      lease === undefined && options.onDamageMarked === undefined
        ? undefined
        : new DamageNotes({
            mark: async (packs) => {
              await markDamage({ place: options.place, logger: options.logger }, packs);
            },
            onMarked: options.onDamageMarked ?? ((): void => undefined),
            logger: options.logger,
          });
    this.#reader = new BlockReader(storage, (place) => this.#damage?.note(place));
    this.#writer =
      lease === undefined
        ? undefined
        : new PackWriter({
            storage,
            incoming: `${incomingFolder}/${lease.writer}`,
            packBytes: options.packBytes ?? defaultPackBytes,
            maxQueuedBytes: options.maxQueuedBytes ?? 16 * 1024 * 1024,
            now: options.now ?? Date.now,
            onPack: (pack) => this.#takePack(pack),
          });
  }

  /**
   * Opens the place. "write" creates missing parts and cleans up after dead writers. "read" changes nothing, and works on a read-only disk
   * and without a catalogue.
   */
  static async open(options: TenantStoreOptions): Promise<TenantStore> {
    const { place, logger } = options;
    try {
      if (options.mode === 'read')
        return new TenantStore(options, await openCatalogueForReading(place, logger), undefined);
      const rootBytes = options.quotaBytes === undefined ? 0 : await rootBytesOf(place.storage);
      const { catalogue, lease } = await openPlaceForWriting(place, logger);
      return new TenantStore(options, catalogue, lease, rootBytes);
    } catch (error) {
      const known = toFarkeepError(error, 'storage.io');
      throw new FarkeepError(known.code, `The repository folder ${place.name} cannot be used: ${known.message}`, {
        cause: error,
        hint: known.hint,
      });
    }
  }

  /** Looks the blocks up in the catalogue only, without reading packs. */
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

  async append(blocks: readonly BlockToAppend[]): Promise<void> {
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

  /**
   * Returns those of the blocks that are already stored. Blocks that were recently reported as missing are not looked up again. If another
   * writer has stored such a block in the meantime, the block is stored twice, which is harmless.
   */
  #storedAmong(blocks: readonly BlockToAppend[], keys: readonly BlockKey[]): Map<BlockKey, Buffer> {
    const asked = blocks.filter((_, index) => !this.#missing.delete(keys[index] ?? ''));
    const isStored = this.#catalogue.hasAll(asked.map(({ id }) => id));
    return new Map(asked.filter((_, index) => isStored[index]).map(({ id }) => [keyOfId(id), id]));
  }

  async flush(): Promise<void> {
    await this.#writing().flush();
  }

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
        blocks: this,
        referenced: check === 'walk-manifest' ? undefined : check.referenced,
      });
    } finally {
      // A manifest block may be damaged. The source did not send it because it counted as present. After marking, the next attempt sends
      // it.
      await this.#damage?.write();
    }
    const name = this.#pointName(pointId);
    if ((await this.#storage.sizeBytes(name)) !== undefined) {
      if ((await this.#storage.read(name, maxPointRootBytes)).equals(root)) return { rootBytes: root.length };
      throw new FarkeepError('call.conflict', `Restore point ${pointId} exists already`);
    }
    if (this.#quota !== undefined) this.#quota.rootBytes = await rootBytesOf(this.#storage);
    this.#quota?.take(root.length);
    const temporaryName = `${incomingFolder}/${this.#lease?.writer ?? ''}/${pointId}.root`;
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

  /** Reads a block and checks its CRC. Throws call.not-found, or storage.damaged naming the pack. */
  async read(id: Buffer): Promise<StoredBlock> {
    if (this.#pending.has(keyOfId(id))) await this.flush();
    const place = this.#catalogue.find(id);
    if (place === undefined) throw notHere(id);
    return this.#reader.read(place);
  }

  /** Reads neighboring blocks of a pack together, with about 24 MiB of memory. */
  readMany(
    ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
  ): AsyncGenerator<BlockOutcome | undefined, void, undefined> {
    return this.#reader.readMany(ids, (id) => this.#catalogue.find(id));
  }

  /** Lists all restore points, oldest first. A damaged one is listed with its problem. */
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

  async usedBytes(): Promise<number> {
    return this.#catalogue.packBytes() + (await rootBytesOf(this.#storage));
  }

  /** Closes the store. Unflushed blocks are dropped, because they were not acknowledged. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const failure = this.#writer?.failure;
    await this.#writer?.discard();
    await this.#damage?.write();
    if (this.#lease !== undefined) {
      let isClean = failure === undefined;
      try {
        this.#catalogue.dropReservation(this.#lease.writer);
        this.#catalogue.checkpoint();
        await this.#storage.removeFolder(`${incomingFolder}/${this.#lease.writer}`);
      } catch (error) {
        isClean = false;
        this.#logger.warn('The repository folder was not closed cleanly; the next session looks after it', { error });
      }
      if (isClean) await this.#lease.release();
      else await this.#lease.abandon();
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
      writer: this.#quota === undefined ? undefined : this.#lease?.writer,
    });
    this.#quota?.packSealed();
    for (const block of pack.blocks) this.#pending.delete(keyOfId(block.id));
    this.#onDurable({ ids: pack.blocks.map((block) => block.id), storedBytes: pack.sizeBytes, replaced });
  }
}
