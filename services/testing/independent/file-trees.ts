// Owns file trees on the local disk for the second implementation: reads a tree into entries and blocks, writes a tree from entries, and
// describes a tree for comparison. Written from docs/repository-format.md alone, uses node: modules only.
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import * as fs from 'node:fs';
import type { StoredBlock } from './data-messages.ts';
import { inOrder, type Content, type Entry } from './manifest-records.ts';
import { packFrame } from './zstd-frame.ts';

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Makes a block of this content, with zstd if that makes it smaller.
 * @param maxShrinkage content that shrinks by more is stored raw, because manifest pieces may unpack to at most 64 times their stored size
 */
export function blockOf(content: Buffer, maxShrinkage = Infinity): StoredBlock {
  const packed = content.length > 2048 ? packFrame(content) : content;
  const isSmaller = packed.length < content.length && content.length <= maxShrinkage * packed.length;
  return {
    id: sha256(content),
    encoding: isSmaller ? 1 : 0,
    contentLength: content.length,
    stored: isSmaller ? packed : content,
  };
}

const latin1 = (name: Buffer): string => name.toString('latin1');
const fullPath = (top: string, names: readonly string[]): Buffer =>
  Buffer.concat([Buffer.from(top), ...names.map((name) => Buffer.from(`/${name}`, 'latin1'))]);

export interface ScannedTree {
  /** In the order of a manifest. */
  readonly entries: readonly Entry[];
  readonly blocks: readonly StoredBlock[];
}

/** @param chunkBytes size of the chunks of a file; a chunk of zeros is a hole */
export function scanTree(top: string, chunkBytes: (names: readonly string[]) => number): ScannedTree {
  const entries: Entry[] = [];
  const blocks = new Map<string, StoredBlock>();
  const scan = (names: readonly string[]): void => {
    const full = fullPath(top, names);
    const stat = fs.lstatSync(full, { bigint: true });
    const base = {
      path: names,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtimeNs: stat.mtimeNs,
      ...{ target: '', content: [] as Content[], sizeBytes: 0, isUnreadable: false },
    };
    if (stat.isDirectory()) {
      entries.push({ ...base, kind: 'folder' });
      for (const name of fs.readdirSync(full, { encoding: 'buffer' })) scan([...names, latin1(name)]);
    } else if (stat.isSymbolicLink()) {
      entries.push({ ...base, kind: 'symlink', target: latin1(fs.readlinkSync(full, 'buffer')) });
    } else if (stat.isFile()) {
      const bytes = readFileSync(full);
      const size = chunkBytes(names);
      const zeros = Buffer.alloc(size);
      const content: Content[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = bytes.subarray(at, at + size);
        if (chunk.equals(zeros.subarray(0, chunk.length))) content.push({ length: chunk.length });
        else {
          const block = blockOf(chunk);
          blocks.set(block.id.toString('hex'), block);
          content.push({ id: block.id, length: chunk.length });
        }
      }
      entries.push({ ...base, kind: 'file', sizeBytes: bytes.length, content: joinHoles(content) });
    }
  };
  scan([]);
  entries.sort(inOrder);
  return { entries: withHardLinks(top, entries), blocks: [...blocks.values()] };
}

function joinHoles(content: readonly Content[]): Content[] {
  const joined: Content[] = [];
  for (const piece of content) {
    const last = joined.at(-1);
    if (last !== undefined && last.id === undefined && piece.id === undefined)
      joined[joined.length - 1] = { length: last.length + piece.length };
    else joined.push(piece);
  }
  return joined;
}

/** The first path of a file becomes the file, every later path a hard link to it. */
function withHardLinks(top: string, entries: readonly Entry[]): Entry[] {
  const first = new Map<string, string>();
  return entries.map((entry) => {
    if (entry.kind !== 'file') return entry;
    const stat = fs.lstatSync(fullPath(top, entry.path), { bigint: true });
    const key = `${stat.dev}:${stat.ino}`;
    const target = first.get(key);
    first.set(key, target ?? entry.path.join('/'));
    return target === undefined ? entry : { ...entry, kind: 'hardlink', target, content: [], sizeBytes: 0 };
  });
}

/** Writes a tree below an empty folder. @param contentOf the content of one block, already compared with its identifier */
export async function writeTree(
  destination: string,
  entries: readonly Entry[],
  contentOf: (id: Buffer, length: number) => Promise<Buffer>,
): Promise<void> {
  for (const entry of entries) {
    const full = fullPath(destination, entry.path);
    if (entry.kind === 'folder') fs.mkdirSync(full, { recursive: true });
    else if (entry.kind === 'symlink') fs.symlinkSync(Buffer.from(entry.target, 'latin1'), full);
    else if (entry.kind === 'hardlink') fs.linkSync(fullPath(destination, [entry.target]), full);
    else if (entry.kind === 'file') {
      const file = openSync(full, 'wx');
      let at = 0;
      for (const { id, length } of entry.content) {
        if (id !== undefined) writeSync(file, await contentOf(id, length), 0, length, at);
        at += length;
      }
      ftruncateSync(file, at);
      closeSync(file);
    }
  }
  // From the bottom up: a change inside a folder would change the folder's time again.
  for (const { kind, path: names, mode, uid, gid, mtimeNs } of entries.toReversed()) {
    if (kind === 'hardlink' || kind === 'special') continue;
    const full = fullPath(destination, names);
    // As text, because node:fs replaces a negative number by the current time.
    const seconds = String(Number(mtimeNs) / 1e9);
    if (process.getuid?.() === 0) fs.lchownSync(full, uid, gid);
    if (kind !== 'symlink') fs.chmodSync(full, mode);
    fs.lutimesSync(full, seconds, seconds);
  }
}

/** One line for each entry of a tree, with everything that a restore restores. Times to the microsecond, if a double can represent them. */
export function describeTree(top: string): string[] {
  const firstPath = new Map<string, string>();
  const lines: string[] = [];
  const describe = (names: readonly string[]): void => {
    const full = fullPath(top, names);
    const stat = fs.lstatSync(full, { bigint: true });
    const shown = names.join('/');
    const key = `${stat.dev}:${stat.ino}`;
    const kind = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'symlink' : stat.isFile() ? 'file' : 'other';
    const first = firstPath.get(key);
    firstPath.set(key, first ?? shown);
    const isSparse = stat.isFile() && stat.size > 2n ** 20n && stat.blocks * 512n < stat.size / 2n;
    const what =
      kind === 'symlink'
        ? latin1(fs.readlinkSync(full, 'buffer'))
        : kind === 'file'
          ? `${stat.size} ${sha256(readFileSync(full)).toString('hex')}${isSparse ? ' sparse' : ''}`
          : '';
    const owner = `${stat.uid}:${stat.gid}`;
    // The destination of a restore is the user's folder and keeps its time.
    const time = names.length === 0 ? '' : (stat.mtimeNs + 500n) / 1000n;
    lines.push(
      [shown, kind, (stat.mode & 0o7777n).toString(8), owner, time, what, kind === 'folder' ? '' : (first ?? '')].join(
        ' | ',
      ),
    );
    if (kind === 'folder')
      for (const name of fs.readdirSync(full, { encoding: 'buffer' }).map(latin1).sort()) describe([...names, name]);
  };
  describe([]);
  return lines;
}
