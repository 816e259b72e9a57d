// Owns the check whether two folders are equal or nested, also through symbolic links, bind mounts and "..".
// Compares real paths, and device and inode of each parent folder. Must not compare paths as they were typed.
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from '../../kernel/system-error.ts';

interface Place {
  /** Path with links resolved as far as the path exists; the missing rest is appended. */
  readonly realPath: string;
  /** "device:inode" of the folder itself; undefined while it does not exist. */
  readonly self: string | undefined;
  /** "device:inode" of the folder and of each existing parent. */
  readonly chain: ReadonlySet<string>;
}

/** @throws the system's error when an existing folder cannot be examined */
export async function doOverlap(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([placeOf(one), placeOf(other)]);
  return (
    isWithin(a.realPath, b.realPath) ||
    isWithin(b.realPath, a.realPath) ||
    (a.self !== undefined && b.chain.has(a.self)) ||
    (b.self !== undefined && a.chain.has(b.self))
  );
}

/** Whether two paths lead to one folder, also through links and mounts. False when one of them cannot be examined. */
export async function isSameFolder(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

async function placeOf(folder: string): Promise<Place> {
  const missing: string[] = [];
  let existing = path.resolve(folder);
  let realPath: string | undefined;
  while (realPath === undefined) {
    realPath = await realPathOf(existing);
    if (realPath === undefined) {
      missing.unshift(path.basename(existing));
      existing = path.dirname(existing);
    }
  }
  const chain: string[] = [];
  // Follows the real path and the typed path: a mount can be on either.
  for (const start of [realPath, existing]) {
    for (let at = start; ; at = path.dirname(at)) {
      const { dev, ino } = await stat(at, { bigint: true });
      chain.push(`${dev}:${ino}`);
      if (path.dirname(at) === at) break;
    }
  }
  return {
    realPath: path.join(realPath, ...missing),
    self: missing.length === 0 ? chain[0] : undefined,
    chain: new Set(chain),
  };
}

async function realPathOf(folder: string): Promise<string | undefined> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (isMissing(error) && path.dirname(folder) !== folder) return undefined;
    throw error;
  }
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
