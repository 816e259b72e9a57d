// A second reader, written from docs/repository-format.md alone: it uses nothing of this folder to read. When it fails, text and code differ.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import {
  appendContent,
  commitItems,
  entryOf,
  itemsOfFolder,
  randomContent,
  scratchFolder,
} from '../testing/repository-fixture.ts';
import { TenantStore } from './tenant-store.ts';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sections 2 and 3: contents by identifier, from the indexes; each block also found by walking the headers. */
function readPacks(tenant: string): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const folder of readdirSync(path.join(tenant, 'packs'))) {
    for (const name of readdirSync(path.join(tenant, 'packs', folder))) {
      const pack = readFileSync(path.join(tenant, 'packs', folder, name));
      expect(pack.toString('latin1', 0, 5)).toBe('FKPK\x01');
      expect(pack.toString('hex', 5, 8)).toBe('000000');
      expect(`${pack.toString('hex', 8, 24)}.pack`).toBe(name);
      expect(name.startsWith(folder)).toBe(true);
      expect(pack.readUInt32BE(32)).toBe(crc32(pack.subarray(0, 32)));
      const trailer = pack.subarray(-40);
      expect(trailer.toString('latin1', 0, 4)).toBe('FKPT');
      expect(trailer.subarray(20, 36)).toEqual(pack.subarray(8, 24));
      expect(trailer.readUInt32BE(36)).toBe(crc32(trailer.subarray(0, 36)));
      const count = trailer.readUInt32BE(4);
      const index = pack.subarray(Number(trailer.readBigUInt64BE(8)), -40);
      expect(index.length).toBe(count * 56);
      expect(trailer.readUInt32BE(16)).toBe(crc32(index));
      let walk = 36;
      for (let at = 0; at < index.length; at += 56) {
        const id = index.toString('hex', at, at + 32);
        const offset = Number(index.readBigUInt64BE(at + 32));
        const storedLength = index.readUInt32BE(at + 40);
        const contentLength = index.readUInt32BE(at + 44);
        const stored = pack.subarray(offset, offset + storedLength);
        const header = pack.subarray(walk, walk + 56);
        expect(header.toString('latin1', 0, 4)).toBe('FKBL');
        expect([header[4], header.readUInt32BE(8), header.readUInt32BE(12)]).toEqual([
          index[at + 52],
          contentLength,
          storedLength,
        ]);
        expect(header.toString('hex', 16, 48)).toBe(id);
        expect([header.readUInt32BE(48), index.readUInt32BE(at + 48)]).toEqual([crc32(stored), crc32(stored)]);
        expect(header.readUInt32BE(52)).toBe(crc32(header.subarray(0, 52)));
        expect(walk + 56).toBe(offset);
        walk = offset + storedLength;
        const content = index[at + 52] === 1 ? zstdDecompressSync(stored) : stored;
        expect(content.length).toBe(contentLength);
        expect(sha256(content)).toBe(id);
        contents.set(id, content);
      }
      expect(walk).toBe(Number(trailer.readBigUInt64BE(8)));
    }
  }
  return contents;
}

/** Section 5. */
function readRoot(
  tenant: string,
  pointId: string,
): { totals: Record<string, number>; manifest: { level: number; blocks: { id: string; lengthBytes: number }[] } } {
  const bytes = readFileSync(path.join(tenant, 'points', `${pointId}.manifest`));
  expect(bytes.toString('latin1', 0, 8)).toBe('FKPR\x01\0\0\0');
  const length = bytes.readUInt32BE(8);
  expect(bytes.length).toBe(12 + length + 32);
  expect(bytes.toString('hex', 12 + length)).toBe(sha256(bytes.subarray(0, 12 + length)));
  return JSON.parse(bytes.toString('utf8', 12, 12 + length)) as ReturnType<typeof readRoot>;
}

interface Found {
  readonly type: number;
  readonly mode: number;
  readonly uid: number;
  readonly mtimeNs: bigint;
  readonly target: string;
  content: Buffer;
}

