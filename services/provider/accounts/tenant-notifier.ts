// Owns the messages of the provider to the tenant about one attempt, over the control connection of that attempt. Must not decide anything.
// The messages contain no key. About the provider's disks, they only say that a disk failed.
import type { HandshakeStep } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import { forTenant } from '../../mover/link/for-tenant.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { tellTenant, type MessagePeer } from '../../wire/control-calls.ts';
import type { ProviderNotification, TamperedNotice, WireHandshakeStep } from '../../wire/control-messages.ts';

type News = Omit<ProviderNotification<'session.event'>, 'sessionId' | 'attempt'>;

export class TenantNotifier {
  readonly peer: MessagePeer;
  readonly #live: LiveSession;

  constructor(peer: MessagePeer, live: LiveSession) {
    this.peer = peer;
    this.#live = live;
  }

  steps(steps: readonly HandshakeStep[]): void {
    this.#event({ steps: steps.map(toWireStep) });
  }

  /** @param share busy share of the target, 0 to 1 */
  busy(share: number): void {
    this.#event({ targetBusy: Math.min(1, Math.max(0, share)) });
  }

  ended(isFinal: boolean, error: FarkeepError): void {
    this.#event({ ended: { isFinal, error: forTenant(error).toInfo() } });
  }

  wish(wish: 'pause' | 'resume'): void {
    const { id: sessionId, attempt } = this.#live;
    tellTenant(this.peer, 'session.wish', { sessionId, attempt, wish });
  }

  committed(pointId: string, storedBytes: number): void {
    const { id: sessionId, attempt } = this.#live;
    tellTenant(this.peer, 'session.committed', { sessionId, attempt, pointId, storedBytes });
  }

  tampered(error: FarkeepError, where: TamperedNotice['where']): void {
    const stream = error.details?.['stream'];
    tellTenant(this.peer, 'session.tampered', {
      sessionId: this.#live.id,
      attempt: this.#live.attempt,
      where,
      stream: typeof stream === 'number' ? stream : null,
      reason: error.message.slice(0, 500),
    });
  }

  #event(news: News): void {
    const { id: sessionId, attempt } = this.#live;
    tellTenant(this.peer, 'session.event', { sessionId, attempt, ...news });
  }
}

export function toWireStep({
  step,
  outcome,
  at,
  durationMs,
  detail,
  keyIdentifier,
}: WireHandshakeStep): WireHandshakeStep {
  return { step, outcome, at, durationMs, detail: detail.slice(0, 500), keyIdentifier };
}
