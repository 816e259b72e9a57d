import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { entryOf, scratchFolder } from '../testing/repository/repository-fixture.ts';
import { blockIdOf } from '../blocks/block.ts';
import type { PlaceableFile } from './restore/file-sink.ts';
import { placeSmallFile } from './restore/small-file.ts';
import { temporaryName } from './restore/temporary-name.ts';
import type { FileEntry, FolderEntry, TreeEntry } from './points/tree-entry.ts';
import { TreeWriter, type OverwriteRule, type RestoreResult } from './restore/tree-writer.ts';

const isRoot = process.getuid?.() === 0;
const ownerIds = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

interface Planned {
  readonly entry: TreeEntry;
  /** Content of the file, in the pieces in which it arrives. */
  readonly pieces: readonly Buffer[];
}

const pieceSizes: Record<string, readonly number[]> = {
  one: [700],
  empty: [],
  pieces: [1000, 2000, 3000],
  block: [400_000],
  large: [700_000, 700_000],
};

function plan(name: string, kind: string, variant: number): Planned {
  const mtimeNs = 1_500_000_000_000_000_000n + BigInt(variant) * 1_000_000_007n;
  const owner = isRoot
    ? { uid: variant % 3, gid: variant % 5, userName: '', groupName: '' }
    : { ...ownerIds, userName: '', groupName: '' };
  const common = { mtimeNs, owner };
  if (kind === 'folder')
    return { entry: entryOf('folder', name, { ...common, mode: 0o700 | (variant % 64) }), pieces: [] };
  if (kind === 'symlink')
    return { entry: entryOf('symlink', name, { ...common, target: Buffer.from(`t${variant}`) }), pieces: [] };
  if (kind.startsWith('/'))
    return { entry: entryOf('hardlink', name, { ...common, target: Buffer.from(kind.slice(1)) }), pieces: [] };
  const pieces = (pieceSizes[kind] ?? []).map((size, index) => Buffer.alloc(size, `${name}${variant}${index}`));
  return {
    entry: entryOf('file', name, {
      ...common,
      mode: 0o600 | (variant % 64),
      sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0),
      content: pieces.map((piece) => ({ id: blockIdOf(piece), lengthBytes: piece.length })),
    }),
    pieces,
  };
}

/** Paths and kinds of the entries, in tree order. */
const shape: readonly (readonly [string, string])[] = [
  ['', 'folder'],
  ['a', 'one'],
  ['b', 'large'],
  ['d', 'folder'],
  ['d/1', 'one'],
  ['d/2', 'pieces'],
  ['d/e', 'folder'],
  ['d/e/f', 'folder'],
  ['d/e/f/1', 'block'],
  ['d/e/f/2', 'empty'],
  ['d/e/s', 'symlink'],
  ['d/g', 'large'],
  ['d/h', '/d/1'],
  ['h', '/d/g'],
  ['z', 'folder'],
  ['z/last', 'one'],
];

type Cut = 'lost-line' | 'killed' | 'full-disk';
interface Attempt {
  readonly at: number;
  readonly cut: Cut;
  readonly rule: OverwriteRule;
  /** Whether the content of this file arrives so late that the file is unfinished at the interruption. */
  readonly isSlow: boolean;
}

/** Leaves a partial file, as a thread that was stopped during a write. */
function leaveHalf(sink: PlaceableFile): void {
  const small = sink.smallFile;
  if (small === undefined) return;
  const name = small.isHidden ? small.name : temporaryName();
  writeFileSync(Buffer.concat([small.folder, Buffer.from('/'), name]), 'half', { mode: 0o600, flag: 'wx' });
}

async function give(sink: PlaceableFile, pieces: readonly Buffer[]): Promise<void> {
  const small = sink.smallFile;
  if (small !== undefined) {
    try {
      sink.placed(placeSmallFile(small, pieces));
    } catch (error) {
      await sink.fail(error);
    }
    return;
  }
  for (const piece of pieces) await sink.write(Buffer.from(piece));
  await sink.finish();
}

async function sinkOf(writer: TreeWriter, entry: TreeEntry): Promise<PlaceableFile | undefined> {
  const begun = await writer.begin(entry);
  if (begun === undefined) return undefined;
  if ('sink' in begun) return begun.sink;
  throw new Error('These files come in one piece');
}

