// Owns the file metadata that a backup needs: kind, identity, and the state that distinguishes a changed file from an unchanged one.
import { constants, type BigIntStats } from 'node:fs';
import { FileStat } from '../../../kernel/file-metadata.ts';
import type { SpecialKind } from '../../../repository/points/special-files.ts';

export { FileStat } from '../../../kernel/file-metadata.ts';

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
  // For an unknown kind of file (such as a "door"), only the name is saved, as for a device.
  return kinds.get(mode & constants.S_IFMT) ?? 'block-device';
}

export function isFile({ mode }: FileStat): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG;
}

export function isFolder({ mode }: FileStat): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}

export function fromNodeStats(stats: BigIntStats): FileStat {
  return FileStat.of({
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    nlink: Number(stats.nlink),
    sizeBytes: Number(stats.size),
    blocks: Number(stats.blocks),
    dev: Number(stats.dev),
    rdev: Number(stats.rdev),
    attributes: 0,
    ino: stats.ino,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
  });
}

/**
 * A key that is the same for all names of one file while the file exists. After deletion the system can reuse the numbers for another file.
 */
export function linkKey({ dev, ino }: FileStat): string {
  return `${dev}:${ino}`;
}

/** Whether the file is unchanged between the states `one` and `other`. Every change of content, mode, owner or names updates the ctime. */
export function isSameState(one: FileStat, other: FileStat): boolean {
  return (
    one.ctimeNanos === other.ctimeNanos &&
    one.ctimeSeconds === other.ctimeSeconds &&
    one.inoLow === other.inoLow &&
    one.inoHigh === other.inoHigh &&
    one.dev === other.dev &&
    one.sizeBytes === other.sizeBytes &&
    one.mtimeNanos === other.mtimeNanos &&
    one.mtimeSeconds === other.mtimeSeconds &&
    one.mode === other.mode
  );
}

/** Whether two names of a file have the same metadata for a restore. */
export function hasSameMetadata(one: FileStat, other: FileStat): boolean {
  return (
    one.mode === other.mode &&
    one.uid === other.uid &&
    one.gid === other.gid &&
    one.mtimeSeconds === other.mtimeSeconds &&
    one.mtimeNanos === other.mtimeNanos
  );
}

/** If a file's times are younger than this, a further change may leave the same times. */
const settleMs = 100;
/**
 * Replaces `settleMs` for times without a fraction of a second. The file system may then keep only whole seconds, or only every second
 * whole second.
 */
const coarseSettleMs = 2_000;

/** Whether any later change must show in the file's times. If not, the file could change unnoticed (the "racy git" problem). */
export function isSettled(stat: FileStat, nowMs: number): boolean {
  const mtimeMs = stat.mtimeSeconds * 1000 + stat.mtimeNanos / 1_000_000;
  const ctimeMs = stat.ctimeSeconds * 1000 + stat.ctimeNanos / 1_000_000;
  const isCoarse = stat.mtimeNanos === 0 && stat.ctimeNanos === 0;
  return Math.floor(nowMs) - Math.max(mtimeMs, ctimeMs) > (isCoarse ? coarseSettleMs : settleMs);
}

export const stateBytes = 44;

/** Writes size, mtime, ctime, inode and device in a form that can be compared. */
export function writeState(stat: FileStat, target: Buffer, at: number): void {
  target.writeDoubleLE(stat.sizeBytes, at);
  target.writeDoubleLE(stat.mtimeSeconds, at + 8);
  target.writeDoubleLE(stat.ctimeSeconds, at + 16);
  target.writeUInt32LE(stat.mtimeNanos, at + 24);
  target.writeUInt32LE(stat.ctimeNanos, at + 28);
  target.writeUInt32LE(stat.inoLow, at + 32);
  target.writeUInt32LE(stat.inoHigh, at + 36);
  target.writeUInt32LE(stat.dev >>> 0, at + 40);
}

/** Whether the bytes at `at` equal the output of `writeState` for `stat`. */
export function isState(stat: FileStat, source: Buffer, at: number): boolean {
  return (
    source.readUInt32LE(at + 28) === stat.ctimeNanos &&
    source.readDoubleLE(at + 16) === stat.ctimeSeconds &&
    source.readDoubleLE(at) === stat.sizeBytes &&
    source.readUInt32LE(at + 24) === stat.mtimeNanos &&
    source.readDoubleLE(at + 8) === stat.mtimeSeconds &&
    source.readUInt32LE(at + 32) === stat.inoLow &&
    source.readUInt32LE(at + 36) === stat.inoHigh &&
    source.readUInt32LE(at + 40) === stat.dev >>> 0
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
  target.writeDoubleLE(stat.dev, at + 32);
  target.writeDoubleLE(stat.rdev, at + 40);
  target.writeUInt32LE(stat.attributes, at + 48);
  target.writeUInt32LE(stat.inoHigh, at + 52);
  target.writeUInt32LE(stat.inoLow, at + 56);
  target.writeDoubleLE(stat.mtimeSeconds, at + 60);
  target.writeUInt32LE(stat.mtimeNanos, at + 68);
  target.writeDoubleLE(stat.ctimeSeconds, at + 72);
  target.writeUInt32LE(stat.ctimeNanos, at + 80);
}

export function unpackStat(source: Buffer, at: number): FileStat {
  return new FileStat(
    source.readUInt32LE(at),
    source.readUInt32LE(at + 4),
    source.readUInt32LE(at + 8),
    source.readUInt32LE(at + 12),
    source.readDoubleLE(at + 16),
    source.readDoubleLE(at + 24),
    source.readDoubleLE(at + 32),
    source.readDoubleLE(at + 40),
    source.readUInt32LE(at + 48),
    source.readUInt32LE(at + 52),
    source.readUInt32LE(at + 56),
    source.readDoubleLE(at + 60),
    source.readUInt32LE(at + 68),
    source.readDoubleLE(at + 72),
    source.readUInt32LE(at + 80),
  );
}
