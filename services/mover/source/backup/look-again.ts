// Owns the second look at a name that was a file during the walk and something else at the time of the read.
import { isFile, isFolder, isSameState, kindOf, type FileStat } from '../walk/file-stat.ts';
import { isOtherNow, reasonOf, type RawText, type SourceDisk } from '../walk/source-disk.ts';
import type { ScannedEntry } from '../walk/tree-scanner.ts';
import { isInvalid, isMissing } from '../../../kernel/system-error.ts';

export type NewLook =
  /** The name is a file again. */
  | { readonly type: 'file' }
  | { readonly type: 'gone' }
  | { readonly type: 'unreadable'; readonly reason: string }
  /** A link, a pipe or a device, saved as such. */
  | { readonly type: 'other'; readonly stat: FileStat; readonly linkTarget: RawText | undefined }
  /** A folder. The walk has already passed, so its content is saved in the next run. */
  | { readonly type: 'folder'; readonly stat: FileStat };

const maxLooks = 3;

export function lookAgain(disk: SourceDisk, { folder, name }: ScannedEntry): NewLook {
  try {
    for (let look = 0; look < maxLooks; look += 1) {
      const stat = disk.stat(folder, name);
      if (isFile(stat)) return { type: 'file' };
      if (isFolder(stat)) return { type: 'folder', stat };
      if (kindOf(stat) !== 'symlink') return { type: 'other', stat, linkTarget: undefined };
      const linkTarget = linkTargetOf(disk, folder, name);
      if (linkTarget !== undefined && isSameState(stat, disk.stat(folder, name)))
        return { type: 'other', stat, linkTarget };
    }
  } catch (error) {
    return isMissing(error) ? { type: 'gone' } : { type: 'unreadable', reason: reasonOf(error) };
  }
  return { type: 'unreadable', reason: 'it changed each time it was looked at' };
}

/** undefined when the name is no longer a link. */
function linkTargetOf(disk: SourceDisk, folder: ScannedEntry['folder'], name: RawText): RawText | undefined {
  try {
    return disk.readLink(folder, name);
  } catch (error) {
    if (isOtherNow(error) || isInvalid(error)) return undefined;
    throw error;
  }
}
