// Owns following one session over the local socket until its end: events, snapshots after gaps, one final snapshot. Used by the command
// line and `farkeep demo`. Must not start or cancel a session.
import type { EventMessage } from '../contracts/carrier.ts';
import { finalSessionStates, type SessionDetail } from '../contracts/models/session.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { whenAborted } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { AdminClient } from './carriers/admin-client.ts';

export interface SessionListener {
  /** Called when state, totals or rates changed. */
  onProgress?(detail: SessionDetail): void;
  /** Receives every event of this session unchanged; for `--json --follow`. */
  onEvent?(event: EventMessage): void;
}

/**
 * @returns the final state of the session
 * @throws FarkeepError call.canceled when the signal fires, connection.lost when the service ends
 */
export async function followSession(
  client: AdminClient,
  sessionId: string,
  { listener = {}, signal }: { readonly listener?: SessionListener; readonly signal?: AbortSignal } = {},
): Promise<SessionDetail> {
  const sessions = client.domain(sessionsDomain);
  const end = Promise.withResolvers<SessionDetail>();
  let detail: SessionDetail | undefined;
  let lastSequence = 0;
  let isRefreshing = false;
  let isOutdated = false;

  const accept = (next: SessionDetail): void => {
    detail = next;
    listener.onProgress?.(next);
    if (finalSessionStates.includes(next.state)) end.resolve(next);
  };
  /**
   * Requests one snapshot at a time. A snapshot may be older than an event that arrived before the snapshot, so a change during the request
   * causes another request.
   */
  const refresh = (): void => {
    if (isRefreshing) {
      isOutdated = true;
      return;
    }
    isRefreshing = true;
    sessions.show({ sessionId }).then((next) => {
      isRefreshing = false;
      accept(next);
      if (!isOutdated) return;
      isOutdated = false;
      refresh();
    }, end.reject);
  };

  const unsubscribe = client.subscribe((event) => {
    const hasGap = lastSequence !== 0 && event.sequence !== lastSequence + 1;
    lastSequence = event.sequence;
    if (hasGap) refresh();
    if (event.domain !== sessionsDomain.name) return;
    const change = parseEvent(event, sessionId);
    if (change === undefined) return;
    listener.onEvent?.(event);
    if (change.event === 'changed') {
      // The final snapshot contains warnings and steps that the summary does not.
      if (detail === undefined || isRefreshing || finalSessionStates.includes(change.payload.state)) refresh();
      else accept({ ...detail, ...change.payload });
    } else if (change.event === 'progressed' && detail !== undefined) accept({ ...detail, ...change.payload });
  });
  const stopListening = whenAborted(signal, () => end.reject(new FarkeepError('call.canceled')));
  void client.closed.then(() =>
    end.reject(
      new FarkeepError('connection.lost', `The ${client.role} service ended while the session ran`, {
        hint: 'Start the service again; the session resumes, or can be run again. See: farkeep session list',
      }),
    ),
  );
  try {
    refresh();
    return await end.promise;
  } finally {
    unsubscribe();
    stopListening();
  }
}

type SessionChange =
  | { event: 'progressed'; payload: Pick<SessionDetail, 'progress' | 'bottleneck'> }
  | { event: 'changed'; payload: Omit<SessionDetail, Exclude<keyof SessionDetail, keyof ChangedPayload>> }
  | { event: 'other' };
type ChangedPayload = ReturnType<typeof sessionsDomain.events.changed.payload.parse>;

/** @returns undefined when the event is about another session */
function parseEvent({ event, payload }: EventMessage, sessionId: string): SessionChange | undefined {
  if (event === 'changed') {
    const parsed = sessionsDomain.events.changed.payload.safeParse(payload);
    return parsed.success && parsed.data.id === sessionId ? { event, payload: parsed.data } : undefined;
  }
  if (event === 'progressed') {
    const parsed = sessionsDomain.events.progressed.payload.safeParse(payload);
    if (!parsed.success || parsed.data.sessionId !== sessionId) return undefined;
    return { event, payload: { progress: parsed.data.progress, bottleneck: parsed.data.bottleneck } };
  }
  const isOurs =
    typeof payload === 'object' && payload !== null && 'sessionId' in payload && payload.sessionId === sessionId;
  return isOurs ? { event: 'other' } : undefined;
}
