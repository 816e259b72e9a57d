// A source that changes during walk and reading. Each saved entry must equal a real state at some moment, or be marked as changed.
// Unchanged entries must be present, and no entry may come from outside the source.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ChangingDisk,
  stateText,
  type Change,
  type Inode,
  type NodeKind,
} from '../testing/repository/changing-disk.ts';
import { runLocalBackup, type SavedBlocks, type SavedEntry } from '../testing/repository/local-backup.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { FileValues } from '../kernel/file-metadata.ts';
import { FileStat } from './source/walk/file-stat.ts';
import { LinkedFiles, type PlacedName, type ReadFile } from './source/backup/linked-files.ts';
import type { ScannedEntry } from './source/walk/tree-scanner.ts';

const linkedStat: FileValues = {
  mode: 0o100644,
  uid: 0,
  gid: 0,
  nlink: 9,
  sizeBytes: 5,
  blocks: 8,
  ino: 77n,
  dev: 1,
  rdev: 0,
  mtimeNs: 5n,
  ctimeNs: 5n,
  attributes: 0,
};
const names = ['a', 'b', 'c', 'd'];

/** All folders that can be reached from this one, including itself. */
function foldersOf(folder: Inode, found = new Set<Inode>()): Inode[] {
  if (!found.has(folder)) {
    found.add(folder);
    for (const entry of folder.entries.values()) if (entry.kind === 'folder') foldersOf(entry, found);
  }
  return [...found];
}

const place = fc.record({ isOutside: fc.boolean(), folder: fc.nat(20), name: fc.constantFrom(...names) });
type Place = (typeof place extends fc.Arbitrary<infer T> ? T : never) & { readonly isOutside: boolean };

