// Owns comparing two folders on disk, byte by byte: kind, content, size, mode, times, link targets, hard links, and owners when run as
// root. Must not write, and must not use any knowledge other than the disk.
import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';

export interface TreeDifference {
  /** Path below the top folder; bytes that are not UTF-8 are replaced. */
  readonly path: string;
  readonly what: string;
  /** Time of the last change of the left entry, ms since the epoch; shows whether a file was changed meanwhile. */
  readonly leftChangedAtMs: number;
}

export interface TreeComparison {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly bytes: number;
  readonly differences: readonly TreeDifference[];
}

const chunkBytes = 1024 * 1024;
const separator = Buffer.from('/');

/** @param right an entry that only this folder has is a difference too, also at the top */
export async function compareTrees(left: string, right: string, signal: AbortSignal): Promise<TreeComparison> {
  const totals = { files: 0, folders: 0, links: 0, bytes: 0 };
  const differences: TreeDifference[] = [];
  const isOwnerCompared = process.getuid?.() === 0;
  /** For each file with several names on the left: the inode on the right that all of its names must have. */
  const hardLinks = new Map<string, bigint>();

  async function compareEntry(relative: Buffer, leftPath: Buffer, rightPath: Buffer): Promise<void> {
    signal.throwIfAborted();
    const a = lstatSync(leftPath, { bigint: true });
    const b = lstatSync(rightPath, { bigint: true, throwIfNoEntry: false });
    const differ = (what: string): void => {
      differences.push({ path: relative.toString('utf8'), what, leftChangedAtMs: Number(a.ctimeMs) });
    };
    if (b === undefined) {
      if (isRestorable(a)) differ('is missing');
      return;
    }
    if (kindOf(a) !== kindOf(b)) {
      differ(`is a ${kindOf(b)}, not a ${kindOf(a)}`);
      return;
    }
    if (isOwnerCompared && (a.uid !== b.uid || a.gid !== b.gid)) differ('has another owner');
    if (a.isSymbolicLink()) {
      totals.links += 1;
      if (!readlinkSync(leftPath, 'buffer').equals(readlinkSync(rightPath, 'buffer'))) differ('points elsewhere');
      return;
    }
    if ((a.mode & 0o7777n) !== (b.mode & 0o7777n)) differ(`has mode ${octal(b.mode)}, not ${octal(a.mode)}`);
    if (!isSameTime(a.mtimeNs, b.mtimeNs)) differ('has another modification time');
    if (a.isDirectory()) {
      totals.folders += 1;
      await compareFolder(relative, leftPath, rightPath, differ);
      return;
    }
    if (!a.isFile()) return;
    totals.files += 1;
    // A file with several names is counted once.
    if (a.nlink === 1n || !hardLinks.has(`${a.dev}:${a.ino}`)) totals.bytes += Number(a.size);
    if (a.size !== b.size) differ(`has ${b.size} bytes, not ${a.size}`);
    else if (!(await hasSameContent(leftPath, rightPath, signal))) differ('has other content');
    if (a.nlink > 1n) {
      const key = `${a.dev}:${a.ino}`;
      const expectedInode = hardLinks.get(key);
      if (expectedInode === undefined) hardLinks.set(key, b.ino);
      else if (expectedInode !== b.ino) differ('is no longer a hard link to the same file');
    }
  }

  async function compareFolder(
    relative: Buffer,
    leftPath: Buffer,
    rightPath: Buffer,
    differ: (what: string) => void,
  ): Promise<void> {
    const leftNames = namesIn(leftPath);
    const namesOnLeft = new Set(leftNames.map((name) => name.toString('latin1')));
    for (const name of namesIn(rightPath)) {
      if (!namesOnLeft.has(name.toString('latin1')))
        differ(`holds "${name.toString('utf8')}", which the source does not have`);
    }
    for (const name of leftNames) {
      const below = relative.length === 0 ? name : Buffer.concat([relative, separator, name]);
      await compareEntry(
        below,
        Buffer.concat([leftPath, separator, name]),
        Buffer.concat([rightPath, separator, name]),
      );
    }
  }

  await compareFolder(Buffer.alloc(0), Buffer.from(left), Buffer.from(right), (what) => {
    differences.push({ path: '.', what, leftChangedAtMs: lstatSync(left).ctimeMs });
  });
  return { ...totals, differences };
}

function namesIn(folder: Buffer): Buffer[] {
  return readdirSync(folder, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
}

function kindOf(status: BigIntStats): string {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'folder';
  return status.isSymbolicLink() ? 'symbolic link' : 'special file';
}

/** Sockets, pipes and devices are not compared. */
function isRestorable(status: BigIntStats): boolean {
  return status.isFile() || status.isDirectory() || status.isSymbolicLink();
}

/**
 * Node passes times as a double of seconds, which is exact to about 0.2 µs for today's dates. So times in the same microsecond count as
 * equal.
 */
function isSameTime(aNs: bigint, bNs: bigint): boolean {
  const apartNs = aNs > bNs ? aNs - bNs : bNs - aNs;
  return apartNs < 1_000n;
}

function octal(mode: bigint): string {
  return (mode & 0o7777n).toString(8).padStart(4, '0');
}

async function hasSameContent(left: Buffer, right: Buffer, signal: AbortSignal): Promise<boolean> {
  await using a = await open(left, 'r');
  await using b = await open(right, 'r');
  const [one, two] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)];
  for (;;) {
    signal.throwIfAborted();
    const [first, second] = await Promise.all([readFully(a, one), readFully(b, two)]);
    if (first !== second || !one.subarray(0, first).equals(two.subarray(0, second))) return false;
    if (first < chunkBytes) return true;
  }
}

async function readFully(
  file: { read: (buffer: Buffer, offset: number, length: number) => Promise<{ bytesRead: number }> },
  buffer: Buffer,
): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
