// Owns walking the source folders in tree order (services/repository/tree-entry.ts): what is there, with raw names and exact times.
// Opens no file; whatever cannot be listed becomes a problem by name and the walk goes on.
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { compileExcludes } from './exclude-patterns.ts';

export interface ScannedEntry {
  /** Raw bytes, relative to the top of the restore point. */
  readonly treePath: Buffer;
  /** Raw bytes, where it lies on this machine. */
  readonly sourcePath: Buffer;
  readonly stats: BigIntStats;
  /** Of a symlink, raw bytes. */
  readonly linkTarget: Buffer | undefined;
  /** Position in the job's list of sources. */
  readonly sourceIndex: number;
}

export type ScanItem =
  | { readonly type: 'entry'; readonly entry: ScannedEntry }
  /** Could not be looked at; `entry` is what is known of it, if anything. */
  | { readonly type: 'problem'; readonly sourcePath: Buffer; readonly sourceIndex: number; readonly reason: string };

export interface ScanSource {
  readonly root: Buffer;
  /**
   * Name below the top of the restore point: the last part of the path, made unique among the sources. Empty for the only source when it
   * is a folder: it is the top itself, so that a restore brings its contents directly below the destination.
   */
  readonly name: Buffer;
  readonly sourceIndex: number;
}

const slash = Buffer.from('/');

/**
 * Resolves the job's paths (a source that is itself a symlink is followed) and names them, in tree order.
 * @throws source.missing when none of them exists, source.empty-path
 */
export function resolveSources(sourcePaths: readonly string[]): { sources: ScanSource[]; missing: number[] } {
  const taken = new Set<string>();
  const sources: ScanSource[] = [];
  const missing: number[] = [];
  sourcePaths.forEach((sourcePath, sourceIndex) => {
    if (sourcePath.trim() === '') throw new FarkeepError('source.empty-path');
    let root: string;
    try {
      root = realpathSync(sourcePath);
    } catch {
      missing.push(sourceIndex);
      return;
    }
    const base = path.basename(path.resolve(sourcePath)) || 'root';
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base} (${count})`;
    taken.add(name);
    sources.push({ root: Buffer.from(root), name: Buffer.from(name), sourceIndex });
  });
  if (sources.length === 0) {
    throw new FarkeepError(
      'source.missing',
      `${sourcePaths.map((item) => `"${item}"`).join(', ')} does not exist or cannot be reached`,
    );
  }
  const [only] = sources;
  if (only !== undefined && sourcePaths.length === 1 && statSync(only.root).isDirectory()) {
    return { sources: [{ ...only, name: Buffer.alloc(0) }], missing };
  }
  sources.sort((left, right) => Buffer.compare(left.name, right.name));
  return { sources, missing };
}

/** The top of the tree holds the sources by name; it looks like the first of them, or like the folder a single file lies in. */
export function topOf(sources: readonly ScanSource[]): ScannedEntry {
  const first = sources[0];
  if (first === undefined) throw new FarkeepError('source.missing');
  let stats = statSync(first.root, { bigint: true });
  if (!stats.isDirectory()) stats = statSync(path.dirname(first.root.toString()), { bigint: true });
  const { root: sourcePath, sourceIndex } = first;
  return { treePath: Buffer.alloc(0), sourcePath, stats, linkTarget: undefined, sourceIndex };
}

/** Everything below the sources: parents first, siblings in ascending order of their bytes. */
export function* scanTree(
  sources: readonly ScanSource[],
  excludes: readonly string[],
): Generator<ScanItem, void, undefined> {
  const isExcluded = compileExcludes(excludes);
  for (const source of sources) yield* scan(source, source.root, source.name, undefined, isExcluded);
}

function* scan(
  source: ScanSource,
  sourcePath: Buffer,
  treePath: Buffer,
  relativePath: Buffer | undefined,
  isExcluded: (path: Buffer, isFolder: boolean) => boolean,
): Generator<ScanItem, void, undefined> {
  const { sourceIndex } = source;
  let stats: BigIntStats;
  let linkTarget: Buffer | undefined;
  try {
    stats =
      relativePath === undefined ? statSync(sourcePath, { bigint: true }) : lstatSync(sourcePath, { bigint: true });
    if (relativePath !== undefined && isExcluded(relativePath, stats.isDirectory())) return;
    if (stats.isSymbolicLink()) linkTarget = readlinkSync(sourcePath, { encoding: 'buffer' });
  } catch (error) {
    if (relativePath !== undefined && isExcluded(relativePath, false)) return;
    // What disappears between listing and looking was simply deleted in time.
    if (!isGone(error)) yield { type: 'problem', sourcePath, sourceIndex, reason: reasonOf(error) };
    return;
  }
  // The pipeline has written the top already.
  const isTop = treePath.length === 0;
  if (!isTop) yield { type: 'entry', entry: { treePath, sourcePath, stats, linkTarget, sourceIndex } };
  if (!stats.isDirectory()) return;
  let names: Buffer[];
  try {
    names = readdirSync(sourcePath, { encoding: 'buffer' });
  } catch (error) {
    yield { type: 'problem', sourcePath, sourceIndex, reason: reasonOf(error) };
    return;
  }
  names.sort((left, right) => Buffer.compare(left, right));
  for (const name of names) {
    yield* scan(
      source,
      Buffer.concat([sourcePath, slash, name]),
      isTop ? name : Buffer.concat([treePath, slash, name]),
      relativePath === undefined ? name : Buffer.concat([relativePath, slash, name]),
      isExcluded,
    );
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    if (error.code === 'EACCES' || error.code === 'EPERM') return 'access was denied';
    if (error.code === 'ENOENT') return 'it does not exist any more';
    if (error.code === 'EIO') return 'the disk reported an error';
    return error.code;
  }
  return error instanceof Error ? error.message : String(error);
}
