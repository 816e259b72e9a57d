import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { entryOf, scratchFolder } from '../../testing/repository/repository-fixture.ts';
import type { PlaceableFile } from './file-sink.ts';
import type { FileEntry, TreeEntry } from '../points/tree-entry.ts';
import { TreeWriter, type OverwriteRule, type RestoreResult } from './tree-writer.ts';

const isRoot = process.getuid?.() === 0;

async function begin(writer: TreeWriter, entry: TreeEntry): Promise<PlaceableFile | undefined> {
  const begun = await writer.begin(entry);
  return begun !== undefined && 'sink' in begun ? begun.sink : undefined;
}

async function put(writer: TreeWriter, entry: TreeEntry, content: Buffer = Buffer.alloc(0)): Promise<void> {
  const sink = await begin(writer, entry);
  if (sink === undefined) return;
  if (content.length > 0) await sink.write(content);
  await sink.finish();
}

function file(name: string | Buffer, content: string | Buffer, changes: Partial<FileEntry> = {}): [FileEntry, Buffer] {
  const bytes = Buffer.from(content as string);
  return [
    entryOf('file', name, {
      sizeBytes: bytes.length,
      content: bytes.length === 0 ? [] : [{ id: Buffer.alloc(32), lengthBytes: bytes.length }],
      ...changes,
    }),
    bytes,
  ];
}

async function restore(
  destination: string,
  overwrite: OverwriteRule,
  entries: [TreeEntry, Buffer?][],
): Promise<RestoreResult> {
  const writer = TreeWriter.open({ destination, overwrite });
  for (const [entry, content] of entries) await put(writer, entry, content);
  return writer.finish();
}

