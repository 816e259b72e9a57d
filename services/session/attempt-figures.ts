// Owns how the figures of a session's attempts add up: each published figure only grows. A data mover counts from zero in every attempt, and
// what an earlier attempt made safe stays safe. Pure.
import type { SessionProgress } from '../contracts/models/session.ts';

/** The figures that never run backwards. Rates and the remaining time may. */
export const growingFigures = [
  'processedBytes',
  'processedFiles',
  'readBytes',
  'transferredBytes',
  'safeBytes',
  'unchangedFiles',
  'newBlocks',
  'reusedBlocks',
] as const satisfies readonly (keyof SessionProgress)[];

type GrowingFigure = (typeof growingFigures)[number];

/** What one attempt has counted so far. */
export type AttemptFigures = Pick<
  SessionProgress,
  GrowingFigure | 'contentBytes' | 'totalBytes' | 'totalFiles' | 'restored'
>;

/**
 * The figures of a session after a report: no figure is smaller than before. A total that is being counted again keeps its last value, and
 * no total is smaller than what was processed.
 */
export function grown(before: SessionProgress, report: Partial<SessionProgress>): SessionProgress {
  const after = { ...before, ...report };
  if (after.restored === undefined && before.restored !== undefined) after.restored = before.restored;
  if (before.contentBytes !== undefined || report.contentBytes !== undefined)
    after.contentBytes = Math.max(before.contentBytes ?? 0, report.contentBytes ?? 0);
  for (const name of growingFigures) after[name] = Math.max(before[name], after[name]);
  after.processedBytes = Math.max(after.processedBytes, after.safeBytes);
  after.totalBytes = total(report.totalBytes ?? before.totalBytes, after.processedBytes);
  after.totalFiles = total(report.totalFiles ?? before.totalFiles, after.processedFiles);
  if (before.restored !== undefined && after.restored !== undefined) {
    const { files, bytes, skipped, failed } = after.restored;
    after.restored = {
      files: Math.max(before.restored.files, files),
      bytes: Math.max(before.restored.bytes, bytes),
      skipped: Math.max(before.restored.skipped, skipped),
      // A file that failed in one attempt may be restored by the next.
      failed,
    };
  }
  return after;
}

/**
 * The figures of a session from those of its earlier attempts and of the running one. Work is added up: bytes that were read or sent twice
 * count twice. What describes the state of the source is counted again by each attempt, so the earlier value is its least value.
 */
export function addAttempt(earlier: SessionProgress, now: AttemptFigures): Partial<SessionProgress> {
  const figures: Partial<SessionProgress> = {
    ...now,
    readBytes: earlier.readBytes + now.readBytes,
    transferredBytes: earlier.transferredBytes + now.transferredBytes,
    newBlocks: earlier.newBlocks + now.newBlocks,
    ...(now.contentBytes === undefined ? {} : { contentBytes: (earlier.contentBytes ?? 0) + now.contentBytes }),
  };
  if (now.restored !== undefined && earlier.restored !== undefined) {
    const { files, bytes, skipped, failed } = now.restored;
    figures.restored = {
      files: earlier.restored.files + files,
      bytes: earlier.restored.bytes + bytes,
      // What earlier attempts have restored is not restored again, so the mover counts it as skipped.
      skipped: Math.max(0, skipped - earlier.restored.files),
      failed,
    };
  }
  return grown(earlier, figures);
}

function total(counted: number | null, processed: number): number | null {
  return counted === null ? null : Math.max(counted, processed);
}
