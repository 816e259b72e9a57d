// Owns what tells a changed file from an unchanged one, and when that can be trusted.
import type { BigIntStats } from 'node:fs';

/** A file that changed this shortly before it was looked at could change again without its times showing it. */
const settleNs = 100_000_000n;
/** Where times have no fraction the file system may only keep seconds, some only every second one. */
const coarseSettleNs = 2_000_000_000n;

/** Size, mtime, ctime and inode in one comparable value. */
export function fileState(stats: BigIntStats): Buffer {
  const state = Buffer.alloc(32);
  state.writeBigUInt64BE(BigInt.asUintN(64, stats.size), 0);
  state.writeBigInt64BE(BigInt.asIntN(64, stats.mtimeNs), 8);
  state.writeBigInt64BE(BigInt.asIntN(64, stats.ctimeNs), 16);
  state.writeBigUInt64BE(BigInt.asUintN(64, stats.ino), 24);
  return state;
}

/** Whether a later change would surely show in the file's times (the "racy git" problem). */
export function isSettled(stats: BigIntStats, nowMs: number): boolean {
  const newest = stats.mtimeNs > stats.ctimeNs ? stats.mtimeNs : stats.ctimeNs;
  const isCoarse = stats.mtimeNs % 1_000_000_000n === 0n && stats.ctimeNs % 1_000_000_000n === 0n;
  return BigInt(nowMs) * 1_000_000n - newest > (isCoarse ? coarseSettleNs : settleNs);
}
