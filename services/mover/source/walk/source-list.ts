// Owns opening a job's sources, and their names inside its restore points. The names depend only on the paths in the job, not on their
// order or on existing files. So one name never belongs to different trees in successive restore points.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { isMissing, isNotFolder } from '../../../kernel/system-error.ts';
import type { FileStat } from './file-stat.ts';
import { rawText, reasonOf, type RawText, type SourceDisk } from './source-disk.ts';
import { FolderCount, WalkedFolder } from './walked-folder.ts';

export interface ScanSource {
  readonly folder: WalkedFolder;
  /** Name of the source in that folder; undefined when the source is the folder itself. */
  readonly entryName: RawText | undefined;
  /** Name below the top of the restore point. Empty for a job with one source that is a folder: this folder is the top itself. */
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
 * Names each source after the last part of its path. Sources with equal last parts also get the parent folder: "data (srv-disk1)". If the
 * names are still equal, or too long, they get a hash of the path.
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
  // If a path occurs twice, both occurrences are the same tree. So it does not matter which occurrence gets the number.
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
      const isGone = isMissing(error) || isNotFolder(error);
      missing.push({
        sourceIndex,
        code: isGone ? 'source.missing' : 'source.unreadable',
        message: isGone ? 'It does not exist or cannot be reached' : `Its state could not be read: ${reasonOf(error)}`,
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

/** Metadata for the top of the tree: from the first source, or from the folder that holds it. */
export function topStat(disk: SourceDisk, sources: readonly ScanSource[]): FileStat {
  const [first] = sources;
  if (first === undefined) throw new FarkeepError('source.missing');
  return disk.statFolder(first.folder);
}
