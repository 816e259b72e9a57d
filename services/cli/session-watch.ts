// Owns watching a session from the command line: progress line, JSON lines, steps in words, and the effect of Ctrl-C.
import type { HandshakeStep, SessionAction, SessionDetail } from '../contracts/models/session.ts';
import { withReasonTexts } from '../contracts/models/trust-texts.ts';
import type { TrustPrompt } from '../contracts/models/trust.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import type { AdminClient } from '../host/carriers/admin-client.ts';
import { followSession } from '../host/session-follower.ts';
import { whenAborted } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { CommandContext } from './command-context.ts';
import { printable } from './text-table.ts';
import { findQuestion, formatQuestion, questionError } from './trust-question.ts';

export interface WatchOptions {
  /** Whether to print every step and event, not only the end. */
  readonly isFollowed: boolean;
  /** Effect of Ctrl-C: cancel the session (if this command started it), or only stop watching. */
  readonly onInterrupt: 'cancel' | 'leave';
  /**
   * Effect of a question about the provider's certificate: print it and let the session wait, or cancel the session because nobody can
   * answer.
   */
  readonly onQuestion?: 'tell' | 'cancel';
}

/**
 * @returns the session after its end
 * @throws FarkeepError call.canceled when the user stopped watching; trust.untrusted or trust.changed when a question ended the session
 */
export async function watchSession(
  { output, signal, home }: CommandContext,
  client: AdminClient,
  sessionId: string,
  { isFollowed, onInterrupt, onQuestion = 'tell' }: WatchOptions,
): Promise<SessionDetail> {
  let state: SessionDetail['state'] | undefined;
  let question: TrustPrompt | undefined;
  const lookForQuestion = async (): Promise<void> => {
    const found = await findQuestion(client, sessionId);
    if (found === undefined || found.id === question?.id) return;
    question = found;
    if (onQuestion === 'cancel') await client.call(sessionsDomain.name, 'cancel', { sessionId });
    else output.note(formatQuestion(found, home));
  };
  const stopListening = whenAborted(signal, () => {
    if (onInterrupt === 'leave') return;
    output.note('Canceling... (press Ctrl-C again to exit immediately)');
    // If the call is refused because the session has ended, the end of the session is reported anyway.
    void client.call(sessionsDomain.name, 'cancel', { sessionId });
  });
  try {
    const ended = await followSession(client, sessionId, {
      ...(onInterrupt === 'leave' ? { signal } : {}),
      listener: {
        onProgress: (detail) => {
          output.progress.show(detail.progress, labelOf(detail));
          if (detail.state === 'waiting-to-resume' && state !== detail.state) {
            // `lookForQuestion` fails only if the connection to the service fails. Then the watching ends too.
            lookForQuestion().catch(() => undefined);
          }
          if (detail.state === 'paused' && state !== detail.state) {
            output.note(
              `Paused by the ${detail.pausedBy ?? 'tenant'}. Continue: farkeep session resume ${sessionId.slice(0, 12)}`,
            );
          }
          state = detail.state;
        },
        onEvent: ({ event, payload }) => {
          if (!isFollowed) return;
          output.line({ event, ...(payload as object) });
          const text =
            event === 'acted' ? formatAction(payload) : event === 'stepped' ? formatStep(payload) : undefined;
          if (text !== undefined) output.note(text);
        },
      },
    });
    // A person may have answered in the console just before the cancel.
    if (onQuestion === 'cancel' && question !== undefined && ended.state === 'canceled' && !signal.aborted) {
      throw questionError(question, { home, sessionId });
    }
    return ended;
  } catch (error) {
    if (signal.aborted && onInterrupt === 'leave') {
      throw new FarkeepError('call.canceled', 'Stopped watching; the session continues', {
        hint: `End it with: farkeep session cancel ${sessionId.slice(0, 12)}`,
      });
    }
    throw error;
  } finally {
    output.progress.clear();
    stopListening();
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

/** Formats a step. Returns undefined for a step that has only begun, because the end of the step is printed. */
function formatStep(payload: unknown): string | undefined {
  const { step, outcome, detail, keyIdentifier, durationMs } = (payload as { step: HandshakeStep }).step;
  if (outcome === 'active') return undefined;
  const mark = outcome === 'done' ? '  ' : outcome === 'failed' ? 'x ' : '!!';
  const key = keyIdentifier === null ? '' : ` [${keyIdentifier}]`;
  return `${mark} ${step}${key}: ${printable(withReasonTexts(detail))}${durationMs === null ? '' : ` (${Math.round(durationMs)} ms)`}`;
}
