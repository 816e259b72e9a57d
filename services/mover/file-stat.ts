// Owns the file metadata that a backup needs: kind, identity, and the state that distinguishes a changed file from an unchanged one.
import { constants, type BigIntStats } from 'node:fs';
import type { FileStat } from '../kernel/native/folder-calls.ts';
import type { SpecialKind } from '../repository/special-files.ts';

export type { FileStat } from '../kernel/native/folder-calls.ts';

export type FileKind = 'file' | 'folder' | 'symlink' | SpecialKind;

const kinds = new Map<number, FileKind>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'folder'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
]);

export function kindOf({ mode }: FileStat): FileKind {
  // An unknown kind of file (such as a "door") is kept by name only, like a device.
  return kinds.get(mode & constants.S_IFMT) ?? 'block-device';
}

export function isFile({ mode }: FileStat): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG;
}

export function isFolder({ mode }: FileStat): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}

export function fromNodeStats(stats: BigIntStats): FileStat {
  return {
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    nlink: Number(stats.nlink),
    sizeBytes: Number(stats.size),
    blocks: Number(stats.blocks),
    ino: stats.ino,
    dev: Number(stats.dev),
    rdev: Number(stats.rdev),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    attributes: 0,
  };
}

/**
 * A key that is the same for all names of one file while the file exists. After deletion the system can reuse the numbers for another file.
 */
export function linkKey({ dev, ino }: FileStat): string {
  return `${dev}:${ino}`;
}

/** Whether the file is unchanged between two looks: every change of content, mode, owner or names updates the ctime. */
export function isSameState(one: FileStat, other: FileStat): boolean {
  return (
    one.ctimeNs === other.ctimeNs &&
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.sizeBytes === other.sizeBytes &&
    one.mtimeNs === other.mtimeNs &&
    one.mode === other.mode
  );
}

/** Whether two names of a file have the same metadata for a restore. */
export function hasSameMetadata(one: FileStat, other: FileStat): boolean {
  return one.mode === other.mode && one.uid === other.uid && one.gid === other.gid && one.mtimeNs === other.mtimeNs;
}

/** A file whose times are younger than this could change again without a visible change of its times. */
const settleNs = 100_000_000n;
/** Times without a fraction: the file system may keep only whole seconds, or every second one. */
const coarseSettleNs = 2_000_000_000n;

/** Whether any later change would change the file's times (the "racy git" problem). */
export function isSettled({ mtimeNs, ctimeNs }: FileStat, nowMs: number): boolean {
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const isCoarse = mtimeNs % 1_000_000_000n === 0n && ctimeNs % 1_000_000_000n === 0n;
  return BigInt(Math.floor(nowMs)) * 1_000_000n - newest > (isCoarse ? coarseSettleNs : settleNs);
}

export const stateBytes = 36;

/** Writes size, mtime, ctime, inode and device in a form that can be compared. */
export function writeState(stat: FileStat, target: Buffer, at: number): void {
  target.writeDoubleLE(stat.sizeBytes, at);
  target.writeBigInt64LE(BigInt.asIntN(64, stat.mtimeNs), at + 8);
  target.writeBigInt64LE(BigInt.asIntN(64, stat.ctimeNs), at + 16);
  target.writeBigUInt64LE(BigInt.asUintN(64, stat.ino), at + 24);
  target.writeUInt32LE(stat.dev >>> 0, at + 32);
}

/** Whether the bytes at `at` equal the output of `writeState` for `stat`. */
export function isState(stat: FileStat, source: Buffer, at: number): boolean {
  return (
    source.readBigInt64LE(at + 16) === BigInt.asIntN(64, stat.ctimeNs) &&
    source.readDoubleLE(at) === stat.sizeBytes &&
    source.readBigInt64LE(at + 8) === BigInt.asIntN(64, stat.mtimeNs) &&
    source.readBigUInt64LE(at + 24) === BigInt.asUintN(64, stat.ino) &&
    source.readUInt32LE(at + 32) === stat.dev >>> 0
  );
}

/** Size of the complete stat, packed for a message between threads. */
export const packedStatBytes = 84;

export function packStat(stat: FileStat, target: Buffer, at: number): void {
  target.writeUInt32LE(stat.mode, at);
  target.writeUInt32LE(stat.uid, at + 4);
  target.writeUInt32LE(stat.gid, at + 8);
  target.writeUInt32LE(stat.nlink, at + 12);
  target.writeDoubleLE(stat.sizeBytes, at + 16);
  target.writeDoubleLE(stat.blocks, at + 24);
  target.writeBigUInt64LE(BigInt.asUintN(64, stat.ino), at + 32);
  target.writeDoubleLE(stat.dev, at + 40);
  target.writeDoubleLE(stat.rdev, at + 48);
  packTime(stat.mtimeNs, target, at + 56);
  packTime(stat.ctimeNs, target, at + 68);
  target.writeUInt32LE(stat.attributes, at + 80);
}

export function unpackStat(source: Buffer, at: number): FileStat {
  return {
    mode: source.readUInt32LE(at),
    uid: source.readUInt32LE(at + 4),
    gid: source.readUInt32LE(at + 8),
    nlink: source.readUInt32LE(at + 12),
    sizeBytes: source.readDoubleLE(at + 16),
    blocks: source.readDoubleLE(at + 24),
    ino: source.readBigUInt64LE(at + 32),
    dev: source.readDoubleLE(at + 40),
    rdev: source.readDoubleLE(at + 48),
    mtimeNs: unpackTime(source, at + 56),
    ctimeNs: unpackTime(source, at + 68),
    attributes: source.readUInt32LE(at + 80),
  };
}

/** 96 bits, because 64 bits of nanoseconds end in the year 2262 and file systems store later dates. */
function packTime(timeNs: bigint, target: Buffer, at: number): void {
  target.writeBigUInt64LE(BigInt.asUintN(64, timeNs), at);
  target.writeInt32LE(Number(BigInt.asIntN(32, timeNs >> 64n)), at + 8);
}

function unpackTime(source: Buffer, at: number): bigint {
  const low = source.readBigUInt64LE(at);
  const high = source.readInt32LE(at + 8);
  return high === 0 ? low : (BigInt(high) << 64n) + low;
}
