// Owns the decision whether a restore as a whole has failed, by the counts of its tree writer. Single problems are only warnings if the
// result is still usable.
import type { ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export interface RestoreCounts {
  files: number;
  folders: number;
  symlinks: number;
  hardLinks: number;
  /** Bytes of written content, without holes. */
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

/** Whether the error means damaged data in the restore point. All other errors concern the destination or the backup. */
export function isDamage(code: ErrorCode): boolean {
  return code === 'restore.mismatch' || code === 'storage.damaged';
}

/** Returns the failure of the whole restore; undefined if only single entries have problems. */
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

/** Returns the error for a full destination disk. A repeated restore keeps correct files, unless the rule overwrites everything. */
export function noRoomLeft(consequence: string): FarkeepError {
  return new FarkeepError('restore.target', `The disk of the destination is full: ${consequence}`, {
    hint: 'Free space or choose another disk, then restore again: files that are already correct are skipped.',
  });
}
