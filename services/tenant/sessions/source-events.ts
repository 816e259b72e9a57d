// Owns the conversion of source mover events into changes of the session record. Phases go to the session machine. Must not decide
// anything.
import type { SessionObject } from '../../contracts/models/session.ts';
import type { MoverEvent, RestoredFigures, SourceTotals } from '../../mover/link/local-link.ts';
import type { LiveSession } from '../../session/live-session.ts';

/** The results of earlier attempts. */
export interface EarlierAttempts {
  readonly readBytes: number;
  readonly transferredBytes: number;
  /** What earlier attempts have restored. The current attempt does not restore it again, and would count it as skipped. */
  readonly restored: RestoredFigures | undefined;
}

/** A mover counts from zero in every attempt. People and the evidence get the totals of the whole session. */
export function applySourceEvent(
  live: LiveSession,
  event: MoverEvent,
  {
    targetBusy,
    earlier,
    onPhase,
  }: {
    readonly targetBusy?: number | undefined;
    readonly earlier: EarlierAttempts;
    readonly onPhase: (phase: 'transferring' | 'finalizing') => void;
  },
): void {
  switch (event.type) {
    case 'streams-open':
      live.endStep('streams-open', `${event.count} data streams under Key B`);
      onPhase('transferring');
      return;
    case 'progress': {
      if (!('phase' in event)) return;
      const { totals, busy, phase } = event;
      if (phase === 'finalizing') onPhase('finalizing');
      live.setProgress(progressOf(totals, earlier), {
        source: share(busy.source),
        compression: share(busy.compress),
        network: share(busy.network),
        target: share(Math.max(busy.target, targetBusy ?? 0)),
      });
      return;
    }
    case 'object':
      live.putObject({
        name: event.name,
        state: objectStates[event.state],
        sizeBytes: event.state === 'running' ? null : event.bytes,
        processedBytes: event.bytes,
      });
      return;
    case 'warning': {
      const { code, message, path } = event.warning;
      live.warn({ code, message, path });
      return;
    }
    case 'remark':
      live.remark(event.text);
      return;
    case 'finished':
      if ('rootHash' in event)
        live.setProgress({ ...progressOf(event.totals, earlier), safeBytes: event.totals.processedBytes });
      return;
    default:
      return;
  }
}

const objectStates: Record<'running' | 'succeeded' | 'warning' | 'failed', SessionObject['state']> = {
  running: 'running',
  succeeded: 'done',
  warning: 'warning',
  failed: 'failed',
};

function progressOf(totals: SourceTotals, earlier: EarlierAttempts): Parameters<LiveSession['setProgress']>[0] {
  return {
    totalBytes: totals.totalBytes ?? null,
    totalFiles: totals.totalFiles ?? null,
    processedBytes: totals.processedBytes,
    processedFiles: totals.processedFiles,
    readBytes: earlier.readBytes + totals.readBytes,
    transferredBytes: earlier.transferredBytes + totals.transferredBytes,
    // Only a backup makes data safe at the provider.
    safeBytes: totals.safeBytes ?? 0,
    unchangedFiles: totals.unchangedFiles,
    newBlocks: totals.newBlocks,
    reusedBlocks: totals.reusedBlocks,
    ...(totals.restored === undefined ? {} : { restored: together(totals.restored, earlier.restored) }),
  };
}

function together(now: RestoredFigures, earlier: RestoredFigures | undefined): RestoredFigures {
  if (earlier === undefined) return now;
  return {
    files: earlier.files + now.files,
    bytes: earlier.bytes + now.bytes,
    skipped: Math.max(0, now.skipped - earlier.files),
    failed: now.failed,
  };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