/** Section 4: entries by path. */
function readTree(pieces: readonly Buffer[], contents: ReadonlyMap<string, Buffer>): Map<string, Found> {
  const found = new Map<string, Found>();
  let at = 0;
  let piece: Buffer = Buffer.alloc(0);
  const byte = (): number => piece[at++] ?? 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const next = byte();
      value += (next & 127) * factor;
      if (next < 128) return value;
    }
  };
  const bytes = (): Buffer => {
    const length = varint();
    at += length;
    return piece.subarray(at - length, at);
  };
  const content = (): Buffer =>
    Buffer.concat(
      Array.from({ length: varint() }, () => {
        const kind = byte();
        const length = varint();
        if (kind === 0) return Buffer.alloc(length);
        at += 32;
        return contents.get(piece.toString('hex', at - 32, at)) ?? Buffer.from('missing');
      }),
    );
  const names: string[] = [];
  let last: Found | undefined;
  let count = 0;
  for (piece of pieces) {
    expect(piece.toString('latin1', 0, 5)).toBe('FKMF\x01');
    at = 6;
    expect(bytes().toString('latin1')).toBe(names.join('/'));
    while (at < piece.length) {
      const type = byte();
      const length = varint();
      const end = at + length;
      if (type === 31) expect(varint()).toBe(count);
      else if (type === 17) {
        expect(varint()).toBe(last?.content.length);
        at = end;
      } else if (type === 16) {
        if (last !== undefined) last.content = Buffer.concat([last.content, content()]);
      } else {
        count += 1;
        const depth = varint();
        const name = bytes().toString('latin1');
        if (depth > 0) names.splice(depth - 1, names.length, name);
        const mode = varint();
        const uid = varint();
        varint();
        bytes();
        bytes();
        const sign = byte() === 1 ? -1n : 1n;
        const mtimeNs = sign * BigInt(varint()) * 1_000_000_000n + BigInt(varint());
        const isContinued = (byte() & 4) !== 0;
        for (let attributes = varint(); attributes > 0; attributes -= 1) {
          bytes();
          bytes();
        }
        const target = type === 3 || type === 4 ? bytes().toString('latin1') : '';
        const sizeBytes = type === 2 ? varint() : 0;
        last = { type, mode, uid, mtimeNs, target, content: type === 2 ? content() : Buffer.alloc(0) };
        if (type === 2 && !isContinued) expect(last.content.length).toBe(sizeBytes);
        found.set(names.join('/'), last);
      }
      expect(at).toBe(end);
    }
  }
  return found;
}

describe('docs/repository-format.md', () => {
  it('is enough to read a restore point without this code', async () => {
    await using scratch = await scratchFolder();
    const source = path.join(scratch.folder, 'source');
    mkdirSync(path.join(source, 'folder/inner'), { recursive: true });
    writeFileSync(path.join(source, 'folder/random'), randomContent(600_000), { mode: 0o600 });
    writeFileSync(path.join(source, 'folder/text'), 'words '.repeat(50_000));
    writeFileSync(path.join(source, 'zero'), '');
    symlinkSync('folder/\xe9', path.join(source, 'link'));
    for (let index = 0; index < 1500; index += 1)
      symlinkSync(`${index}`.repeat(20), path.join(source, `folder/inner/${index}`));
    chmodSync(path.join(source, 'folder'), 0o2750);
    const tenant = path.join(scratch.folder, 'tenant');
    {
      await using store = await TenantStore.open({
        folder: tenant,
        mode: 'write',
        logger: silentLogger,
        packBytes: 200_000,
      });
      const items = await itemsOfFolder(store, source);
      // Beyond what the small walker knows: a hole, a hard link, a continued file, a time before 1970.
      const id = await appendContent(store, Buffer.from('end'));
      const content = [
        { id: null, lengthBytes: 70_000 },
        { id, lengthBytes: 3 },
      ];
      items.push({ type: 'entry', entry: entryOf('file', 'zz1', { isContinued: true, mtimeNs: -1n, content }) });
      items.push(
        { type: 'content', content },
        { type: 'file-end', sizeBytes: 140_006, isChangedWhileRead: true, isUnreadable: false },
      );
      items.push({ type: 'entry', entry: entryOf('hardlink', 'zz2', { target: Buffer.from('zz1') }) });
      await commitItems(store, 'p-1', items);
    }
    for (const name of readdirSync(tenant)) if (name.startsWith('catalogue')) rmSync(path.join(tenant, name));

    const contents = readPacks(tenant);
    const root = readRoot(tenant, 'p-1');
    expect(root.manifest.level).toBe(0);
    const pieces = root.manifest.blocks.map(({ id, lengthBytes }) => {
      expect(contents.get(id)?.length).toBe(lengthBytes);
      return contents.get(id) ?? Buffer.alloc(0);
    });
    const tree = readTree(pieces, contents);
    const expected: string[] = ['zz1', 'zz2'];
    const compare = (relative: string): void => {
      const full = path.join(source, relative);
      const stat = lstatSync(full, { bigint: true });
      const entry = tree.get(relative);
      expected.push(relative);
      expect({ ...entry, content: entry?.content.length }).toEqual({
        type: stat.isDirectory() ? 1 : stat.isFile() ? 2 : 3,
        mode: Number(stat.mode & 0o7777n),
        uid: Number(stat.uid),
        mtimeNs: stat.mtimeNs,
        target: stat.isSymbolicLink() ? readlinkSync(full, 'buffer').toString('latin1') : '',
        content: stat.isFile() ? Number(stat.size) : 0,
      });
      if (stat.isFile()) expect(entry?.content.equals(readFileSync(full))).toBe(true);
      if (stat.isDirectory())
        for (const name of readdirSync(full)) compare(relative === '' ? name : `${relative}/${name}`);
    };
    compare('');
    expect([...tree.keys()].sort()).toEqual(expected.sort());
    expect(tree.get('zz1')).toMatchObject({ type: 2, mtimeNs: -1n });
    expect(
      tree
        .get('zz1')
        ?.content.equals(
          Buffer.concat([Buffer.alloc(70_000), Buffer.from('end'), Buffer.alloc(70_000), Buffer.from('end')]),
        ),
    ).toBe(true);
    expect(tree.get('zz2')).toMatchObject({ type: 4, target: 'zz1' });
    expect(root.totals).toMatchObject({ files: 4, folders: 3, symlinks: 1501, hardLinks: 1, warnings: 1 });
  });
});
