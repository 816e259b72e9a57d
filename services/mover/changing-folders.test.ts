// Tests a backup of a real disk that changes during the walk and the reading: a file or folder is replaced between the `lstat` and the
// `open`. Runs with native calls and with /proc paths.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ContentReference } from '../repository/points/tree-entry.ts';
import { runLocalBackup, type SavedEntry } from '../testing/repository/local-backup.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { SourceEvent } from './link/local-link.ts';
import { createSourceDisk, type SourceDisk } from './source/walk/source-disk.ts';

const isLinux = process.platform === 'linux';
let folder: string;
let source: string;
let outside: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  source = path.join(folder, 'source');
  outside = path.join(folder, 'outside');
  mkdirSync(source);
  mkdirSync(outside);
});

afterEach(() => {
  delete process.env['FARKEEP_NATIVE'];
  delete process.env['FARKEEP_SOURCE_PATHS'];
});

const at = (...parts: string[]): string => path.join(source, ...parts);

type Moment = 'listed' | 'looked-at' | 'opened-folder' | 'opens' | 'read';

/** Returns a disk that reads the real disk, and runs `work` once at the given moment of the entry `name`. */
function disturbed(moment: Moment, name: string, work: () => void): SourceDisk {
  const disk = createSourceDisk();
  let isDone = false;
  const reach = (now: Moment, what: string): void => {
    if (isDone || now !== moment || what !== name) return;
    isDone = true;
    work();
  };
  const openNames = new Map<number, string>();
  return new Proxy(disk, {
    get(target, property: keyof SourceDisk) {
      switch (property) {
        case 'list':
          return (opened: Parameters<SourceDisk['list']>[0]) => {
            const names = target.list(opened);
            reach('listed', path.basename(opened.path));
            return names;
          };
        case 'stat':
          return (opened: Parameters<SourceDisk['stat']>[0], what: string) => {
            const stat = target.stat(opened, what);
            reach('looked-at', what);
            return stat;
          };
        case 'openFolder':
          return (opened: Parameters<SourceDisk['openFolder']>[0], what: string) => {
            const result = target.openFolder(opened, what);
            reach('opened-folder', what);
            return result;
          };
        case 'openFile':
          return (opened: Parameters<SourceDisk['openFile']>[0], what: string) => {
            reach('opens', what);
            const descriptor = target.openFile(opened, what);
            openNames.set(descriptor, what);
            return descriptor;
          };
        case 'openDirect':
          return (plain: number) => {
            const direct = target.openDirect(plain);
            if (direct !== undefined) openNames.set(direct, openNames.get(plain) ?? '');
            return direct;
          };
        case 'read':
          return (...parameters: Parameters<SourceDisk['read']>) => {
            const count = target.read(...parameters);
            reach('read', openNames.get(parameters[0]) ?? '');
            return count;
          };
        default:
          return target[property].bind(target);
      }
    },
  });
}

interface Saved {
  readonly entries: Map<string, SavedEntry>;
  readonly events: SourceEvent[];
}

const run = (disk: SourceDisk = createSourceDisk()): Promise<Saved> => runLocalBackup(disk, { sourcePaths: [source] });

const warningsOf = ({ events }: Saved): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.warning.code] : []));

function textOf({ entries }: Saved, name: string): string | undefined {
  const saved = entries.get(name);
  if (saved?.entry.kind === 'hardlink') return entries.get(saved.entry.target.toString())?.content.toString();
  return saved?.content.toString();
}

