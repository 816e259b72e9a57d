// Owns watching a session from the command line: progress line, JSON lines, steps in words; and what Ctrl-C does to it.
import type { HandshakeStep, SessionAction, SessionDetail } from '../contracts/models/session.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import type { AdminClient } from '../host/admin-client.ts';
import { followSession } from '../host/session-follower.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { CommandContext } from './command-context.ts';
import { printable } from './text-table.ts';

export interface WatchOptions {
  /** Tell every step and event, not only the end. */
  readonly isFollowed: boolean;
  /** What Ctrl-C means: end the session (it was started here), or only stop looking. */
  readonly onInterrupt: 'cancel' | 'leave';
}

/** @returns the session as it ended @throws FarkeepError call.cancelled when somebody stopped looking */
export async function watchSession(
  { output, signal }: CommandContext,
  client: AdminClient,
  sessionId: string,
  { isFollowed, onInterrupt }: WatchOptions,
): Promise<SessionDetail> {
  const onAbort = (): void => {
    if (onInterrupt === 'leave') return;
    output.note('Cancelling ... (Ctrl-C again leaves at once)');
    // A refusal (it ended meanwhile) shows itself in the session's end.
    void client.call(sessionsDomain.name, 'cancel', { sessionId });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await followSession(client, sessionId, {
      ...(onInterrupt === 'leave' ? { signal } : {}),
      listener: {
        onProgress: (detail) => output.progress.show(detail.progress, labelOf(detail)),
        onEvent: ({ event, payload }) => {
          if (!isFollowed) return;
          output.line({ event, ...(payload as object) });
          const text =
            event === 'acted' ? formatAction(payload) : event === 'stepped' ? formatStep(payload) : undefined;
          if (text !== undefined) output.note(text);
        },
      },
    });
  } catch (error) {
    if (signal.aborted && onInterrupt === 'leave') {
      throw new FarkeepError('call.cancelled', 'Stopped watching; the session goes on', {
        hint: `End it with: farkeep session cancel ${sessionId.slice(0, 12)}`,
      });
    }
    throw error;
  } finally {
    output.progress.clear();
    signal.removeEventListener('abort', onAbort);
  }
}

function labelOf({ state, attempt }: SessionDetail): string {
  return attempt > 1 ? `${state} (attempt ${attempt})` : state;
}

function formatAction(payload: unknown): string {
  const { level, text, durationMs } = (payload as { action: SessionAction }).action;
  const mark = level === 'info' ? '  ' : level === 'warning' ? '! ' : level === 'error' ? 'x ' : '!!';
  return `${mark} ${printable(text)}${durationMs === null ? '' : ` (${Math.round(durationMs)} ms)`}`;
}

/** What is only beginning is not told; its end is. */
function formatStep(payload: unknown): string | undefined {
  const { step, outcome, detail, keyIdentifier, durationMs } = (payload as { step: HandshakeStep }).step;
  if (outcome === 'active') return undefined;
  const mark = outcome === 'done' ? '  ' : outcome === 'failed' ? 'x ' : '!!';
  const key = keyIdentifier === null ? '' : ` [${keyIdentifier}]`;
  return `${mark} ${step}${key}: ${printable(detail)}${durationMs === null ? '' : ` (${Math.round(durationMs)} ms)`}`;
}