async function attempt(to: string, entries: readonly Planned[], { at, cut, rule, isSlow }: Attempt): Promise<void> {
  const writer = TreeWriter.open({ destination: to, overwrite: rule });
  const underWay: { readonly sink: PlaceableFile; readonly pieces: readonly Buffer[] }[] = [];
  for (const { entry, pieces } of entries.slice(0, at)) {
    const sink = await sinkOf(writer, entry);
    if (sink === undefined) continue;
    if (isSlow && underWay.length < 3) underWay.push({ sink, pieces });
    else await give(sink, pieces);
  }
  for (const [index, { sink, pieces }] of underWay.entries()) {
    if (sink.smallFile === undefined) {
      for (const piece of pieces) await sink.write(Buffer.from(piece));
      // The restore fails while the file is being renamed into its place.
      if (cut === 'lost-line' && index % 2 === 0) void sink.finish();
    } else if (cut !== 'full-disk') leaveHalf(sink);
    if (cut === 'full-disk') await sink.fail(new FarkeepError('storage.disk-full'));
  }
  if (cut === 'killed') {
    // Copies the disk at this moment, because this process ends in order and would change the folder afterwards.
    const copy = `${to}-copy`;
    execFileSync('cp', ['-a', to, copy]);
    await writer.finish(false);
    rmSync(to, { recursive: true });
    renameSync(copy, to);
  } else await writer.finish(false);
  // Each attempt must look like the work of a separate process.
  asOfADeadProcess(to);
}

/** Renames temporary files to a process number that does not exist. */
function asOfADeadProcess(folder: string): void {
  for (const name of readdirSync(folder)) {
    const dead = name.replace(/^(\.farkeep-[0-9a-f]{16}-)[0-9a-f]+-/, '$17ffffffe-');
    if (dead !== name) renameSync(path.join(folder, name), path.join(folder, dead));
    if (lstatSync(path.join(folder, dead)).isDirectory()) asOfADeadProcess(path.join(folder, dead));
  }
}

async function wholeRestore(to: string, entries: readonly Planned[], rule: OverwriteRule): Promise<RestoreResult> {
  const writer = TreeWriter.open({ destination: to, overwrite: rule });
  for (const { entry, pieces } of entries) {
    const sink = await sinkOf(writer, entry);
    if (sink !== undefined) await give(sink, pieces);
  }
  return writer.finish();
}

/** Returns all differences between the disk and the entries, by path. */
function wrongIn(to: string, entries: readonly Planned[]): string[] {
  const wrong: string[] = [];
  for (const { entry, pieces } of entries) {
    const name = entry.path.toString();
    const place = path.join(to, name);
    const found = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) {
      wrong.push(`${name}: missing`);
      continue;
    }
    const isKind = { file: found.isFile(), folder: found.isDirectory(), symlink: found.isSymbolicLink() };
    if (!isKind[entry.kind === 'hardlink' ? 'file' : (entry.kind as keyof typeof isKind)]) {
      wrong.push(`${name}: something else`);
      continue;
    }
    if (entry.kind === 'hardlink') {
      const target = lstatSync(path.join(to, entry.target.toString()), { bigint: true, throwIfNoEntry: false });
      if (target?.ino !== found.ino) wrong.push(`${name}: not linked`);
      continue;
    }
    if (found.mtimeNs !== entry.mtimeNs) wrong.push(`${name}: time ${found.mtimeNs} ${entry.mtimeNs}`);
    if (Number(found.uid) !== entry.owner.uid || Number(found.gid) !== entry.owner.gid) wrong.push(`${name}: owner`);
    if (entry.kind === 'symlink') {
      if (readlinkSync(place) !== entry.target.toString()) wrong.push(`${name}: target`);
    } else if ((Number(found.mode) & 0o7777) !== entry.mode) wrong.push(`${name}: mode`);
    if (entry.kind === 'file' && !readFileSync(place).equals(Buffer.concat(pieces))) wrong.push(`${name}: content`);
  }
  const names = readdirSync(to, { recursive: true, encoding: 'utf8' });
  return [...wrong, ...names.filter((name) => name.includes('.farkeep-'))];
}

