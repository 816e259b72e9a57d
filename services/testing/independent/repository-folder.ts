// Owns a reader of a bare repository folder: packs, roots and marks, without catalogue and without the product (docs/repository-format.md).
// Part of the second implementation: written from docs/ alone, uses node: modules only.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { unpack } from './backup-tenant.ts';
import type { StoredBlock } from './data-messages.ts';
import { writeTree } from './file-trees.ts';
import { decodeRoot, manifestBlocks, readManifest, type Entry, type RootBlock } from './manifest-records.ts';

interface Place {
  readonly pack: string;
  readonly offset: number;
  readonly encoding: number;
  readonly contentLength: number;
  readonly storedLength: number;
  readonly crc: number;
}

const maxStoredBytes = 2 ** 24 + 2 ** 16;

export class RepositoryFolder {
  readonly #tenant: string;
  /** All places of each block, by the block's identifier in hex. */
  readonly #places = new Map<string, Place[]>();
  readonly #packs = new Map<string, Buffer>();
  /** Defects that were found, one line each. */
  readonly findings: string[] = [];

  constructor(tenant: string) {
    this.#tenant = tenant;
    for (const folder of readdirSync(path.join(tenant, 'packs')).sort())
      for (const name of readdirSync(path.join(tenant, 'packs', folder)).sort()) this.#readPack(folder, name);
  }

  get blockCount(): number {
    return this.#places.size;
  }

