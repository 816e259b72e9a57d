// Owns when a restore as a whole has failed, told by its tree writer's counts. Single problems that leave a usable result are warnings.
import type { ErrorCode } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { RestoreCounts } from './tree-writer.ts';

/** Whether the point cannot give an entry back; all else is a matter of the destination or of the backup. */
export function isDamage(code: ErrorCode): boolean {
  return code === 'restore.mismatch' || code === 'storage.damaged';
}

/** Undefined when it is what was asked for, but for what the problems of single entries say. */
export function restoreFailure(counts: RestoreCounts): FarkeepError | undefined {
  const { files, hardLinks, symlinks, skipped, failed, damaged } = counts;
  const kept = files + hardLinks + symlinks + skipped;
  const total = kept + failed;
  if (damaged > 0) {
    return new FarkeepError(
      'restore.mismatch',
      `${damaged} of ${total} entries could not be restored: stored data is damaged`,
    );
  }
  if (failed > 0 && kept === 0) {
    return new FarkeepError('restore.incomplete', `Nothing was restored: ${failed} of ${total} entries failed`);
  }
  return undefined;
}
