// Owns setting owner, mode and time of a restored file or folder. If one step fails, the others still run. No step may let an account read
// the entry that could not read it in the source.
import { fchmodSync, fchownSync, fstatSync, lchownSync, lstatSync } from 'node:fs';
import { createFileTimes } from '../../kernel/native/file-times.ts';
import type { EntryOwner } from '../points/tree-entry.ts';

export interface EntryMetadata {
  readonly mode: number;
  readonly owner: Pick<EntryOwner, 'uid' | 'gid'>;
  readonly mtimeNs: bigint;
}

export interface PresentOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Metadata of the existing entry, before the change. */
export interface PresentMetadata extends PresentOwner {
  readonly mode: number;
  /** undefined for a new entry. */
  readonly mtimeNs: bigint | undefined;
}

export type MetadataStep = 'owner' | 'mode' | 'time';

export interface RefusedStep {
  readonly step: MetadataStep;
  /** The system's message, without a path. */
  readonly reason: string;
}

/** node:fs loses this much precision of a time (kernel/native/file-times.ts). */
export const timeToleranceNs = 1000n;
const fileTimes = createFileTimes();
/** Value for chown that leaves an id unchanged. */
const unchangedId = -1;

/**
 * Returns the permissions that are safe when the owner could not be set. If the group could not be set, members of the present group were
 * "others" in the source, and members of the source's group are "others" now. So the group and the others get only the rights that the
 * group and the others both had in the source. Set-id bits are removed, because they would grant the rights of the wrong owner.
 */
export function allowedMode(wanted: EntryMetadata, present: PresentOwner): number {
  const isGroupRight = present.gid === wanted.owner.gid;
  if (isGroupRight && present.uid === wanted.owner.uid) return wanted.mode & 0o7777;
  if (isGroupRight) return wanted.mode & 0o1777;
  const both = (wanted.mode >> 3) & wanted.mode & 0o7;
  return (wanted.mode & 0o1700) | (both << 3) | both;
}

/** Whether the existing entry already has the wanted metadata. */
export function isMetadataRight(wanted: EntryMetadata, present: PresentMetadata, isOwnerRestored: boolean): boolean {
  return (
    !(isOwnerWrong(wanted, present) && mayChangeOwner(wanted, present, isOwnerRestored)) &&
    present.mode === allowedMode(wanted, present) &&
    present.mtimeNs !== undefined &&
    isSameTime(wanted.mtimeNs, present.mtimeNs)
  );
}

export function isSameTime(one: bigint, other: bigint): boolean {
  const difference = one - other;
  return difference < timeToleranceNs && difference > -timeToleranceNs;
}

/**
 * Sets the differing metadata through an open descriptor: owner, then mode (a change of owner clears set-id bits), then time.
 *
 * @param present metadata of the existing entry; undefined: looked up
 * @returns the refused steps; without root this includes the owner if it differs
 */
export function applyMetadata(
  descriptor: number,
  wanted: EntryMetadata,
  isOwnerRestored: boolean,
  present: PresentMetadata = presentMetadata(descriptor),
): readonly RefusedStep[] {
  const refused: RefusedStep[] = [];
  let owner: PresentOwner = present;
  let mode: number | undefined = present.mode;
  if (isOwnerWrong(wanted, present)) {
    // The new owner's group and other users must never have more rights than the entry grants, not even for a moment.
    const narrow = mode & (wanted.mode | 0o7700);
    if (narrow !== mode && attempt(refused, 'mode', () => fchmodSync(descriptor, narrow))) mode = narrow;
    const changed = changeOwner(descriptor, wanted, present, isOwnerRestored, refused);
    owner = changed ?? present;
    // Some systems clear set-id bits when the owner changes.
    if (changed !== undefined && (mode & 0o6000) !== 0) mode = undefined;
  }
  const allowed = allowedMode(wanted, owner);
  if (mode !== allowed) attempt(refused, 'mode', () => fchmodSync(descriptor, allowed));
  if (present.mtimeNs === undefined || !isSameTime(wanted.mtimeNs, present.mtimeNs)) {
    attempt(refused, 'time', () => {
      fileTimes.setOfDescriptor(descriptor, wanted.mtimeNs);
      if (isOddTime(wanted.mtimeNs)) checkTime(wanted.mtimeNs, fstatSync(descriptor, { bigint: true }).mtimeNs);
    });
  }
  return refused;
}