function piecesOf({ entries }: Saved, name: string): readonly ContentReference[] {
  const entry = entries.get(name)?.entry;
  return entry?.kind === 'file' ? entry.content : [];
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe.runIf(isLinux).each(['native calls', 'through /proc'])('a source that changes on disk, %s', (way) => {
  beforeEach(() => {
    if (way !== 'native calls') process.env['FARKEEP_NATIVE'] = 'off';
  });

  const replacements: Record<string, { readonly make: (file: string) => void; readonly kind: string | undefined }> = {
    nothing: { make: () => undefined, kind: undefined },
    'a private file': { make: (file) => writeFileSync(file, 'private', { mode: 0o600 }), kind: 'file' },
    'a link to a file outside': { make: (file) => symlinkSync(path.join(outside, 'secret'), file), kind: 'symlink' },
    'a pipe': { make: (file) => execFileSync('mkfifo', [file]), kind: 'special' },
    'a folder': {
      make: (file) => {
        mkdirSync(file);
        writeFileSync(path.join(file, 'in it'), 'later');
      },
      kind: 'folder',
    },
  };

  it.each(Object.keys(replacements))('a file is replaced by %s before it is read', async (what) => {
    writeFileSync(path.join(outside, 'secret'), 'secret');
    writeFileSync(at('file'), 'public');
    utimesSync(at('file'), 1_500_000_000, 1_500_000_000);
    const replacement = replacements[what];
    const before = openDescriptors();
    const saved = await run(
      disturbed('opens', 'file', () => {
        unlinkSync(at('file'));
        replacement?.make(at('file'));
      }),
    );
    const entry = saved.entries.get('file')?.entry;
    expect(entry?.kind).toBe(replacement?.kind);
    if (replacement?.kind === 'file') {
      expect(textOf(saved, 'file')).toBe('private');
      expect(entry).toMatchObject({ mode: 0o600, mtimeNs: statSync(at('file'), { bigint: true }).mtimeNs });
    }
    expect(warningsOf(saved)).toEqual(what === 'a folder' ? ['source.changed'] : []);
    expect(JSON.stringify([...saved.entries.values()].map(({ content }) => content.toString()))).not.toContain(
      'secret',
    );
    expect(openDescriptors()).toBe(before);
  });

  it.each<[Moment, string]>([
    ['looked-at', 'b'],
    ['opened-folder', 'b'],
    ['listed', 'b'],
    ['looked-at', 'file'],
    ['opens', 'file'],
  ])('a folder is replaced by a link to another place when its %s comes to "%s"', async (moment, name) => {
    mkdirSync(at('b', 'deep'), { recursive: true });
    mkdirSync(path.join(outside, 'deep'));
    for (const where of ['file', 'deep/inner']) {
      writeFileSync(at('b', where), 'inside');
      writeFileSync(path.join(outside, where), 'secret');
    }
    const saved = await run(
      disturbed(moment, name, () => {
        renameSync(at('b'), path.join(folder, 'away'));
        symlinkSync(outside, at('b'));
      }),
    );
    for (const { content } of saved.entries.values()) expect(content.toString()).not.toBe('secret');
    const kind = saved.entries.get('b')?.entry.kind;
    if (kind === 'symlink') expect([...saved.entries.keys()]).toEqual(['', 'b']);
    else expect(textOf(saved, 'b/deep/inner')).toBe('inside');
  });

  it('a folder becomes a file, a file becomes a folder, and a folder is replaced by another folder, all between listing and opening', async () => {
    for (const name of ['one', 'two']) mkdirSync(at(name));
    writeFileSync(at('one', 'x'), 'x');
    writeFileSync(at('three'), '3');
    mkdirSync(path.join(outside, 'new'));
    writeFileSync(path.join(outside, 'new', 'y'), 'y');
    const saved = await run(
      disturbed('listed', 'source', () => {
        rmSync(at('one'), { recursive: true });
        writeFileSync(at('one'), 'a file now');
        unlinkSync(at('three'));
        mkdirSync(at('three'));
        writeFileSync(at('three', 'z'), 'z');
        rmdirSync(at('two'));
        renameSync(path.join(outside, 'new'), at('two'));
      }),
    );
    expect([...saved.entries.keys()]).toEqual(['', 'one', 'three', 'three/z', 'two', 'two/y']);
    expect(textOf(saved, 'one')).toBe('a file now');
    expect(warningsOf(saved)).toEqual([]);
  });

  it('the source folder itself is replaced: the backup reads the folder that it had opened', async () => {
    writeFileSync(at('file'), 'mine');
    writeFileSync(path.join(outside, 'file'), 'secret');
    const saved = await run(
      disturbed('listed', 'source', () => {
        renameSync(source, path.join(folder, 'moved'));
        symlinkSync(outside, source);
      }),
    );
    expect(textOf(saved, 'file')).toBe('mine');
  });

  it('the first of several names of one file is replaced: the other names keep the old content', async () => {
    writeFileSync(at('h1'), 'old content');
    for (const name of ['h2', 'h3', 'h4']) linkSync(at('h1'), at(name));
    const saved = await run(
      disturbed('opens', 'h1', () => {
        writeFileSync(at('new'), 'NEW content');
        renameSync(at('new'), at('h1'));
      }),
    );
    expect(textOf(saved, 'h1')).toBe('NEW content');
    for (const name of ['h2', 'h3', 'h4']) expect(textOf(saved, name)).toBe('old content');
    expect(saved.entries.get('h4')?.entry.kind).toBe('hardlink');
  });

  it.each(['h1', 'h2'])('one name of a file is deleted (%s): the file is saved under the other name', async (name) => {
    writeFileSync(at('h1'), 'content');
    linkSync(at('h1'), at('h2'));
    const saved = await run(
      disturbed('opens', 'h1', () => {
        unlinkSync(at(name));
      }),
    );
    expect(textOf(saved, name === 'h1' ? 'h2' : 'h1')).toBe('content');
  });

  it('a new file reuses the inode number of a deleted file: the backup does not treat the two as one file', async () => {
    writeFileSync(at('a'), 'first');
    linkSync(at('a'), at('b'));
    const saved = await run(
      disturbed('listed', 'source', () => {
        for (const name of ['a', 'b']) unlinkSync(at(name));
        for (const name of ['a', 'b']) writeFileSync(at(name), `new ${name}`);
      }),
    );
    expect([textOf(saved, 'a'), textOf(saved, 'b')]).toEqual(['new a', 'new b']);
  });

  it('a file that changes while it is read is read again, and is marked if it changes each time', async () => {
    writeFileSync(at('file'), 'one');
    const once = await run(
      disturbed('read', 'file', () => {
        writeFileSync(at('file'), 'two, longer');
      }),
    );
    expect(textOf(once, 'file')).toBe('two, longer');
    expect(warningsOf(once)).toEqual([]);
    const disk = createSourceDisk();
    let round = 0;
    const busy = new Proxy(disk, {
      get: (target, property: keyof SourceDisk) =>
        property === 'read'
          ? (...parameters: Parameters<SourceDisk['read']>) => {
              writeFileSync(at('file'), `round ${(round += 1)}`);
              return target.read(...parameters);
            }
          : target[property].bind(target),
    });
    const always = await run(busy);
    expect(warningsOf(always)).toEqual(['source.changed']);
    expect(always.entries.get('file')?.entry.isChangedWhileRead).toBe(true);
  });

  it('files are renamed all the time: each saved file is complete, and no file stays open', async () => {
    for (let index = 0; index < 200; index += 1) writeFileSync(at(`f${index}`), `content ${index}`);
    let next = 0;
    const disk = createSourceDisk();
    const storm = new Proxy(disk, {
      get: (target, property: keyof SourceDisk) => {
        if (property === 'openFile' || property === 'stat') {
          next += 1;
          const [from, to] = [at(`f${(next * 7) % 200}`), at(`f${(next * 13) % 200}`)];
          if (existsSync(from)) renameSync(from, to);
        }
        return target[property].bind(target);
      },
    });
    const before = openDescriptors();
    const saved = await run(storm);
    for (const [name, { content }] of saved.entries)
      if (name !== '') expect(content.toString()).toMatch(/^content \d+$/);
    expect(warningsOf(saved)).toEqual([]);
    expect(openDescriptors()).toBe(before);
  });

  it('a path that is longer than the system allows', async () => {
    const name = 'n'.repeat(200);
    const depth = 30;
    execFileSync(
      'sh',
      ['-c', `i=0; while [ $i -lt ${depth} ]; do mkdir ${name}; cd -P ${name}; i=$((i+1)); done; echo deep > file`],
      {
        cwd: source,
      },
    );
    onTestFinished(() => {
      execFileSync('rm', ['-rf', name], { cwd: source });
    });
    const saved = await run();
    const deepest = `${Array.from({ length: depth }, () => name).join('/')}/file`;
    expect(textOf(saved, deepest)).toBe('deep\n');
    expect(warningsOf(saved)).toEqual([]);
  });

  it('holes stay holes, and data that is written into them during the read is saved', async () => {
    const sizeBytes = 64 * 1024 * 1024;
    const file = openSync(at('sparse'), constants.O_RDWR | constants.O_CREAT);
    ftruncateSync(file, sizeBytes);
    writeSync(file, 'begin', 0);
    writeSync(file, 'middle', 30_000_001);
    const plain = await run();
    expect(piecesOf(plain, 'sparse').map(({ id, lengthBytes }) => [id === null, lengthBytes])).toEqual([
      [false, 65_536],
      [true, 457 * 65_536 - 65_536],
      [false, 65_536],
      [true, sizeBytes - 458 * 65_536],
    ]);
    const changed = await run(
      disturbed('read', 'sparse', () => {
        writeSync(file, 'late', 50_000_000);
      }),
    );
    const bytes = changed.entries.get('sparse')?.content ?? Buffer.alloc(0);
    expect(bytes.length).toBe(sizeBytes);
    expect(bytes.toString('latin1', 50_000_000, 50_000_004)).toBe('late');
    expect(warningsOf(changed)).toEqual([]);
    closeSync(file);
  });
});

describe.runIf(isLinux)('a file that is nearly all holes', () => {
  it('of 15 TiB takes no longer than a file with its data alone', async () => {
    const sizeBytes = 15 * 2 ** 40;
    const file = openSync(at('lastlog'), 'w');
    ftruncateSync(file, sizeBytes);
    writeSync(file, 'data', 9_000_000_000_000);
    closeSync(file);
    const disk = createSourceDisk();
    const read = disk.read.bind(disk);
    let reads = 0;
    disk.read = (...parameters) => {
      reads += 1;
      // Without this limit, a backup that reads the whole file would run far longer than the test limit.
      if (reads > 100) throw new Error('Holes are read');
      return read(...parameters);
    };
    const pieces = piecesOf(await run(disk), 'lastlog');
    expect(pieces.filter(({ id }) => id !== null).map(({ lengthBytes }) => lengthBytes)).toEqual([65_536]);
    expect(pieces.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBe(sizeBytes);
  });
});

describe('on a disk without file handles, where only paths are known', () => {
  it('a source that does not change gives the same result both ways', async () => {
    mkdirSync(at('b'));
    writeFileSync(at('b', 'file'), 'text');
    symlinkSync('file', at('b', 'link'));
    linkSync(at('b', 'file'), at('b', 'second'));
    const usual = await run();
    process.env['FARKEEP_SOURCE_PATHS'] = 'on';
    const byPath = await run();
    expect([...byPath.entries]).toEqual([...usual.entries]);
  });
});
