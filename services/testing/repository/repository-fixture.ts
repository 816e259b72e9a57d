// Owns the shared parts of the repository's tests: temporary folders, points made from entries, comparison of trees.
import { randomBytes } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodePooled, encodeNow } from './plain-blocks.ts';
import { blockIdOf } from '../../blocks/block.ts';
import { describeManifest } from '../../repository/points/manifest-chain.ts';
import { ManifestEncoder } from '../../repository/points/manifest.ts';
import { encodePointRoot } from '../../repository/points/point-root.ts';
import type { PointRoot } from '../../repository/points/point-root-fields.ts';
import type { TenantStore } from '../../repository/store/tenant-store.ts';
import type { ContentReference, ManifestItem, TreeEntry } from '../../repository/points/tree-entry.ts';

export async function scratchFolder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-repository-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function appendContent(store: TenantStore, content: Buffer): Promise<Buffer> {
  const block = encodeNow(content);
  await store.append([block]);
  return block.id;
}

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, userName: '', groupName: '' };

/** An entry with default values; `changes` has the values that the test is about. */
export function entryOf<K extends TreeEntry['kind']>(
  kind: K,
  entryPath: string | Buffer,
  changes: Partial<Omit<Extract<TreeEntry, { kind: K }>, 'kind' | 'path'>> = {},
): Extract<TreeEntry, { kind: K }> {
  const base = {
    path: Buffer.from(entryPath as string),
    mode: kind === 'folder' ? 0o755 : 0o644,
    owner,
    mtimeNs: 1_700_000_000_123_456_000n,
    isChangedWhileRead: false,
    isUnreadable: false,
    extendedAttributes: [],
  };
  const particular = {
    file: { sizeBytes: 0, content: [], isContinued: false },
    folder: {},
    symlink: { target: Buffer.from('target') },
    hardlink: { target: Buffer.from('target') },
    special: { special: 'fifo', deviceMajor: 0, deviceMinor: 0 },
  }[kind];
  return { kind, ...base, ...particular, ...changes } as unknown as Extract<TreeEntry, { kind: K }>;
}

export function rootOf(pointId: string, changes: Partial<PointRoot> = {}): PointRoot {
  return {
    pointId,
    jobId: '0b'.repeat(16),
    jobName: 'Documents',
    createdAtMs: 1_700_000_000_000,
    sourceHost: 'host',
    sourcePaths: ['/srv/documents'],
    state: 'complete',
    software: 'farkeep test',
    blockIdentifier: 'sha256',
    encryption: 'none',
    totals: new ManifestEncoder().totals,
    manifest: { level: 0, blocks: [{ id: '00'.repeat(32), lengthBytes: 1 }] },
    ...changes,
  };
}

/** Stores the manifest of `items` and commits a point with it. */
export async function commitItems(
  store: TenantStore,
  pointId: string,
  items: Iterable<ManifestItem>,
  changes: Partial<PointRoot> = {},
): Promise<PointRoot> {
  const encoder = new ManifestEncoder();
  const contents: Buffer[] = [];
  for (const item of items) contents.push(...encoder.add(item));
  contents.push(encoder.finish());
  const references: { id: Buffer; lengthBytes: number }[] = [];
  for (const content of contents)
    references.push({ id: await appendContent(store, content), lengthBytes: content.length });
  const { manifest, listBlocks } = describeManifest(references, blockIdOf);
  for (const { content } of listBlocks) await appendContent(store, content);
  const root = rootOf(pointId, { manifest, totals: encoder.totals, ...changes });
  await store.commitPoint({ pointId, root: encodePointRoot(root) });
  return root;
}

export function randomContent(length: number): Buffer {
  return randomBytes(length);
}

/** Manifest items of a folder on disk. Stores the content in pieces of 256 KiB. Replaces the mover's source in tests. */
export async function itemsOfFolder(store: TenantStore, folder: string): Promise<ManifestItem[]> {
  const items: ManifestItem[] = [];
  const walk = async (at: Buffer, relative: Buffer): Promise<void> => {
    const stat = await lstat(at, { bigint: true });
    const base = {
      mode: Number(stat.mode & 0o7777n),
      owner: { uid: Number(stat.uid), gid: Number(stat.gid), userName: '', groupName: '' },
      mtimeNs: stat.mtimeNs,
    };
    if (stat.isSymbolicLink()) {
      items.push({
        type: 'entry',
        entry: entryOf('symlink', relative, { ...base, target: await readlink(at, 'buffer') }),
      });
    } else if (stat.isFile()) {
      const bytes = await readFile(at);
      const content: ContentReference[] = [];
      for (let start = 0; start < bytes.length; start += 262_144) {
        const piece = bytes.subarray(start, start + 262_144);
        content.push({ id: await appendContent(store, piece), lengthBytes: piece.length });
      }
      items.push({ type: 'entry', entry: entryOf('file', relative, { ...base, sizeBytes: bytes.length, content }) });
    } else if (stat.isDirectory()) {
      items.push({ type: 'entry', entry: entryOf('folder', relative, base) });
      const names = await readdir(at, { encoding: 'buffer' });
      const slash = Buffer.from('/');
      for (const name of names.sort((left, right) => Buffer.compare(left, right))) {
        await walk(
          Buffer.concat([at, slash, name]),
          relative.length === 0 ? name : Buffer.concat([relative, slash, name]),
        );
      }
    }
  };
  await walk(Buffer.from(folder), Buffer.alloc(0));
  return items;
}

interface Described {
  readonly what: string;
  readonly mtimeNs: bigint;
}

async function describeFolder(folder: string): Promise<Map<string, Described>> {
  const found = new Map<string, Described>();
  const walk = async (at: Buffer): Promise<void> => {
    const stat = await lstat(at, { bigint: true });
    const content = stat.isFile()
      ? blockIdOf(await readFile(at)).toString('hex')
      : stat.isSymbolicLink()
        ? (await readlink(at, 'buffer')).toString('latin1')
        : '';
    const name = at.subarray(Buffer.byteLength(folder)).toString('latin1');
    found.set(name, { what: [stat.mode, stat.uid, stat.gid, content].join(' '), mtimeNs: stat.mtimeNs });
    if (!stat.isDirectory()) return;
    for (const child of await readdir(at, { encoding: 'buffer' }))
      await walk(Buffer.concat([at, Buffer.from('/'), child]));
  };
  await walk(Buffer.from(folder));
  return found;
}

/** Differences between two trees: names, kinds, contents, targets, modes, owners, times (with the precision of utimes). */
export async function differencesBetween(left: string, right: string): Promise<string[]> {
  const [a, b] = [await describeFolder(left), await describeFolder(right)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => {
    const [one, other] = [a.get(name), b.get(name)];
    if (one === undefined || other === undefined || one.what !== other.what) return true;
    const difference = one.mtimeNs - other.mtimeNs;
    return difference > 250n || difference < -250n;
  });
}

/** The content of a stored block, decoded and checked. */
export async function readContent(store: TenantStore, id: Buffer): Promise<Buffer> {
  return decodePooled(await store.read(id));
}