  points(): string[] {
    return readdirSync(path.join(this.#tenant, 'points'))
      .filter((name) => name.endsWith('.manifest'))
      .map((name) => name.slice(0, -'.manifest'.length));
  }

  /** The content of a block, from the first intact copy. @throws when there is none */
  content(id: string): Buffer {
    let last: unknown = new Error(`No pack holds ${id}`);
    for (const place of this.#places.get(id) ?? []) {
      try {
        return unpack(this.#stored(id, place));
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  async entries(pointId: string): Promise<Entry[]> {
    const file = readFileSync(path.join(this.#tenant, 'points', `${pointId}.manifest`));
    const contents = async (blocks: readonly RootBlock[]): Promise<Buffer[]> =>
      blocks.map(({ id, lengthBytes }) => {
        const content = this.content(id);
        if (content.length !== lengthBytes) throw new Error(`${id} has another length than the root says`);
        return content;
      });
    return readManifest(await contents(await manifestBlocks(decodeRoot(file, pointId), contents)));
  }

  async restore(pointId: string, destination: string): Promise<void> {
    await writeTree(destination, await this.entries(pointId), async (id) => this.content(id.toString('hex')));
  }

  /** Reads everything: each place of each block, each root, each manifest. */
  async verify(): Promise<string[]> {
    for (const [id, places] of this.#places)
      for (const place of places) this.#note(`block ${id} in ${place.pack}`, () => unpack(this.#stored(id, place)));
    for (const point of this.points()) {
      try {
        for (const { content } of await this.entries(point))
          for (const { id } of content) if (id !== undefined) this.content(id.toString('hex'));
      } catch (error) {
        this.findings.push(`point ${point}: ${String(error)}`);
      }
    }
    return this.findings;
  }

  /** Section 9: the marked blocks, as "<pack> <block> <lost or untrue>". */
  marks(): string[] {
    const folder = path.join(this.#tenant, 'damaged');
    return readdirSync(folder).flatMap((name) => {
      const file = readFileSync(path.join(folder, name));
      const version = file[4] ?? 0;
      const end = file.length - 4;
      if (file.toString('latin1', 0, 4) !== 'FKDM' || version < 1 || version > 2) throw new Error('No file of marks');
      if (file.readUInt32BE(end) !== crc32(file.subarray(0, end))) throw new Error('A damaged file of marks');
      const found: string[] = [];
      let at = 12;
      for (let packs = file.readUInt32BE(8); packs > 0; packs -= 1) {
        const pack = file.toString('hex', at, at + 16);
        const count = file.readUInt32BE(at + 16);
        at += 20;
        for (let index = 0; index < count; index += 1) {
          const isUntrue = version === 2 && file[at + 32] === 1;
          found.push(`${pack} ${file.toString('hex', at, at + 32)} ${isUntrue ? 'untrue' : 'lost'}`);
          at += version === 2 ? 33 : 32;
        }
      }
      if (at !== end) throw new Error('Bytes are left over in a file of marks');
      return found;
    });
  }

  #note(what: string, check: () => unknown): void {
    try {
      check();
    } catch (error) {
      this.findings.push(`${what}: ${String(error)}`);
    }
  }

  #stored(id: string, { pack, offset, storedLength, crc, encoding, contentLength }: Place): StoredBlock {
    const stored = this.#packs.get(pack)?.subarray(offset, offset + storedLength) ?? Buffer.alloc(0);
    if (stored.length !== storedLength || crc32(stored) !== crc)
      throw new Error('Another checksum than at the time of storing');
    return { id: Buffer.from(id, 'hex'), encoding, contentLength, stored };
  }

  #readPack(folder: string, name: string): void {
    const bytes = readFileSync(path.join(this.#tenant, 'packs', folder, name));
    this.#packs.set(name, bytes);
    let places = new Map<string, Place>();
    try {
      if (`${bytes.toString('hex', 8, 24)}.pack` !== name || !name.startsWith(folder))
        throw new Error('the identifier');
      if (bytes.toString('latin1', 0, 8) !== 'FKPK\x01\0\0\0') throw new Error('the beginning');
      if (bytes.readUInt32BE(32) !== crc32(bytes.subarray(0, 32))) throw new Error('the header');
      places = readIndex(bytes, name);
      const walked = walkBlocks(bytes, name);
      for (const [id, place] of places)
        if (JSON.stringify(walked.get(id)) !== JSON.stringify(place))
          this.findings.push(`pack ${name}: the header of block ${id}`);
    } catch (error) {
      this.findings.push(`pack ${name}: ${String(error)}`);
      places = walkBlocks(bytes, name);
    }
    for (const [id, place] of places) this.#places.set(id, [...(this.#places.get(id) ?? []), place]);
  }
}

/** Section 3: places from the index. */
function readIndex(bytes: Buffer, pack: string): Map<string, Place> {
  const trailer = bytes.subarray(-40);
  if (trailer.toString('latin1', 0, 4) !== 'FKPT' || trailer.readUInt32BE(36) !== crc32(trailer.subarray(0, 36)))
    throw new Error('the trailer');
  const start = Number(trailer.readBigUInt64BE(8));
  const index = bytes.subarray(start, -40);
  if (index.length !== trailer.readUInt32BE(4) * 56 || crc32(index) !== trailer.readUInt32BE(16))
    throw new Error('the index');
  const places = new Map<string, Place>();
  for (let at = 0; at < index.length; at += 56) {
    const [storedLength, contentLength] = [index.readUInt32BE(at + 40), index.readUInt32BE(at + 44)];
    if (storedLength > maxStoredBytes || contentLength > 2 ** 24) throw new Error('the length of a block');
    places.set(index.toString('hex', at, at + 32), {
      pack,
      offset: Number(index.readBigUInt64BE(at + 32)),
      ...{ storedLength, contentLength, crc: index.readUInt32BE(at + 48), encoding: index[at + 52] ?? 0 },
    });
  }
  return places;
}

/** Section 3: finds the blocks by their headers; after a damaged header continues with the next valid one. */
function walkBlocks(bytes: Buffer, pack: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (let at = 36; at + 56 <= bytes.length;) {
    const header = bytes.subarray(at, at + 56);
    const isRight =
      header.toString('latin1', 0, 4) === 'FKBL' && header.readUInt32BE(52) === crc32(header.subarray(0, 52));
    if (!isRight) {
      const next = bytes.indexOf('FKBL', at + 1);
      if (next === -1) break;
      at = next;
      continue;
    }
    const [contentLength, storedLength] = [header.readUInt32BE(8), header.readUInt32BE(12)];
    places.set(header.toString('hex', 16, 48), {
      pack,
      offset: at + 56,
      ...{ storedLength, contentLength, crc: header.readUInt32BE(48), encoding: header[4] ?? 0 },
    });
    at += 56 + storedLength;
  }
  return places;
}
