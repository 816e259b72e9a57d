// Owns when a restore as a whole has failed, told by its tree writer's counts. Single problems that leave a usable result are warnings.
import type { ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export interface RestoreCounts {
  files: number;
  folders: number;
  symlinks: number;
  hardLinks: number;
  /** Bytes of content written, holes not counted. */
  contentBytes: number;
  /** Entries that were not written: already correct, or kept because of the overwrite rule. */
  skipped: number;
  /** Entries that were not restored; each has a problem. */
  failed: number;
  /** Failed entries whose data in the restore point is damaged. */
  damaged: number;
  /** Failed entries that do not fit on the destination disk. */
  noRoom: number;
}

/** Whether the point cannot give an entry back; all else is a matter of the destination or of the backup. */
export function isDamage(code: ErrorCode): boolean {
  return code === 'restore.mismatch' || code === 'storage.damaged';
}

/** Undefined when it is what was asked for, but for what the problems of single entries say. */
export function restoreFailure(counts: RestoreCounts): FarkeepError | undefined {
  const { files, hardLinks, symlinks, skipped, failed, damaged, noRoom } = counts;
  const kept = files + hardLinks + symlinks + skipped;
  const total = kept + failed;
  if (damaged > 0) {
    return new FarkeepError(
      'restore.mismatch',
      `${damaged} of ${total} entries could not be restored: stored data is damaged`,
    );
  }
  if (noRoom > 0) return noRoomLeft(`${noRoom} of ${total} entries could not be restored`);
  if (failed > 0 && kept === 0) {
    return new FarkeepError('restore.incomplete', `Nothing was restored: ${failed} of ${total} entries failed`);
  }
  return undefined;
}

/** The disk of the destination is full. Restoring again takes what is there already as it is, unless it is to be overwritten. */
export function noRoomLeft(consequence: string): FarkeepError {
  return new FarkeepError('restore.target', `The disk of the destination is full: ${consequence}`, {
    hint: 'Free space or choose another disk, then restore again: files that are already correct are skipped.',
  });
}
