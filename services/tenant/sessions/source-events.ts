// Owns the conversion of source mover events into changes of the session record. Phases go to the session machine. Must not decide
// anything.
import type { SessionObject, SessionProgress } from '../../contracts/models/session.ts';
import type { MoverEvent, SourceTotals } from '../../mover/link/local-link.ts';
import { addAttempt, type AttemptFigures } from '../../session/attempt-figures.ts';
import { bottleneckOf } from '../../session/bottleneck.ts';
import type { LiveSession } from '../../session/live-session.ts';

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
    /** The figures of the session before this attempt. */
    readonly earlier: SessionProgress;
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
      live.setProgress(addAttempt(earlier, figuresOf(totals)), bottleneckOf(busy, targetBusy));
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
      if ('rootHash' in event) {
        const { processedBytes } = event.totals;
        live.setProgress(addAttempt(earlier, { ...figuresOf(event.totals), safeBytes: processedBytes }));
        // All data of the restore point is safe, and so is what earlier attempts processed.
        live.setProgress({ safeBytes: live.progress.processedBytes });
      }
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

function figuresOf(totals: SourceTotals): AttemptFigures {
  const { totalBytes = null, totalFiles = null, safeBytes = 0, restored, contentBytes } = totals;
  const { processedBytes, processedFiles, readBytes, transferredBytes, unchangedFiles, newBlocks, reusedBlocks } =
    totals;
  return {
    totalBytes,
    totalFiles,
    processedBytes,
    processedFiles,
    readBytes,
    transferredBytes,
    // Only a backup makes data safe at the provider.
    safeBytes,
    unchangedFiles,
    newBlocks,
    reusedBlocks,
    ...(restored === undefined ? {} : { restored }),
    ...(contentBytes === undefined ? {} : { contentBytes }),
  };
}
