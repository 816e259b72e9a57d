// Owns how the end of a session is reported: exit code, the stable JSON form, sentences for people. Used by job run, restore, session
// watch.
import { errorCatalogue, exitCodes } from '../contracts/errors.ts';
import { handshakeSteps } from '../contracts/models/handshake.ts';
import { type HandshakeStep, type SessionDetail, type SessionSummary } from '../contracts/models/session.ts';
import { formatBytes, formatCounted, formatDuration, formatRate } from './quantities.ts';
import { printable } from './text-table.ts';

export function exitCodeOf({ state, error, hasSecurityWarning }: SessionSummary): number {
  if (hasSecurityWarning) return exitCodes.security;
  switch (state) {
    case 'succeeded':
      return exitCodes.done;
    case 'warning':
      return exitCodes.warnings;
    case 'canceled':
      return exitCodes.canceled;
    default: {
      const exitCode = error === null ? exitCodes.failed : errorCatalogue[error.code].exitCode;
      return exitCode === exitCodes.done ? exitCodes.failed : exitCode;
    }
  }
}

/** Sorts by attempt and by the order of docs/protocol.md, because the steps arrive from two sides at different times. */
export function inOrder(steps: readonly HandshakeStep[]): HandshakeStep[] {
  return steps.toSorted(
    (one, other) =>
      one.attempt - other.attempt || handshakeSteps.indexOf(one.step) - handshakeSteps.indexOf(other.step),
  );
}

export function durationMsOf({ createdAt, endedAt }: SessionSummary): number {
  return (endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(createdAt);
}

/** The stable JSON form (docs/cli.md). */
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

/** What a session has restored. A session from before this count existed has only its processed files. */
export function restoredOf({ progress }: SessionSummary): { files: number; bytes: number; skipped: number } {
  const { restored, processedFiles, processedBytes } = progress;
  return restored ?? { files: processedFiles, bytes: processedBytes, skipped: 0 };
}

/** Describes the cause of a security warning: changed data, or a forged announcement of a certificate. */
function securityWarningOf({ actions }: SessionDetail): string {
  const action = actions.findLast(({ level }) => level === 'security');
  return action === undefined ? 'see the log of the session.' : printable(action.text);
}

/** A short report for people. */
export function formatOutcome(session: SessionDetail): string {
  const { state, kind, progress, warnings, warningCount, error, pointId, attempt } = session;
  const durationMs = durationMsOf(session);
  const { files, bytes, skipped } = restoredOf(session);
  const rate = formatRate(bytes / Math.max(durationMs / 1000, 0.001));
  const verb = kind === 'restore' ? 'restored' : 'backed up';
  const lines: string[] = [];
  if (session.hasSecurityWarning) lines.push(`SECURITY WARNING: ${securityWarningOf(session)}`);
  if (state === 'succeeded' || state === 'warning') {
    lines.push(
      `${formatCounted(files, 'file')}, ${formatBytes(bytes)} ${verb} in ${formatDuration(durationMs)} (${rate})` +
        (kind === 'backup'
          ? `; ${formatBytes(progress.transferredBytes)} sent, ${formatCounted(progress.unchangedFiles, 'file')} unchanged`
          : '') +
        (skipped > 0 ? `; ${formatCounted(skipped, 'file')} skipped by the overwrite rule` : '') +
        `${attempt > 1 ? `; ${attempt} attempts` : ''}.`,
    );
    if (pointId !== null && kind === 'backup') lines.push(`Restore point: ${pointId}`);
  } else if (state === 'canceled')
    lines.push('Canceled. No restore point was made; the next run reuses what was sent.');
  else if (error !== null) lines.push(`Error: ${printable(error.message)}`, `Next: ${printable(error.hint)}`);
  else lines.push('Failed.');
  if (state === 'failed' && kind === 'restore' && files > 0)
    lines.push(`Restored before the end: ${formatCounted(files, 'file')}, ${formatBytes(bytes)}.`);
  if (warningCount > 0) {
    lines.push(`${formatCounted(warningCount, 'warning')}:`);
    for (const { path, message } of warnings.slice(0, 20)) {
      lines.push(`  ${path === null ? '' : `${printable(path)}: `}${printable(message)}`);
    }
    if (warningCount > 20) lines.push(`  ... for all of them: farkeep session show ${session.id.slice(0, 12)}`);
  }
  return lines.join('\n');
}