/** Does for a symbolic link what `applyMetadata` does for a file or folder. A symbolic link has no mode. */
export function applyLinkMetadata(
  path: Buffer,
  wanted: EntryMetadata,
  isOwnerRestored: boolean,
): readonly RefusedStep[] {
  const refused: RefusedStep[] = [];
  const found = lstatSync(path, { bigint: true });
  const present = { uid: Number(found.uid), gid: Number(found.gid) };
  if (isOwnerWrong(wanted, present)) {
    attempt(refused, 'owner', () => {
      if (!mayChangeOwner(wanted, present, isOwnerRestored)) throw new Error(notRoot);
      lchownSync(path, wanted.owner.uid, wanted.owner.gid);
    });
  }
  if (!isSameTime(wanted.mtimeNs, found.mtimeNs)) {
    attempt(refused, 'time', () => {
      fileTimes.setOfLink(path, wanted.mtimeNs);
      if (isOddTime(wanted.mtimeNs)) checkTime(wanted.mtimeNs, lstatSync(path, { bigint: true }).mtimeNs);
    });
  }
  return refused;
}

export function presentMetadata(descriptor: number): PresentMetadata {
  const { uid, gid, mode, mtimeNs } = fstatSync(descriptor, { bigint: true });
  return { uid: Number(uid), gid: Number(gid), mode: Number(mode) & 0o7777, mtimeNs };
}

/**
 * Returns the system's message, such as "EPERM: operation not permitted", without the paths that Node adds. Such a path may lead through a
 * descriptor, so it does not help a person.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('syscall' in error) || typeof error.syscall !== 'string') return error.message;
  const end = error.message.indexOf(`, ${error.syscall}`);
  return end === -1 ? error.message : error.message.slice(0, end);
}

const notRoot = 'only root can give it to somebody else';

function isOwnerWrong({ owner }: EntryMetadata, present: PresentOwner): boolean {
  return present.uid !== owner.uid || present.gid !== owner.gid;
}

/**
 * Whether this process may try to set owner and group. Without root, the owner of a file may still change its group to a different group of
 * the owner.
 */
function mayChangeOwner({ owner }: EntryMetadata, present: PresentOwner, isOwnerRestored: boolean): boolean {
  return isOwnerRestored || present.uid === owner.uid;
}

/** @returns the owner after the change; undefined: unchanged */
function changeOwner(
  descriptor: number,
  wanted: EntryMetadata,
  present: PresentOwner,
  isOwnerRestored: boolean,
  refused: RefusedStep[],
): PresentOwner | undefined {
  const { uid, gid } = wanted.owner;
  const isDone = attempt(refused, 'owner', () => {
    if (!mayChangeOwner(wanted, present, isOwnerRestored)) throw new Error(notRoot);
    fchownSync(descriptor, uid, gid);
  });
  if (isDone) return { uid, gid };
  if (!isOwnerRestored) return undefined;
  // User and group are changed separately, because the system may allow only one of the changes.
  attempt([], 'owner', () => fchownSync(descriptor, unchangedId, gid));
  attempt([], 'owner', () => fchownSync(descriptor, uid, unchangedId));
  return presentMetadata(descriptor);
}

function attempt(refused: RefusedStep[], step: MetadataStep, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    refused.push({ step, reason: reasonOf(error) });
    return false;
  }
}

/** Whether the time is outside the range that every file system supports. The stored time must then be read back and checked. */
function isOddTime(timeNs: bigint): boolean {
  return timeNs < 0n || timeNs >= 2n ** 31n * 1_000_000_000n;
}

/** The tolerance is two seconds, the precision of FAT. */
function checkTime(wantedNs: bigint, keptNs: bigint): void {
  const difference = wantedNs - keptNs;
  if (difference > 2_000_000_000n || difference < -2_000_000_000n)
    throw new Error('the file system does not keep times that are so far away');
}
