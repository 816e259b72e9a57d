// Owns the catalogue of the folder backend, stored in catalogue.sqlite. Does not know the path of its file (catalogue-file.ts). The
// catalogue is a cache, so its commits are not fsynced one by one (synchronous=NORMAL): after an unclean end, it is compared with the
// packs.
import { Database, type Row } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { blockIdBytes, blockBounds } from '../../blocks/block.ts';
import { encodingCode, encodingOf } from '../../blocks/encodings.ts';
import { catalogueMigrations, type CatalogueAccess } from './catalogue-schema.ts';
import type { DamageMarks } from '../packs/damage-marks.ts';
import { blockHeaderBytes, indexEntryBytes, maxPackBytes, packIdBytes, type PackBlock } from '../packs/pack-format.ts';
import type { BlockPlace, Catalogue } from '../store/catalogue.ts';

const placeColumns = 'id, pack, offset_bytes, stored_bytes, content_bytes, crc, encoding';

function anotherShape(): FarkeepError {
  return new FarkeepError('storage.damaged', 'The catalog has a malformed row', {
    hint: 'Run "farkeep repository rebuild-catalogue".',
  });
}

/** Checks a number from the file before memory is allocated for it, because an attacker may have written the file. */
function within(value: Row[string] | undefined, max: number): number {
  if (typeof value !== 'number' || value < 0 || value > max) throw anotherShape();
  return value;
}

