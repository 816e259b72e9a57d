// Owns how a session that ended is told: exit code, the stable JSON form, sentences for people. Used by job run, restore, session watch.
import { errorCatalogue, exitCodes } from '../contracts/errors.ts';
import type { SessionDetail, SessionSummary } from '../contracts/models/session.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './quantities.ts';
import { printable } from './text-table.ts';

export function exitCodeOf({ state, error, hasSecurityWarning }: SessionSummary): number {
  if (hasSecurityWarning) return exitCodes.security;
  switch (state) {
    case 'succeeded':
      return exitCodes.done;
    case 'warning':
      return exitCodes.warnings;
    case 'cancelled':
      return exitCodes.cancelled;
    default: {
      const exitCode = error === null ? exitCodes.failed : errorCatalogue[error.code].exitCode;
      return exitCode === exitCodes.done ? exitCodes.failed : exitCode;
    }
  }
}

export function durationMsOf({ createdAt, endedAt }: SessionSummary): number {
  return (endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(createdAt);
}

/** The stable form (docs/cli.md). */
export function sessionJson(session: SessionDetail): Record<string, unknown> {
  const { id, kind, jobName, state, attempt, progress, warnings, warningCount, pointId, storedBytes, error } = session;
  return {
    id,
    kind,
    job: jobName,
    state,
    attempts: attempt,
    readBytes: progress.readBytes,
    transferredBytes: progress.transferredBytes,
    storedBytes: storedBytes ?? 0,
    sourceBytes: progress.processedBytes,
    sourceFiles: progress.processedFiles,
    seconds: durationMsOf(session) / 1000,
    warnings,
    warningCount,
    point: pointId,
    hasSecurityWarning: session.hasSecurityWarning,
    error,
  };
}

/** A few lines for people. */
export function formatOutcome(session: SessionDetail): string {
  const { state, kind, progress, warnings, warningCount, error, pointId, attempt } = session;
  const durationMs = durationMsOf(session);
  const rate = formatRate(progress.processedBytes / Math.max(durationMs / 1000, 0.001));
  const verb = kind === 'restore' ? 'restored' : 'backed up';
  const lines: string[] = [];
  if (session.hasSecurityWarning) lines.push('SECURITY WARNING: data was changed on the way. Nothing of it was used.');
  if (state === 'succeeded' || state === 'warning') {
    lines.push(
      `${formatCount(progress.processedFiles)} files, ${formatBytes(progress.processedBytes)} ${verb} in ${formatDuration(durationMs)} (${rate})` +
        (kind === 'backup'
          ? `; ${formatBytes(progress.transferredBytes)} sent, ${formatCount(progress.unchangedFiles)} files unchanged`
          : '') +
        `${attempt > 1 ? `; ${attempt} attempts` : ''}.`,
    );
    if (pointId !== null && kind === 'backup') lines.push(`Restore point: ${pointId}`);
  } else if (state === 'cancelled')
    lines.push('Cancelled. Nothing half-done was kept; what was sent is reused by the next run.');
  else if (error !== null) lines.push(`Error: ${printable(error.message)}`, `Next: ${error.hint}`);
  else lines.push('Failed.');
  if (warningCount > 0) {
    lines.push(`${formatCount(warningCount)} warnings:`);
    for (const { path, message } of warnings.slice(0, 20)) {
      lines.push(`  ${path === null ? '' : `${printable(path)}: `}${printable(message)}`);
    }
    if (warningCount > 20) lines.push(`  ... all of them: farkeep session show ${session.id.slice(0, 12)}`);
  }
  return lines.join('\n');
}
