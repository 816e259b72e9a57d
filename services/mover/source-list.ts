// Owns what a job's sources are called inside its restore points, and opening them. A name depends on the paths in the job alone: not on
// what exists today, nor on the order of the list, so that the same name never stands for another tree in the next restore point.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { FileStat } from './file-stat.ts';
import { codeOf, rawText, reasonOf, type RawText, type SourceDisk } from './source-disk.ts';
import { FolderCount, WalkedFolder } from './walked-folder.ts';

export interface ScanSource {
  readonly folder: WalkedFolder;
  /** What is the source in that folder; undefined when it is the folder itself. */
  readonly entryName: RawText | undefined;
  /** Name below the top of the restore point. Empty for the only source of a job when it is a folder: it is the top itself. */
  readonly name: RawText;
  /** Position in the job's list of sources. */
  readonly sourceIndex: number;
}

export interface MissingSource {
  readonly sourceIndex: number;
  readonly code: 'source.missing' | 'source.unreadable';
  readonly message: string;
}

const maxPlainNameBytes = 200;

/**
 * The last part of each path. Where several end alike, each of them carries the folder it lies in, too: "data (srv-disk1)"; where even that
 * is not enough, or too long, a hash of its path.
 */
export function nameSources(sourcePaths: readonly string[]): string[] {
  const resolved = sourcePaths.map((sourcePath) => path.resolve(sourcePath));
  const bases = resolved.map((item) => path.basename(item) || 'root');
  const isAlone = (names: readonly string[], index: number): boolean =>
    names.every((name, other) => name !== names[index] || resolved[other] === resolved[index]);
  const withFolder = bases.map((base, index) => {
    if (isAlone(bases, index)) return base;
    const parts = path.dirname(resolved[index] ?? '').split(/[\\/:]+/);
    return `${base} (${parts.filter((part) => part !== '').join('-')})`;
  });
  const names = withFolder.map((name, index) => {
    const isPlain = name === bases[index];
    if (isPlain || (isAlone(withFolder, index) && Buffer.byteLength(name) <= maxPlainNameBytes)) return name;
    const hash = createHash('sha256')
      .update(resolved[index] ?? '')
      .digest('hex');
    return `${bases[index]} (${hash.slice(0, 12)})`;
  });
  // The same path twice is the same tree: which of them has the number does not matter.
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

/**
 * Opens the job's sources, in tree order.
 * @throws source.missing when none of them can be opened, source.empty-path
 */
export function openSources(
  disk: SourceDisk,
  sourcePaths: readonly string[],
  count = new FolderCount(),
): { sources: ScanSource[]; missing: MissingSource[] } {
  if (sourcePaths.some((sourcePath) => sourcePath.trim() === '')) throw new FarkeepError('source.empty-path');
  const names = nameSources(sourcePaths);
  const sources: ScanSource[] = [];
  const missing: MissingSource[] = [];
  sourcePaths.forEach((sourcePath, sourceIndex) => {
    try {
      const { folder, name: entryName } = disk.openSource(sourcePath);
      const isTop = sourcePaths.length === 1 && entryName === undefined;
      const name = isTop ? '' : rawText(Buffer.from(names[sourceIndex] ?? ''));
      sources.push({ folder: new WalkedFolder(disk, folder, count), entryName, name, sourceIndex });
    } catch (error) {
      const code = codeOf(error);
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      missing.push({
        sourceIndex,
        code: isMissing ? 'source.missing' : 'source.unreadable',
        message: isMissing ? 'It does not exist or cannot be reached' : `It could not be looked at: ${reasonOf(error)}`,
      });
    }
  });
  if (sources.length === 0) {
    const listed = sourcePaths.map((item) => `"${item}"`).join(', ');
    const isDenied = missing.some(({ code }) => code === 'source.unreadable');
    throw new FarkeepError(
      'source.missing',
      isDenied ? `${listed}: ${missing[0]?.message ?? ''}` : `${listed} does not exist or cannot be reached`,
    );
  }
  sources.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { sources, missing };
}

/** What the top of the tree looks like: the first source, or the folder that holds it. */
export function topStat(disk: SourceDisk, sources: readonly ScanSource[]): FileStat {
  const [first] = sources;
  if (first === undefined) throw new FarkeepError('source.missing');
  return disk.statFolder(first.folder);
}