function asBuffer(value: Row[string] | undefined): Buffer {
  if (!(value instanceof Uint8Array)) throw anotherShape();
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Limit of rows for one statement. In a forged file, pages can point to each other in a cycle, and a query would never end. */
const maxRows = 16_000_000;
const maxBlockRows = 4_000_000_000;
/** Number of identifiers in one look-up statement. */
const batchIds = 4096;
const one = 0x31;

export class SqliteCatalogue implements Catalogue {
  readonly #database: Database;
  #hasCounters = false;

  /** @param file path, or "" for one that is made for reading and gone when closed (in memory, then in a temporary file) */
  constructor(file: string, access: CatalogueAccess = 'write') {
    this.#database = new Database(file, catalogueMigrations, access);
    if (access === 'write') this.#database.run('PRAGMA synchronous=NORMAL');
    // SQLite caches 32 MiB of pages; the operating system caches the rest. So the memory stays bounded for any number of blocks.
    this.#database.run('PRAGMA cache_size=-32768');
  }

  has(id: Buffer): boolean {
    return this.#database.get('SELECT 1 FROM blocks WHERE id = ?', id) !== undefined;
  }

  /** One statement looks up thousands of identifiers, because a statement costs several times as much as one look-up. */
  hasAll(ids: readonly Buffer[]): boolean[] {
    const states: boolean[] = [];
    for (let start = 0; start < ids.length; start += batchIds) {
      const flags = this.#flags(Buffer.concat(ids.slice(start, start + batchIds)));
      for (let index = 0; index < flags.length; index += 1) states.push(flags.charCodeAt(index) === one);
    }
    if (states.length !== ids.length) throw new RangeError('An identifier has 32 bytes');
    return states;
  }

  missing(ids: Buffer): Buffer[] {
    const found: Buffer[] = [];
    for (let start = 0; start < ids.length; start += batchIds * blockIdBytes) {
      const part = ids.subarray(start, start + batchIds * blockIdBytes);
      const flags = this.#flags(part);
      for (let index = flags.indexOf('0'); index !== -1; index = flags.indexOf('0', index + 1))
        found.push(Buffer.from(part.subarray(index * blockIdBytes, (index + 1) * blockIdBytes)));
    }
    return found;
  }

  /** Returns "1" for each identifier that is present and "0" for each other one; at most `batchIds` identifiers. */
  #flags(ids: Buffer): string {
    this.#makeCounters();
    const row = this.#database.get(
      `SELECT group_concat(EXISTS (SELECT 1 FROM blocks WHERE id = substr(?1, i * ${blockIdBytes} + 1, ${blockIdBytes})), '') AS flags
       FROM temp.counters WHERE i < ?2`,
      ids,
      Math.floor(ids.length / blockIdBytes),
    );
    return String(row?.['flags'] ?? '');
  }

  /**
   * Creates a temporary table of the numbers from 0 on. A look-up statement uses these numbers to select identifiers from its joined
   * parameter.
   */
  #makeCounters(): void {
    if (this.#hasCounters) return;
    this.#database.run('PRAGMA temp_store=MEMORY');
    this.#database.run('CREATE TEMP TABLE counters (i INTEGER PRIMARY KEY)');
    this.#database.run(
      `INSERT INTO temp.counters WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${batchIds})
       SELECT i FROM n`,
    );
    this.#hasCounters = true;
  }

  find(id: Buffer): BlockPlace | undefined {
    return this.#findIn('blocks', id) ?? this.#findIn('damaged_places', id);
  }

  #findIn(table: 'blocks' | 'damaged_places', id: Buffer): BlockPlace | undefined {
    const row = this.#database.get(
      `SELECT b.offset_bytes, b.stored_bytes, b.content_bytes, b.crc, b.encoding, p.id AS pack_id
       FROM ${table} b JOIN packs p ON p.number = b.pack WHERE b.id = ?`,
      id,
    );
    if (row === undefined) return undefined;
    const packId = asBuffer(row['pack_id']);
    const encoding = encodingOf(Number(row['encoding']));
    if (packId.length !== packIdBytes || encoding === undefined) throw anotherShape();
    return {
      id,
      packId,
      offset: within(row['offset_bytes'], maxPackBytes),
      storedLength: within(row['stored_bytes'], blockBounds.repository.stored),
      contentLength: within(row['content_bytes'], blockBounds.repository.content),
      crc: Number(row['crc']),
      encoding,
      isMarked: table === 'damaged_places',
    };
  }

  #hasPack(packId: Buffer): boolean {
    return this.#database.get('SELECT 1 FROM packs WHERE id = ?', packId) !== undefined;
  }

  blocksInPack(packId: Buffer): Buffer[] {
    return this.#database
      .all(
        `WITH wanted AS (SELECT number FROM packs WHERE id = ?)
         SELECT id FROM (SELECT id, pack FROM blocks LIMIT ${maxBlockRows}) WHERE pack = (SELECT number FROM wanted)
         UNION SELECT id FROM (SELECT id, pack FROM damaged_places WHERE is_untrue = 0 LIMIT ${maxBlockRows})
         WHERE pack = (SELECT number FROM wanted)`,
        packId,
      )
      .map((row) => asBuffer(row['id']));
  }

  *packIds(): IterableIterator<Buffer> {
    for (const row of this.#database.iterate(`SELECT id FROM packs LIMIT ${maxRows}`)) {
      const packId = asBuffer(row['id']);
      if (packId.length !== packIdBytes) throw anotherShape();
      yield packId;
    }
  }

  addPack(
    packId: Buffer,
    sizeBytes: number,
    blocks: readonly PackBlock[],
    { writer, marks }: { readonly writer?: string | undefined; readonly marks?: DamageMarks } = {},
  ): number {
    return this.#database.transaction(() => {
      if (writer !== undefined) {
        this.#database.run('UPDATE reservations SET bytes = max(0, bytes - ?) WHERE writer = ?', sizeBytes, writer);
      }
      if (this.#hasPack(packId)) return 0;
      const { lastId } = this.#database.run(
        'INSERT INTO packs (id, size_bytes, block_count) VALUES (?, ?, ?)',
        packId,
        sizeBytes,
        blocks.length,
      );
      const isAnyMarked = this.#database.get('SELECT 1 FROM damaged_places LIMIT 1') !== undefined;
      let replaced = 0;
      for (const block of inOrderOfIds(blocks)) {
        const isMarked = marks?.has(packId, block.id) === true;
        const { changes } = this.#insertPlace(isMarked ? 'damaged_places' : 'blocks', block, lastId);
        if (isMarked) this.#setCause(block.id, lastId, marks.isUntrue(packId, block.id));
        if (!isAnyMarked || isMarked || changes === 0) continue;
        if (this.#database.get('SELECT 1 FROM damaged_places WHERE id = ?', block.id) !== undefined) replaced += 1;
      }
      return replaced;
    });
  }

  #insertPlace(table: 'blocks' | 'damaged_places', block: PackBlock, pack: number): { readonly changes: number } {
    return this.#database.run(
      `INSERT OR IGNORE INTO ${table} (${placeColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      block.id,
      pack,
      block.offset,
      block.storedLength,
      block.contentLength,
      block.crc,
      encodingCode(block.encoding),
    );
  }

  applyMarks(marks: DamageMarks): void {
    const isApplied = (name: string): boolean =>
      this.#database.get('SELECT 1 FROM applied_marks WHERE name = ?', name) !== undefined;
    if (marks.names.every(isApplied)) return;
    this.#database.transaction(() => {
      this.#mark(marks);
    });
  }

  setMarks(marks: DamageMarks, better: Iterable<BlockPlace> = []): void {
    this.#database.transaction(() => {
      const marked = this.#database.all(
        `SELECT d.id, d.pack, p.id AS pack_id FROM damaged_places d JOIN packs p ON p.number = d.pack LIMIT ${maxRows}`,
      );
      for (const { id, pack, pack_id: packId } of marked) {
        const [blockId, number] = [asBuffer(id), Number(pack)];
        if (!marks.has(asBuffer(packId), blockId)) this.#move('damaged_places', 'blocks', blockId, number);
      }
      this.#database.run('DELETE FROM applied_marks');
      this.#mark(marks);
      for (const place of better) {
        const pack = this.#packNumber(place.packId);
        if (pack !== undefined) this.#insertPlace('blocks', place, pack);
      }
    });
  }

  #mark(marks: DamageMarks): void {
    for (const { packId, ids } of marks.packs()) {
      const pack = this.#packNumber(packId);
      if (pack === undefined) continue;
      for (const id of ids) {
        this.#move('blocks', 'damaged_places', id, pack);
        this.#setCause(id, pack, marks.isUntrue(packId, id));
      }
    }
    for (const name of marks.names) this.#database.run('INSERT OR IGNORE INTO applied_marks VALUES (?)', name);
  }

  #move(from: 'blocks' | 'damaged_places', to: 'blocks' | 'damaged_places', id: Buffer, pack: number): void {
    this.#database.run(
      `INSERT OR IGNORE INTO ${to} (${placeColumns}) SELECT ${placeColumns} FROM ${from} WHERE id = ? AND pack = ?`,
      id,
      pack,
    );
    this.#database.run(`DELETE FROM ${from} WHERE id = ? AND pack = ?`, id, pack);
  }

  #setCause(id: Buffer, pack: number, isUntrue: boolean): void {
    this.#database.run('UPDATE damaged_places SET is_untrue = ? WHERE id = ? AND pack = ?', isUntrue ? 1 : 0, id, pack);
  }

  #packNumber(packId: Buffer): number | undefined {
    const number = this.#database.get('SELECT number FROM packs WHERE id = ?', packId)?.['number'];
    return number === undefined ? undefined : Number(number);
  }

  removePack(packId: Buffer): void {
    this.#database.transaction(() => {
      const number = this.#packNumber(packId);
      if (number === undefined) return;
      this.#database.run('DELETE FROM blocks WHERE pack = ?', number);
      this.#database.run('DELETE FROM damaged_places WHERE pack = ?', number);
      this.#database.run('DELETE FROM packs WHERE number = ?', number);
    });
  }

  packBytes(): number {
    const row = this.#database.get(
      `SELECT (SELECT coalesce(sum(size_bytes), 0) FROM (SELECT size_bytes FROM packs LIMIT ${maxRows}))
            - (SELECT coalesce(sum(stored_bytes + ?), 0)
               FROM (SELECT stored_bytes FROM damaged_places WHERE is_untrue = 0 LIMIT ${maxRows})) AS bytes`,
      blockHeaderBytes + indexEntryBytes,
    );
    return Math.max(0, Number(row?.['bytes'] ?? 0));
  }

  reserve(writer: string, neededBytes: number, wantedBytes: number, quotaBytes: number, otherBytes: number): number {
    return this.#database.transaction(() => {
      const reserved = Number(
        this.#database.get(
          `SELECT coalesce(sum(bytes), 0) AS bytes FROM (SELECT bytes FROM reservations LIMIT ${maxRows})`,
        )?.['bytes'] ?? 0,
      );
      const free = quotaBytes - otherBytes - this.packBytes() - reserved;
      if (free < neededBytes) return 0;
      const granted = Math.max(neededBytes, Math.min(wantedBytes, Math.floor(free / 4)));
      this.#database.run(
        'INSERT INTO reservations (writer, bytes) VALUES (?, ?) ON CONFLICT (writer) DO UPDATE SET bytes = bytes + excluded.bytes',
        writer,
        granted,
      );
      return granted;
    });
  }

  dropReservation(writer: string): void {
    this.#database.run('DELETE FROM reservations WHERE writer = ?', writer);
  }

  /** Writes the whole log back into the main file, and to disk. */
  checkpoint(): void {
    const [row] = this.#database.all('PRAGMA wal_checkpoint(FULL)');
    if (row?.['busy'] !== 0) throw new FarkeepError('storage.io', 'The catalog is too busy to be written');
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Up to this number of blocks, 32 bits of an identifier and the block's index together fit into the 53 bits of a JavaScript number. */
const maxSortedBlocks = 2 ** 21;

/** Sorts blocks roughly by identifier. Inserting neighbors is a third cheaper, because they share pages of the B-tree. */
function inOrderOfIds(blocks: readonly PackBlock[]): readonly PackBlock[] {
  if (blocks.length > maxSortedBlocks) return blocks;
  const keys = new Float64Array(blocks.length);
  blocks.forEach(({ id }, index) => (keys[index] = id.readUInt32BE(0) * blocks.length + index));
  keys.sort();
  return Array.from(keys, (key) => blocks[key % blocks.length]).filter((block) => block !== undefined);
}
