// Owns what the tests of this folder share: scratch folders, points made from entries. Not used by the product.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { blockIdOf, encodeBlock } from './block-content.ts';
import { describeManifest } from './manifest-chain.ts';
import { ManifestEncoder } from './manifest.ts';
import { encodePointRoot, type PointRoot } from './point-root.ts';
import type { TenantStore } from './tenant-store.ts';
import type { ManifestItem, TreeEntry } from './tree-entry.ts';

export async function scratchFolder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-repository-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function appendContent(store: TenantStore, content: Buffer): Promise<Buffer> {
  const block = await encodeBlock(content);
  await store.appendBlock(block);
  return block.id;
}

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, userName: '', groupName: '' };

/** An entry with everything at its plainest; `changes` says what the test is about. */
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
    jobId: 'job-1',
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
  const root = rootOf(pointId, { manifest, totals: encoder.totals });
  await store.commitPoint({ pointId, root: encodePointRoot(root) });
  return root;
}

export function randomContent(length: number): Buffer {
  return randomBytes(length);
}
