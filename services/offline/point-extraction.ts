// Owns `farkeep point extract`: restores a restore point from a tenant's repository folder without any service. Calls
// services/repository/restore/extract.ts.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ErrorInfo } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { showPath } from '../mover/source/walk/path-text.ts';
import { extractPoint } from '../repository/restore/extract.ts';
import { restoreFailure } from '../repository/restore/restore-failure.ts';
import { countOfKind, isMissed, namesOf } from '../repository/points/special-files.ts';

export interface ExtractionResult {
  readonly files: number;
  readonly bytes: number;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
  readonly problemCount: number;
  /** Notes that need no action. */
  readonly remarks: readonly string[];
  /** Files that were kept as they are because the name already exists at the destination. */
  readonly skipped: number;
  /** Why the whole extraction does not have the requested result. */
  readonly error?: ErrorInfo;
}

/** @throws FarkeepError when the folder or the restore point itself cannot be read; problems of single files are in the result */
export async function extractRestorePoint(options: {
  readonly tenantFolder: string;
  readonly pointId: string;
  readonly to: string;
  readonly onProgress?: (contentBytes: number) => void;
  readonly signal: AbortSignal;
}): Promise<ExtractionResult> {
  const tenantFolder = path.resolve(options.tenantFolder);
  const status = await stat(tenantFolder).catch(() => undefined);
  if (status?.isDirectory() !== true) {
    throw new FarkeepError('call.not-found', `${tenantFolder} is not a folder`, {
      hint: 'Give the folder of the tenant inside the repository: REPOSITORY/TENANT_ID.',
    });
  }
  const to = path.resolve(options.to);
  const { onProgress } = options;
  const result = await extractPoint({
    tenantFolder,
    pointId: options.pointId,
    to,
    signal: options.signal,
    ...(onProgress === undefined ? {} : { onProgress: ({ contentBytes }) => onProgress(contentBytes) }),
  });
  const failure = restoreFailure(result.counts);
  return {
    files: result.counts.files + result.counts.hardLinks,
    bytes: result.counts.contentBytes,
    problems: result.problems.map(({ path: name, message, group }) => ({
      path: showPath(name),
      reason: group === undefined ? message : `${message}: ${namesOf(group, showPath)}`,
    })),
    remarks: [
      ...result.specials
        .filter(({ kind }) => !isMissed(kind))
        .map((group) => `${countOfKind(group)} not made anew: ${namesOf(group, showPath)}`),
      ...result.remarks.map((remark) => `${remark.text}: ${namesOf(remark, showPath)}`),
    ],
    problemCount: result.problemCount,
    skipped: result.counts.skipped,
    ...(failure === undefined ? {} : { error: failure.toInfo() }),
  };
}
