// A second reader (services/testing/independent) was written from docs/repository-format.md alone. It reads folders that this code wrote,
// and recorded objects. If a test fails, the document and the code disagree.
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
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import {
  appendContent,
  commitItems,
  entryOf,
  itemsOfFolder,
  randomContent,
  scratchFolder,
} from '../testing/repository/repository-fixture.ts';
import {
  decodeRoot,
  encodeRoot,
  readManifest,
  type Entry,
  type RootFields,
} from '../testing/independent/manifest-records.ts';
import { RepositoryFolder } from '../testing/independent/repository-folder.ts';
import { unpackFrame } from '../testing/independent/zstd-frame.ts';
import { readVector, type VectorJson } from '../testing/vector-file.ts';
import { TenantStore } from './store/tenant-store.ts';
import { openFolderPlace } from './folder/folder-place.ts';

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
        place: openFolderPlace(tenant),
        mode: 'write',
        logger: silentLogger,
        packBytes: 200_000,
      });
      const items = await itemsOfFolder(store, source);
      // Features that `itemsOfFolder` does not produce: a hole, a hard link, a continued file, a time before 1970.
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

    const reader = new RepositoryFolder(tenant);
    expect(await reader.verify()).toEqual([]);
    const entries = await reader.entries('p-1');
    const tree = new Map(entries.map((entry) => [entry.path.join('/'), entry]));
    const bytesOf = ({ content }: Entry): Buffer =>
      Buffer.concat(
        content.map(({ id, length }) => (id === undefined ? Buffer.alloc(length) : reader.content(id.toString('hex')))),
      );
    const expected: string[] = ['zz1', 'zz2'];
    const compare = (relative: string): void => {
      const full = path.join(source, relative);
      const stat = lstatSync(full, { bigint: true });
      const entry = tree.get(relative);
      expected.push(relative);
      expect(entry).toMatchObject({
        kind: stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'symlink',
        mode: Number(stat.mode & 0o7777n),
        uid: Number(stat.uid),
        mtimeNs: stat.mtimeNs,
        target: stat.isSymbolicLink() ? readlinkSync(full, 'buffer').toString('latin1') : '',
        sizeBytes: stat.isFile() ? Number(stat.size) : 0,
      });
      if (stat.isFile()) expect(entry && bytesOf(entry).equals(readFileSync(full))).toBe(true);
      if (stat.isDirectory())
        for (const name of readdirSync(full)) compare(relative === '' ? name : `${relative}/${name}`);
    };
    compare('');
    expect([...tree.keys()].sort()).toEqual(expected.sort());
    const zz1 = tree.get('zz1');
    expect(zz1).toMatchObject({ kind: 'file', mtimeNs: -1n });
    const [hole, end] = [Buffer.alloc(70_000), Buffer.from('end')];
    expect(zz1 && bytesOf(zz1).equals(Buffer.concat([hole, end, hole, end]))).toBe(true);
    expect(tree.get('zz2')).toMatchObject({ kind: 'hardlink', target: 'zz1' });
    const root = decodeRoot(readFileSync(path.join(tenant, 'points', 'p-1.manifest')), 'p-1');
    expect(root['totals']).toMatchObject({ files: 4, folders: 3, symlinks: 1501, hardLinks: 1, warnings: 1 });
  });

  it('is enough to find a flipped byte at any position, and to read a pack without its index', async () => {
    await using scratch = await scratchFolder();
    const { tenant, file, contents } = recordedFolder(scratch.folder);
    const whole = readFileSync(file);
    for (let place = 0; place < whole.length; place += 1) {
      const bytes = Buffer.from(whole);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const reader = new RepositoryFolder(tenant);
      expect([place, await reader.verify()]).not.toEqual([place, []]);
      // The index and the trailer follow the blocks. If these are damaged, the block headers still give the positions of the blocks.
      const isBehindBlocks = place >= whole.length - 40 - contents.length * 56;
      if (isBehindBlocks) expect(contents.map((content) => reader.content(sha256(content)))).toEqual(contents);
    }
  });

  it('is enough to read the recorded pack, roots, manifests and marks', async () => {
    await using scratch = await scratchFolder();
    const { tenant, contents } = recordedFolder(scratch.folder);
    const reader = new RepositoryFolder(tenant);
    expect(reader.findings).toEqual([]);
    expect(contents.map((content) => reader.content(sha256(content)))).toEqual(contents);

    // A block must be exactly one frame: no second frame, no byte after it, no skippable frame before it.
    const frame = Buffer.from('28b52ffd6058016d000030776f7264732001004f529522', 'hex');
    expect(unpackFrame(frame, 600)).toEqual(contents[1]);
    const skippable = Buffer.from('502a4d1801000000ff', 'hex');
    for (const parts of [[frame, frame], [frame, Buffer.of(0)], [skippable, frame], [frame.subarray(0, -1)]])
      expect(() => unpackFrame(Buffer.concat(parts), 600)).toThrow();

    const root = load('root');
    const fields = root['fields'] as { pointId: string };
    const bytes = Buffer.from(root['bytes'] as string, 'hex');
    expect(decodeRoot(bytes, fields.pointId)).toEqual(fields);
    expect(encodeRoot(fields as unknown as RootFields)).toEqual(bytes);
    expect(() => decodeRoot(bytes, 'another')).toThrow();

    const manifest = load('manifest');
    const piecesOf = (name: string): Buffer[] => (manifest[name] as string[]).map((piece) => Buffer.from(piece, 'hex'));
    const pieces = piecesOf('pieces');
    const recorded = (manifest['entries'] as Record<string, unknown>[]).map(
      ({ path: names, target, mtimeNs, ...rest }) => ({
        ...rest,
        path: (names as string[]).map(latin1),
        target: latin1(target),
        mtimeNs: BigInt(mtimeNs as string),
        content: (rest['content'] as { id: string | null; length: number }[]).map(({ id, length }) =>
          id === null ? { length } : { length, id: Buffer.from(id, 'hex') },
        ),
      }),
    );
    expect(readManifest(pieces)).toEqual(recorded);
    expect(readManifest(piecesOf('cutPieces'))).toEqual(recorded);
    const [first = Buffer.alloc(0)] = pieces;
    expect(() => readManifest([first.subarray(0, -1)])).toThrow();
    expect(() => readManifest(piecesOf('cutPieces').slice(1))).toThrow();
    expect(() => readManifest(piecesOf('cutPieces').slice(0, -1))).toThrow();

    const marks = load('marks')['files'] as {
      packs: { pack: string; blocks: { id: string; isUntrue: boolean }[] }[];
      bytes: string;
    }[];
    for (const [index, { bytes: file }] of marks.entries()) {
      mkdirSync(path.join(tenant, 'damaged'), { recursive: true });
      writeFileSync(path.join(tenant, 'damaged', `${`${index}`.repeat(16)}.marks`), Buffer.from(file, 'hex'));
    }
    expect(reader.marks().sort()).toEqual(
      marks
        .flatMap(({ packs }) => packs)
        .flatMap(({ pack, blocks }) =>
          blocks.map(({ id, isUntrue }) => `${pack} ${id} ${isUntrue ? 'untrue' : 'lost'}`),
        )
        .sort(),
    );
  });
});

const latin1 = (hex: unknown): string => Buffer.from(hex as string, 'hex').toString('latin1');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const load = (name: string): VectorJson => readVector(new URL(`./vectors/${name}.json`, import.meta.url));

/** A tenant's folder that contains only the recorded pack. */
function recordedFolder(folder: string): { tenant: string; file: string; contents: Buffer[] } {
  const { name, bytes, contents } = load('pack') as { name: string; bytes: string; contents: string[] };
  const tenant = path.join(folder, 'recorded');
  const file = path.join(tenant, 'packs', name.slice(0, 2), name);
  mkdirSync(path.dirname(file), { recursive: true });
  mkdirSync(path.join(tenant, 'points'));
  writeFileSync(file, Buffer.from(bytes, 'hex'));
  return { tenant, file, contents: contents.map((content) => Buffer.from(content, 'hex')) };
}