const step = fc.record({
  kind: fc.constantFrom(
    ...(['write', 'write', 'write-back', 'chmod', 'chown', 'unlink', 'file', 'replace', 'replace', 'mkdir'] as const),
    ...(['symlink', 'fifo', 'link', 'link', 'rename', 'rename', 'swap-for-link'] as const),
  ),
  at: place,
  other: place,
  text: fc.constantFrom('', 'x', 'some text', 'a text of more pieces'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let serial = 0;

function apply(disk: ChangingDisk, { kind, at, other, text }: Step): void {
  const folderAt = ({ isOutside, folder }: Place): Inode => {
    const all = foldersOf(isOutside && kind !== 'write' ? disk.outside : disk.source);
    return all[folder % all.length] ?? disk.source;
  };
  const folder = folderAt(kind === 'rename' || kind === 'link' ? at : { ...at, isOutside: false });
  const target = folder.entries.get(at.name);
  const make = (made: NodeKind, content: string): void => {
    if (target === undefined) disk.put(folder, at.name, disk.make(made, content, made === 'folder' ? 0o755 : 0o644));
  };
  serial += 1;
  switch (kind) {
    case 'write':
    case 'write-back':
      if (target?.kind !== 'file') return;
      target.content = text === '' ? '' : `${text} ${serial}`;
      // Editors and rsync set the mtime back; the ctime still shows the change.
      if (kind === 'write') target.mtimeNs = disk.tick();
      disk.touched(target);
      return;
    case 'chmod':
    case 'chown':
      if (target === undefined || target.kind === 'symlink') return;
      if (kind === 'chmod') target.mode ^= 0o044;
      else target.uid ^= 1;
      disk.touched(target);
      return;
    case 'unlink':
      if (target !== undefined && target.entries.size === 0) disk.unlink(folder, at.name);
      return;
    case 'file':
      make('file', text === '' ? '' : `${text} ${serial}`);
      return;
    case 'replace': {
      if (target?.kind === 'folder') return;
      const made = disk.make('file', text === '' ? '' : `${text} ${serial}`, 0o600);
      disk.put(folder, at.name, made);
      return;
    }
    case 'mkdir':
      make('folder', '');
      return;
    case 'symlink':
      make('symlink', `/outside/${serial}`);
      return;
    case 'fifo':
      make('fifo', '');
      return;
    case 'link': {
      const into = folderAt({ ...other, isOutside: false });
      if (target?.kind !== 'file' || into.entries.has(other.name)) return;
      target.nlink += 1;
      disk.touched(target);
      disk.put(into, other.name, target);
      return;
    }
    case 'rename': {
      const into = folderAt(other);
      const before = into.entries.get(other.name);
      if (target === undefined || before === target || before?.kind === 'folder') return;
      if (target.kind === 'folder' && foldersOf(target).includes(into)) return;
      if (folder === into && at.name === other.name) return;
      disk.remove(folder, at.name);
      disk.put(into, other.name, target);
      disk.touched(target);
      return;
    }
    case 'swap-for-link': {
      if (target?.kind !== 'folder') return;
      disk.remove(folder, at.name);
      disk.put(disk.outside, `taken ${serial}`, target);
      disk.put(folder, at.name, disk.make('symlink', '/outside', 0o777));
    }
  }
}

function build(pieceBytes: number, steps: readonly Step[]): ChangingDisk {
  const disk = new ChangingDisk(pieceBytes);
  const linked = disk.make('file', 'one file, two names', 0o644);
  linked.nlink = 2;
  disk.put(disk.source, 'h1', linked);
  disk.put(disk.source, 'h2', linked);
  const deep = disk.make('folder', '', 0o755);
  disk.put(disk.source, 'b', deep);
  for (const [folder, name, content] of [
    [deep, 'a', 'deep inside'],
    [disk.source, 'z', 'public'],
    [disk.outside, 'a', 'secret of somebody else'],
    [disk.outside, 'h2', 'secret of somebody else, too'],
  ] as const)
    disk.put(folder, name, disk.make('file', content, 0o644));
  for (const item of steps) apply(disk, item);
  return disk;
}

/** Every inode that ever had this path. Each folder is followed by inode, even after a move. */
function everAt(disk: ChangingDisk, parts: readonly string[]): Inode[] {
  let folders = [disk.source];
  let found: Inode[] = [disk.source];
  for (const part of parts) {
    found = folders.flatMap((folder) => [...(folder.everEntries.get(part) ?? [])]);
    folders = found.filter(({ kind }) => kind === 'folder');
  }
  return found;
}

/** Paths that belonged to the same inode during the whole run. */
function stablePaths(folder: Inode, above: string, before: ReadonlyMap<Inode, ReadonlyMap<string, Inode>>): string[] {
  const stable: string[] = [];
  for (const [name, inode] of before.get(folder) ?? []) {
    const ever = folder.everEntries.get(name);
    if (folder.entries.get(name) !== inode || ever?.size !== 1 || folder.everGone.has(name)) continue;
    const where = above === '' ? name : `${above}/${name}`;
    stable.push(where);
    if (inode.kind === 'folder') stable.push(...stablePaths(inode, where, before));
  }
  return stable;
}

function savedState({ entry, content }: SavedEntry, entries: ReadonlyMap<string, SavedEntry>): string | undefined {
  const { mode, owner, mtimeNs } = entry;
  const text = (kind: NodeKind, what: string): string => stateText(kind, mode, owner.uid, mtimeNs, what);
  switch (entry.kind) {
    case 'file':
      return entry.isChangedWhileRead || entry.isUnreadable ? undefined : text('file', content.toString('latin1'));
    case 'folder':
      return text('folder', '');
    case 'symlink':
      return text('symlink', entry.target.toString('latin1'));
    case 'special':
      return text('fifo', '');
    case 'hardlink': {
      const target = entries.get(entry.target.toString('latin1'));
      // A restore makes one file with both names and with the metadata of the first name.
      return target === undefined ? 'a link to nothing' : savedState(target, entries);
    }
  }
}

function check(
  disk: ChangingDisk,
  entries: ReadonlyMap<string, SavedEntry>,
  before: ReadonlyMap<Inode, ReadonlyMap<string, Inode>>,
): void {
  for (const [where, saved] of entries) {
    const state = savedState(saved, entries);
    if (state === undefined) continue;
    const ever = everAt(disk, where === '' ? [] : where.split('/'));
    if (!ever.some(({ history }) => history.has(state)))
      throw new Error(
        `"${where}" was never so: ${state}; it was ${ever.flatMap(({ history }) => [...history]).join(' | ')}`,
      );
  }
  for (const where of stablePaths(disk.source, '', before))
    if (!entries.has(where)) throw new Error(`"${where}" was there all the time, and is missing`);
}

/** Starts a run: states from before the run no longer count as valid. */
function beginRun(disk: ChangingDisk): Map<Inode, ReadonlyMap<string, Inode>> {
  const before = new Map<Inode, ReadonlyMap<string, Inode>>();
  for (const folder of [...foldersOf(disk.source), ...foldersOf(disk.outside)]) {
    before.set(folder, new Map(folder.entries));
    folder.everEntries.clear();
    folder.everGone.clear();
    for (const inode of [folder, ...folder.entries.values()]) {
      inode.history.clear();
      inode.history.add(inode.state);
    }
    for (const [name, inode] of folder.entries) folder.everEntries.set(name, new Set([inode]));
  }
  return before;
}

const scheduled = fc.array(fc.record({ at: fc.integer({ min: 1, max: 70 }), step }), { maxLength: 25 });
const changesOf = (list: readonly { readonly at: number; readonly step: Step }[]): { at: number; change: Change }[] =>
  list.map(({ at, step: item }) => ({
    at,
    change: (disk) => {
      apply(disk, item);
    },
  }));

describe('a backup of a source that changes', () => {
  it('saves each entry as it was at some moment, or marks it, and saves every entry that did not change', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        scheduled,
        fc.constantFrom(3, 100),
        async (first, list, piece) => {
          const disk = build(piece, first);
          const before = beginRun(disk);
          disk.schedule(changesOf(list));
          const { entries } = await runLocalBackup(disk);
          check(disk, entries, before);
          expect(disk.openCount).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  }, 120_000);

  it('does the same in the next run, which reads only the changed files', async () => {
    const folder = await makeTemporaryFolder();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), scheduled, scheduled, async (first, list, later) => {
        const disk = build(100, first);
        const fileCachePath = path.join(folder, `${randomUUID()}.sqlite`);
        const blocks: SavedBlocks = new Map();
        beginRun(disk);
        disk.schedule(changesOf(list));
        await runLocalBackup(disk, { fileCachePath }, blocks);
        const before = beginRun(disk);
        disk.schedule(changesOf(later));
        const { entries } = await runLocalBackup(disk, { fileCachePath }, blocks);
        check(disk, entries, before);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('saves a file with several names under each name, also when the first name is replaced before the read', async () => {
    const disk = build(100, []);
    const before = beginRun(disk);
    // After the walk (which lists the folders and reads the metadata of each name) and before the first read.
    disk.schedule([
      {
        at: 12,
        change: (changed) => {
          changed.put(changed.source, 'h1', changed.make('file', 'NEW content', 0o600));
        },
      },
    ]);
    const { entries } = await runLocalBackup(disk);
    check(disk, entries, before);
    expect(entries.get('h1')?.content.toString()).toBe('NEW content');
    expect(entries.get('h1')?.entry.mode).toBe(0o600);
    expect(entries.get('h2')?.content.toString()).toBe('one file, two names');
  });

  it('treats several names as one file while nothing changes', async () => {
    const { entries } = await runLocalBackup(build(100, []));
    expect(entries.get('h2')?.entry).toMatchObject({ kind: 'hardlink', target: Buffer.from('h1') });
  });

  it('does not treat two files as one when the second has the inode number of a deleted first one', () => {
    const stat = (change: Partial<FileValues>): FileStat => FileStat.of({ ...linkedStat, ...change });
    const read = (now: FileStat, text: string): ReadFile => {
      const content = Buffer.from(text);
      return { stat: now, content, sizeBytes: now.sizeBytes, isChanged: false, isSettled: true };
    };
    const done: string[] = [];
    const links = new LinkedFiles({
      onRead: ({ index }) => done.push(`read ${index}`),
      onLink: ({ index }, target) => done.push(`link ${index} to ${target}`),
    });
    const named = (index: number, now: FileStat): PlacedName => ({
      index,
      entry: { treePath: `name ${index}`, stat: now } as ScannedEntry,
    });
    const first = named(0, stat({}));
    expect(links.meet(first)).toBe(true);
    expect(links.meet(named(1, stat({})))).toBe(false);
    expect(links.meet(named(2, stat({ ctimeNs: 6n })))).toBe(false);
    expect(links.read(first, read(stat({}), 'one'))).toBeUndefined();
    expect(done.splice(0)).toEqual(['link 1 to name 0', 'read 2']);
    // A different file has reused the inode number of the first file.
    expect(links.read(named(2, stat({ ctimeNs: 6n })), read(stat({ ctimeNs: 6n }), 'other'))).toBeUndefined();
    expect(links.meet(named(3, stat({ ctimeNs: 6n })))).toBe(false);
    expect(done.splice(0)).toEqual(['link 3 to name 2']);
    // The same file gets one more name. The file is read again, and its content is found equal.
    expect(links.meet(named(4, stat({ ctimeNs: 7n })))).toBe(false);
    expect(done.splice(0)).toEqual(['read 4']);
    expect(links.read(named(4, stat({ ctimeNs: 7n })), read(stat({ ctimeNs: 7n }), 'other'))).toBe('name 2');
    // A hard link in a restore point can only refer to a name before it in the order of the tree.
    expect(links.read(named(1, stat({ ctimeNs: 7n })), read(stat({ ctimeNs: 7n }), 'other'))).toBeUndefined();
    // The file was read so soon after its change that a further change could leave the same time stamp. Equal metadata alone must not make
    // a later name a link to it.
    expect(links.meet(named(5, stat({ ino: 78n })))).toBe(true);
    expect(links.meet(named(6, stat({ ino: 78n })))).toBe(false);
    links.read(named(5, stat({ ino: 78n })), { ...read(stat({ ino: 78n }), 'fresh'), isSettled: false });
    expect(done.splice(0)).toEqual(['read 6']);
    expect(links.read(named(6, stat({ ino: 78n })), read(stat({ ino: 78n }), 'fresh'))).toBe('name 5');
  });

  it('warns about each entry that a manifest cannot hold, and saves the others', async () => {
    const disk = build(100, []);
    const put = (name: string): Inode => {
      const inode = disk.make('file', name, 0o644);
      disk.put(disk.source, name, inode);
      return inode;
    };
    put('late').mtimeNs = 2n ** 41n * 1_000_000_000n;
    put('early').mtimeNs = -(2n ** 62n);
    // Some file systems store dates after the year 2262, which do not fit into 64 bits of nanoseconds.
    put('future').mtimeNs = 2n ** 65n + 7n;
    put('large').claimedBytes = 2 ** 60;
    const unusual = put('nobody');
    unusual.uid = 0xffff_ffff;
    unusual.attributes = 0x10;
    const { entries, events } = await runLocalBackup(disk);
    const warned = events.flatMap((event) => (event.type === 'warning' ? [event.warning] : []));
    expect(warned.map((warning) => warning.path).sort()).toEqual(['source/large', 'source/late']);
    expect(entries.get('late')).toMatchObject({ entry: { mtimeNs: 0n }, content: Buffer.from('late') });
    expect(entries.get('early')?.entry.mtimeNs).toBe(-(2n ** 62n));
    expect(entries.get('future')?.entry.mtimeNs).toBe(2n ** 65n + 7n);
    expect(entries.get('nobody')?.entry.owner.uid).toBe(0xffff_ffff);
    expect(entries.has('large')).toBe(false);
    expect(entries.get('z')?.content.toString()).toBe('public');
    expect(events.flatMap((event) => (event.type === 'remark' ? [event.text] : []))).toEqual([
      'The flags "immutable" and "append only" (chattr) are not saved; 1 entry, first source/nobody',
    ]);
  });

  it('walks a deep tree to its end and back with few folders open at a time', async () => {
    const disk = new ChangingDisk(100);
    let folder = disk.source;
    for (let depth = 0; depth < 600; depth += 1) {
      disk.put(folder, 'z', disk.make('file', `depth ${depth}`, 0o644));
      const next = disk.make('folder', '', 0o755);
      disk.put(folder, 'm', next);
      folder = next;
    }
    const { entries } = await runLocalBackup(disk);
    expect([...entries.keys()].filter((name) => name.endsWith('z'))).toHaveLength(600);
    // Open folders: those from the source to the position of the walk, and those of files that wait to be read.
    expect(disk.maxOpen).toBeLessThan(650);
    expect(disk.openCount).toBe(0);
  });
});
