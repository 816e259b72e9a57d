// Owns the figures of the box Status: successful files, errors, and one more figure for each kind of session. Pure.
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';

export interface StatusFigures {
  readonly success: number;
  readonly errors: number;
  readonly other: { readonly name: 'unchanged' | 'skipped' | 'blocks'; readonly count: number };
}

export function statusFigures({ kind, progress, objects, error, warningCount }: StatusSource): StatusFigures {
  const { processedFiles, unchangedFiles, newBlocks, restored } = progress;
  const ownError = error === null ? 0 : 1;
  // Files that the overwrite rule skipped, and failed files, are processed but not restored.
  if (kind === 'restore' && restored !== undefined) {
    return {
      success: restored.files,
      errors: Math.max(restored.failed, ownError),
      other: { name: 'skipped', count: restored.skipped },
    };
  }
  return {
    success: Math.max(0, processedFiles - warningCount),
    errors: objects.filter(({ state }) => state === 'failed').length + ownError,
    other: kind === 'backup' ? { name: 'unchanged', count: unchangedFiles } : { name: 'blocks', count: newBlocks },
  };
}

type StatusSource = Pick<SessionDetail, 'kind' | 'progress' | 'objects' | 'error' | 'warningCount'>;