const attempts = fc.array(
  fc.record({
    at: fc.nat({ max: shape.length }),
    cut: fc.constantFrom<Cut[]>('lost-line', 'killed', 'full-disk'),
    rule: fc.constantFrom<OverwriteRule[]>('never', 'older', 'always'),
    isSlow: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
);
const variants = fc.array(fc.nat({ max: 63 }), { minLength: shape.length, maxLength: shape.length });

describe('a restore after any sequence of interrupted attempts', () => {
  it('restores all entries correctly, also the top folder that it made, and leaves no temporary files', async () => {
    await fc.assert(
      fc.asyncProperty(
        variants,
        attempts,
        fc.constantFrom<OverwriteRule[]>('never', 'older', 'always'),
        async (variant, cuts, rule) => {
          await using scratch = await scratchFolder();
          const to = path.join(scratch.folder, 'new', 'place');
          const entries = shape.map(([name, kind], index) => plan(name, kind, variant[index] ?? 0));
          for (const each of cuts) await attempt(to, entries, each);
          const result = await wholeRestore(to, entries, rule);
          expect(wrongIn(to, entries)).toEqual([]);
          expect(result.problems).toEqual([]);
          // A repeated restore skips all files.
          const again = await wholeRestore(to, entries, rule);
          expect(wrongIn(to, entries)).toEqual([]);
          expect(again.counts).toMatchObject({ files: 0, symlinks: 0, hardLinks: 0, failed: 0 });
        },
      ),
      // Reports the first counterexample: shrinking would take longer than the test's time limit.
      { numRuns: 12, endOnFailure: true },
    );
  }, 240_000);

  it('restores or reports each entry in a folder with existing files', async () => {
    const standing = fc.array(fc.constantFrom('', 'content', 'mode', 'link', 'folder'), {
      minLength: shape.length,
      maxLength: shape.length,
    });
    await fc.assert(
      fc.asyncProperty(
        variants,
        standing,
        attempts,
        fc.constantFrom<OverwriteRule[]>('never', 'always'),
        async (variant, before, cuts, rule) => {
          await using scratch = await scratchFolder();
          const to = path.join(scratch.folder, 'to');
          mkdirSync(to);
          const [, ...entries] = shape.map(([name, kind], index) => plan(name, kind, variant[index] ?? 0));
          for (const [index, { entry, pieces }] of entries.entries()) stand(to, entry, pieces, before[index] ?? '');
          for (const each of cuts) await attempt(to, entries, each);
          const result = await wholeRestore(to, entries, rule);
          const wrong = new Set(wrongIn(to, entries).map((text) => text.split(':')[0] ?? ''));
          for (const { path: name, group } of result.problems)
            for (const each of group?.firstPaths ?? [name]) wrong.delete(each.toString());
          // A grouped problem names three entries and counts the rest. Entries below a folder that cannot be opened are not reported again.
          const further = result.problems.reduce((sum, { group }) => sum + Math.max(0, (group?.count ?? 0) - 3), 0);
          const lost = result.problems
            .filter(({ isRestored }) => !isRestored)
            .map(({ path: name }) => `${name.toString()}/`);
          const unnamed = [...wrong].filter((name) => !lost.some((folder) => name.startsWith(folder)));
          expect(unnamed.length, unnamed.join()).toBeLessThanOrEqual(further);
        },
      ),
      // Reports the first counterexample: shrinking would take longer than the test's time limit.
      { numRuns: 12, endOnFailure: true },
    );
  }, 240_000);
});

/** Places a different entry at the path of this entry, and makes missing parent folders. */
function stand(to: string, entry: TreeEntry, pieces: readonly Buffer[], what: string): void {
  const place = path.join(to, entry.path.toString());
  if (what === '' || lstatSync(path.dirname(place), { throwIfNoEntry: false })?.isDirectory() !== true) return;
  if (what === 'link') symlinkSync('elsewhere', place);
  else if (what === 'folder' || entry.kind === 'folder') mkdirSync(place);
  else if (entry.kind === 'file') {
    writeFileSync(
      place,
      what === 'content' ? Buffer.alloc((entry satisfies FileEntry).sizeBytes, 'x') : Buffer.concat(pieces),
    );
    chmodSync(place, 0o666);
  }
}

const folderOf = (name: string, mode: number): Planned => {
  const { entry } = plan(name, 'folder', 7);
  return { entry: { ...(entry as FolderEntry), mode }, pieces: [] };
};

/** All entries must be correct when the restore returns, not some turns of the event loop later. */
function expectRight(to: string, entries: readonly Planned[]): void {
  expect(wrongIn(to, entries)).toEqual([]);
}

describe('a file whose restore is canceled while the file is renamed into its place', () => {
  const placing = async (
    to: string,
    giveUp: (writer: TreeWriter, sink: PlaceableFile) => Promise<unknown>,
  ): Promise<{ readonly file: Planned; readonly writer: TreeWriter; readonly found: unknown }> => {
    const file = plan('d/g', 'large', 9);
    const writer = TreeWriter.open({ destination: to, overwrite: 'always' });
    const sink = await sinkOf(writer, file.entry);
    if (sink === undefined) throw new Error('It is wanted');
    for (const piece of file.pieces) await sink.write(Buffer.from(piece));
    const placed = sink.finish();
    await giveUp(writer, sink);
    const found = readdirSync(to, { recursive: true }).sort();
    const { files } = writer.counts;
    // All work must have ended before the temporary folder is deleted.
    await placed;
    expect(files).toBe(1);
    return { file, writer, found };
  };

  it('is complete, without temporary files, when its end is reported', async () => {
    await using scratch = await scratchFolder();
    const { file, writer } = await placing(scratch.folder, (_writer, sink) => sink.fail(new Error('too late')));
    const standing = path.join(scratch.folder, 'd', 'g');
    // Before the end of the restore the folder is still hidden, so only the counts show the result.
    expect(writer.counts).toMatchObject({ files: 1, failed: 0 });
    expect((await writer.finish()).problems).toEqual([]);
    expect(readFileSync(standing).equals(Buffer.concat(file.pieces))).toBe(true);
    expectRight(scratch.folder, [file]);
  });

  it('is complete, without temporary files, when the restore has ended', async () => {
    await using scratch = await scratchFolder();
    const { file, writer, found } = await placing(scratch.folder, (restore) => restore.finish(false));
    expect(found).toEqual(['d', path.join('d', 'g')]);
    expect(writer.counts).toMatchObject({ files: 1, failed: 0 });
    expectRight(scratch.folder, [file]);
  });
});

describe('a metadata step that fails', () => {
  it.each(['one', 'pieces', 'large'])('is reported with the name of its file: %s', async (kind) => {
    await using scratch = await scratchFolder();
    const { entry, pieces } = plan('file', kind, 3);
    // Without root, this account cannot give a file to another user.
    const foreign = { ...(entry as FileEntry), owner: { ...entry.owner, uid: 54_321 } };
    const writer = TreeWriter.open({ destination: scratch.folder, overwrite: 'never', restoresOwners: false });
    const sink = await sinkOf(writer, foreign);
    if (sink !== undefined) await give(sink, pieces);
    const { remarks, counts } = await writer.finish();
    expect(counts).toMatchObject({ files: 1, failed: 0 });
    expect(remarks).toMatchObject([{ text: expect.stringContaining('owner') as string, count: 1 }]);
  });
});

describe('a file or folder of an earlier attempt', () => {
  it.each(['one', 'pieces', 'large'])('with correct content gets its mode, time and owner: %s', async (kind) => {
    await using scratch = await scratchFolder();
    const file = plan('file', kind, 5);
    for (const rule of ['never', 'older', 'always'] as const) {
      const place = path.join(scratch.folder, 'file');
      writeFileSync(place, Buffer.concat(file.pieces));
      chmodSync(place, 0o666);
      const { counts, problems } = await wholeRestore(scratch.folder, [file], rule);
      expect(counts).toMatchObject({ files: 0, skipped: 1 });
      expect(problems).toEqual([]);
      expectRight(scratch.folder, [file]);
      rmSync(place);
    }
  });

  it('that is a folder gets its mode and time at the end, also the top folder', async () => {
    await using scratch = await scratchFolder();
    const to = path.join(scratch.folder, 'new');
    const entries = [
      folderOf('', 0o710),
      folderOf('d', 0o750),
      folderOf('d/e', 0o705),
      plan('d/e/f', 'one', 1),
      plan('d/z', 'one', 2),
    ];
    await attempt(to, entries, { at: 4, cut: 'lost-line', rule: 'never', isSlow: false });
    for (const folder of ['d/e', 'd']) chmodSync(path.join(to, folder), 0o777);
    const { problems } = await wholeRestore(to, entries, 'never');
    expect(problems).toEqual([]);
    expectRight(to, entries);
  });
});

describe('a temporary name', () => {
  it('of a living process is kept, and so is a name that only looks similar', async () => {
    await using scratch = await scratchFolder();
    const living = temporaryName().toString();
    for (const name of [living, '.farkeep-000000000000.part']) writeFileSync(path.join(scratch.folder, name), 'x');
    await wholeRestore(scratch.folder, [], 'never');
    expect(readdirSync(scratch.folder).sort()).toEqual([living, '.farkeep-000000000000.part'].sort());
    asOfADeadProcess(scratch.folder);
    await wholeRestore(scratch.folder, [], 'never');
    expect(readdirSync(scratch.folder)).toEqual(['.farkeep-000000000000.part']);
    rmSync(scratch.folder, { recursive: true });
    mkdirSync(scratch.folder);
  });
});