describe('TreeWriter', () => {
  it('writes files, folders, links and holes, with modes and times; sets those of folders last', async () => {
    await using scratch = await scratchFolder();
    const to = path.join(scratch.folder, 'new', 'place');
    const oddName = Buffer.from([0x66, 0xff, 0xfe, 0x0a, 0x22]);
    const large = Buffer.alloc(600_000, 'large');
    const result = await restore(to, 'never', [
      [entryOf('folder', '', { mode: 0o750 })],
      file('a', 'hello', { mode: 0o640, mtimeNs: 1_000_000_000_500_000_000n }),
      [entryOf('folder', 'closed', { mode: 0o555, mtimeNs: 5_000_000_000n })],
      file('closed/inside', large),
      [entryOf('symlink', 'dangling', { target: Buffer.from('/nowhere/\xff', 'latin1'), mtimeNs: 7_000_000_000n })],
      file('empty', ''),
      file(Buffer.from(oddName), 'odd'),
      [entryOf('hardlink', 'link', { target: Buffer.from('closed/inside') })],
      [entryOf('special', 'pipe')],
      [entryOf('special', 'tty1', { special: 'character-device' })],
      [entryOf('special', 'tty2', { special: 'character-device' })],
      [entryOf('special', 'tty3', { special: 'character-device' })],
    ]);
    expect(result.counts).toMatchObject({
      files: 4,
      folders: 1,
      symlinks: 1,
      hardLinks: 1,
      failed: 3,
      skipped: 0,
      contentBytes: 600_008,
    });
    // Pipes and sockets get no warning. Devices get one warning together.
    expect(result.specials).toMatchObject([
      { kind: 'fifo', count: 1 },
      { kind: 'character-device', count: 3 },
    ]);
    expect(result.problems).toMatchObject([
      {
        path: Buffer.from('tty1'),
        code: 'restore.incomplete',
        message: expect.stringContaining('3 character devices') as string,
        isRestored: false,
      },
    ]);
    expect(readFileSync(path.join(to, 'a'), 'utf8')).toBe('hello');
    expect(statSync(to).mode & 0o7777).toBe(0o750);
    expect(statSync(path.join(to, 'a')).mode & 0o7777).toBe(0o640);
    expect(statSync(path.join(to, 'a')).mtimeMs).toBe(1_000_000_000_500);
    expect(statSync(path.join(to, 'closed'))).toMatchObject({ mtimeMs: 5000 });
    expect(statSync(path.join(to, 'closed')).mode & 0o7777).toBe(0o555);
    expect(statSync(path.join(to, 'closed/inside')).ino).toBe(statSync(path.join(to, 'link')).ino);
    expect(readFileSync(path.join(to, 'link'))).toEqual(large);
    expect(readlinkSync(path.join(to, 'dangling'), 'buffer')).toEqual(Buffer.from('/nowhere/\xff', 'latin1'));
    expect(lstatSync(path.join(to, 'dangling')).mtimeMs).toBe(7000);
    expect(readdirSync(to, { encoding: 'buffer' }).some((name) => name.equals(oddName))).toBe(true);
    chmodSync(path.join(to, 'closed'), 0o755);
  });

  it('sets times before 1970, of files, folders and links', async () => {
    await using scratch = await scratchFolder();
    const to = path.join(scratch.folder, 'to');
    await restore(to, 'never', [
      [entryOf('folder', 'folder', { mtimeNs: -1_000_000_000n })],
      file('file', 'hello', { mtimeNs: -315_619_199_500_000_000n }),
      [entryOf('symlink', 'link', { target: Buffer.from('file'), mtimeNs: -2_000_000_000n })],
    ]);
    expect(statSync(path.join(to, 'folder')).mtimeMs).toBe(-1000);
    expect(statSync(path.join(to, 'file')).mtimeMs).toBe(-315_619_199_500);
    expect(lstatSync(path.join(to, 'link')).mtimeMs).toBe(-2000);
  });

  it('writes holes as holes', async () => {
    await using scratch = await scratchFolder();
    const gib = 1024 ** 3;
    const writer = TreeWriter.open({ destination: scratch.folder, overwrite: 'never' });
    const id = Buffer.alloc(32);
    const entry = entryOf('file', 'sparse', {
      sizeBytes: 10 * gib + 4096,
      content: [
        { id: null, lengthBytes: 5 * gib },
        { id, lengthBytes: 4096 },
        { id: null, lengthBytes: 5 * gib },
      ],
    });
    const sink = await begin(writer, entry);
    sink?.hole(5 * gib);
    await sink?.write(Buffer.alloc(4096, 7));
    sink?.hole(5 * gib);
    await sink?.finish();
    expect((await writer.finish()).problems).toEqual([]);
    const found = statSync(path.join(scratch.folder, 'sparse'));
    expect(found.size).toBe(10 * gib + 4096);
    expect(found.blocks * 512).toBeLessThan(1024 * 1024);
  });

  it('writes several files at once, and sets the metadata of a folder when all its files are complete', async () => {
    await using scratch = await scratchFolder();
    const writer = TreeWriter.open({ destination: scratch.folder, overwrite: 'never' });
    await writer.begin(entryOf('folder', 'd', { mtimeNs: 9_000_000_000n }));
    const [first] = file('d/1', Buffer.alloc(300_000, 1));
    const [second] = file('d/2', Buffer.alloc(300_000, 2));
    const one = await begin(writer, first);
    const two = await begin(writer, second);
    expect(writer.begin(entryOf('hardlink', 'd/3', { target: Buffer.from('d/2') }))).toBeUndefined();
    await writer.begin(entryOf('folder', 'e'));
    await Promise.all([
      one?.write(Buffer.alloc(300_000, 1)).then(() => one.finish()),
      two?.write(Buffer.alloc(300_000, 2)).then(() => two.finish()),
    ]);
    const result = await writer.finish();
    expect(result.problems).toEqual([]);
    expect(statSync(path.join(scratch.folder, 'd')).mtimeMs).toBe(9000);
    expect(readFileSync(path.join(scratch.folder, 'd/3'))).toEqual(Buffer.alloc(300_000, 2));
  });

  it.each([
    ['never', 'old', 1, ['restore.exists']],
    ['older', 'old', 1, []],
    ['always', 'new', 0, []],
  ] as const)('with rule %s an existing newer file becomes %s', async (overwrite, expected, skipped, codes) => {
    await using scratch = await scratchFolder();
    const target = path.join(scratch.folder, 'f');
    writeFileSync(target, 'old');
    const result = await restore(scratch.folder, overwrite, [file('f', 'new', { mtimeNs: 1_000_000_000n })]);
    expect(readFileSync(target, 'utf8')).toBe(expected);
    expect(result.counts.skipped).toBe(skipped);
    // If the rule keeps a file on purpose, the user gets a note. If it keeps a file that differs, the user gets a problem.
    expect(result.problems.map(({ code }) => code)).toEqual(codes);
    expect(result.remarks).toHaveLength(overwrite === 'older' ? 1 : 0);
  });

  it('with rule older replaces an older file', async () => {
    await using scratch = await scratchFolder();
    const target = path.join(scratch.folder, 'f');
    writeFileSync(target, 'old');
    utimesSync(target, 10, 10);
    await restore(scratch.folder, 'older', [file('f', 'new', { mtimeNs: 11_000_000_000n })]);
    expect(readFileSync(target, 'utf8')).toBe('new');
  });

  it('keeps the existing file when the new content is wrong, too short or canceled', async () => {
    await using scratch = await scratchFolder();
    writeFileSync(path.join(scratch.folder, 'short'), 'before');
    const writer = TreeWriter.open({ destination: scratch.folder, overwrite: 'always' });
    const [short] = file('short', Buffer.alloc(700_000));
    const sink = await begin(writer, short);
    await sink?.write(Buffer.alloc(10));
    await sink?.finish();
    const [long] = file('too-long', 'ab');
    const tooLong = await begin(writer, long);
    await tooLong?.write(Buffer.from('abc'));
    await tooLong?.finish();
    const [lost] = file('unfinished', Buffer.alloc(400_000));
    await (await begin(writer, lost))?.write(Buffer.alloc(400_000));
    const result = await writer.finish();
    expect(result.problems.map(({ path: name, code }) => [name.toString(), code])).toEqual([
      ['short', 'restore.mismatch'],
      ['too-long', 'restore.mismatch'],
      ['unfinished', 'restore.incomplete'],
    ]);
    expect(readFileSync(path.join(scratch.folder, 'short'), 'utf8')).toBe('before');
    expect(readdirSync(scratch.folder)).toEqual(['short']);
  });

  it.each(['..', '../x', '/x', 'a/../../x', 'a//b', './x', 'a/', 'a\0b'])('refuses the path %j', async (hostile) => {
    await using scratch = await scratchFolder();
    const to = path.join(scratch.folder, 'inner');
    const writer = TreeWriter.open({ destination: to, overwrite: 'always' });
    expect(() => writer.begin(file(hostile, 'x')[0])).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
    expect(() => writer.begin(entryOf('hardlink', 'ok', { target: Buffer.from(hostile) }))).not.toThrow();
    const result = await writer.finish();
    expect(result.counts.hardLinks).toBe(0);
    expect(readdirSync(scratch.folder)).toEqual(['inner']);
  });

  it.each(['never', 'older', 'always'] as const)('never writes through a link, with rule %s', async (overwrite) => {
    await using scratch = await scratchFolder();
    const outside = path.join(scratch.folder, 'outside');
    const to = path.join(scratch.folder, 'to');
    mkdirSync(outside);
    mkdirSync(to);
    writeFileSync(path.join(outside, 'kept'), 'kept');
    symlinkSync(outside, path.join(to, 'standing'));
    symlinkSync(path.join(outside, 'kept'), path.join(to, 'standing-file'));
    // The tree first makes a link, and then has entries that pretend this link is a folder.
    const result = await restore(to, overwrite, [
      [entryOf('symlink', 'brought', { target: Buffer.from('../outside') })],
      file('brought/through', 'bad'),
      file('standing/through', 'bad'),
      file('standing-file', 'bad', { mtimeNs: 9_000_000_000_000_000_000n }),
      [entryOf('hardlink', 'hard', { target: Buffer.from('brought/kept') })],
    ]);
    expect(readdirSync(outside)).toEqual(['kept']);
    expect(readFileSync(path.join(outside, 'kept'), 'utf8')).toBe('kept');
    expect(existsSync(path.join(to, 'hard'))).toBe(false);
    if (overwrite !== 'always') expect(result.counts.failed).toBeGreaterThan(0);
  });

  it('does not follow a folder that is swapped for a link while files are written', async () => {
    await using scratch = await scratchFolder();
    const outside = path.join(scratch.folder, 'outside');
    const to = path.join(scratch.folder, 'to');
    mkdirSync(outside);
    mkdirSync(path.join(to, 'd'), { recursive: true });
    const writer = TreeWriter.open({ destination: to, overwrite: 'always' });
    await writer.begin(entryOf('folder', 'd'));
    const [entry, content] = file('d/f', 'secret');
    const sink = await begin(writer, entry);
    execFileSync('mv', [path.join(to, 'd'), path.join(to, 'moved')]);
    symlinkSync(outside, path.join(to, 'd'));
    await sink?.write(content);
    await sink?.finish();
    await writer.finish();
    expect(readdirSync(outside)).toEqual([]);
    expect(readFileSync(path.join(to, 'moved/f'), 'utf8')).toBe('secret');
  });

  it('restores owners and set-id bits when root, and neither otherwise', async () => {
    await using scratch = await scratchFolder();
    const owner = { uid: 1234, gid: 4321, userName: 'x', groupName: 'y' };
    const own = path.join(scratch.folder, 'own');
    await restore(own, 'never', [file('suid', 'x', { owner, mode: 0o4755 }), [entryOf('symlink', 'link', { owner })]]);
    expect(statSync(path.join(own, 'suid')).uid).toBe(isRoot ? 1234 : process.getuid?.());
    expect(statSync(path.join(own, 'suid')).mode & 0o7777).toBe(isRoot ? 0o4755 : 0o755);
    expect(lstatSync(path.join(own, 'link')).uid).toBe(isRoot ? 1234 : process.getuid?.());
    const plain = path.join(scratch.folder, 'plain');
    const writer = TreeWriter.open({ destination: plain, overwrite: 'never', restoresOwners: false });
    const [entry, content] = file('suid', 'x', { owner, mode: 0o4755 });
    await put(writer, entry, content);
    await writer.finish();
    expect(statSync(path.join(plain, 'suid')).mode & 0o7777).toBe(0o755);
    expect(statSync(path.join(plain, 'suid')).uid).toBe(process.getuid?.());
  });

  it('refuses a destination that is a file', async () => {
    await using scratch = await scratchFolder();
    const to = path.join(scratch.folder, 'file');
    writeFileSync(to, '');
    expect(() => TreeWriter.open({ destination: to, overwrite: 'never' })).toThrow(
      expect.objectContaining({ code: 'restore.target' }),
    );
  });
});
