// Owns catalogue.sqlite: where each block lies. A cache of what the packs say themselves: losing it costs a rebuild, never a block.
// That is why its commits are not fsynced one by one (synchronous=NORMAL): after an unclean end the packs are compared with it.
import { Database, type Row } from '../kernel/database.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { BlockEncoding } from './block-content.ts';
import type { PackBlock } from './pack-format.ts';

const migrations = [
  `CREATE TABLE packs (
     number INTEGER PRIMARY KEY,
     id BLOB NOT NULL UNIQUE,
     size_bytes INTEGER NOT NULL,
     block_count INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE blocks (
     id BLOB PRIMARY KEY,
     pack INTEGER NOT NULL REFERENCES packs (number),
     offset_bytes INTEGER NOT NULL,
     stored_bytes INTEGER NOT NULL,
     content_bytes INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     encoding INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE reservations (writer TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
];

const encodings: readonly BlockEncoding[] = ['raw', 'zstd'];

export interface BlockPlace extends PackBlock {
  readonly packId: Buffer;
}

function asBuffer(value: Row[string] | undefined): Buffer {
  if (!(value instanceof Uint8Array))
    throw new FarkeepError('storage.damaged', 'The catalogue holds a row of another shape');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export class Catalogue implements Disposable {
  readonly #database: Database;

  /** @param file path, or "" for one that is made for reading and gone when closed (in memory, then in a temporary file) */
  constructor(file: string, access: 'write' | 'read' | 'frozen' = 'write') {
    this.#database = new Database(file, migrations, access);
    if (access === 'write') this.#database.run('PRAGMA synchronous=NORMAL');
    // 32 MiB of page cache; the operating system's cache does the rest. Memory stays bounded however many blocks there are.
    this.#database.run('PRAGMA cache_size=-32768');
  }

  has(id: Buffer): boolean {
    return this.#database.get('SELECT 1 FROM blocks WHERE id = ?', id) !== undefined;
  }

  find(id: Buffer): BlockPlace | undefined {
    const row = this.#database.get(
      `SELECT b.offset_bytes, b.stored_bytes, b.content_bytes, b.crc, b.encoding, p.id AS pack_id
       FROM blocks b JOIN packs p ON p.number = b.pack WHERE b.id = ?`,
      id,
    );
    if (row === undefined) return undefined;
    return {
      id,
      packId: asBuffer(row['pack_id']),
      offset: Number(row['offset_bytes']),
      storedLength: Number(row['stored_bytes']),
      contentLength: Number(row['content_bytes']),
      crc: Number(row['crc']),
      encoding: encodings[Number(row['encoding'])] ?? 'raw',
    };
  }

  hasPack(packId: Buffer): boolean {
    return this.#database.get('SELECT 1 FROM packs WHERE id = ?', packId) !== undefined;
  }

  /** Identifiers of the blocks whose place is this pack. Looks at every block: only for when something is wrong. */
  blocksInPack(packId: Buffer): Buffer[] {
    return this.#database
      .all('SELECT b.id FROM blocks b JOIN packs p ON p.number = b.pack WHERE p.id = ?', packId)
      .map((row) => asBuffer(row['id']));
  }

  *packIds(): IterableIterator<Buffer> {
    for (const row of this.#database.iterate('SELECT id FROM packs')) yield asBuffer(row['id']);
  }

  /**
   * Makes a pack that is safe on disk known. Adding one twice changes nothing; a block that another pack holds already
   * keeps its first place. `writer`'s reservation shrinks by the pack's size in the same transaction.
   */
  addPack(packId: Buffer, sizeBytes: number, blocks: readonly PackBlock[], writer?: string): void {
    this.#database.transaction(() => {
      if (writer !== undefined) {
        this.#database.run('UPDATE reservations SET bytes = max(0, bytes - ?) WHERE writer = ?', sizeBytes, writer);
      }
      if (this.hasPack(packId)) return;
      const { lastId } = this.#database.run(
        'INSERT INTO packs (id, size_bytes, block_count) VALUES (?, ?, ?)',
        packId,
        sizeBytes,
        blocks.length,
      );
      for (const block of blocks) {
        this.#database.run(
          'INSERT OR IGNORE INTO blocks (id, pack, offset_bytes, stored_bytes, content_bytes, crc, encoding) VALUES (?, ?, ?, ?, ?, ?, ?)',
          block.id,
          lastId,
          block.offset,
          block.storedLength,
          block.contentLength,
          block.crc,
          encodings.indexOf(block.encoding),
        );
      }
    });
  }

  /** Forgets a pack that is not there any more, and its blocks. */
  removePack(packId: Buffer): void {
    this.#database.transaction(() => {
      const row = this.#database.get('SELECT number FROM packs WHERE id = ?', packId);
      if (row === undefined) return;
      this.#database.run('DELETE FROM blocks WHERE pack = ?', row['number'] ?? null);
      this.#database.run('DELETE FROM packs WHERE number = ?', row['number'] ?? null);
    });
  }

  packBytes(): number {
    return Number(this.#database.get('SELECT coalesce(sum(size_bytes), 0) AS bytes FROM packs')?.['bytes'] ?? 0);
  }

  /**
   * Reserves room for bytes that are about to be received, so that several sessions together cannot pass the quota.
   * Grants `neededBytes` or more: up to `wantedBytes`, but no more than a quarter of what is left, so that one session does not
   * starve another. Returns what was granted, 0 when refused.
   */
  reserve(writer: string, neededBytes: number, wantedBytes: number, quotaBytes: number, otherBytes: number): number {
    return this.#database.transaction(() => {
      const reserved = Number(
        this.#database.get('SELECT coalesce(sum(bytes), 0) AS bytes FROM reservations')?.['bytes'] ?? 0,
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

  /**
   * Brings everything into the main file and to disk; after it a power cut loses nothing that was added before.
   * Throws when other sessions did not let it finish.
   */
  checkpoint(): void {
    const [row] = this.#database.all('PRAGMA wal_checkpoint(FULL)');
    if (row?.['busy'] !== 0) throw new FarkeepError('storage.io', 'The catalogue is too busy to be written back');
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
