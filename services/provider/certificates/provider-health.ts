// Owns the health of the provider service: a state and a sentence for people. Must not start anything.
import type { Clock } from '../../kernel/clock.ts';
import type { ServiceHealth } from '../../kernel/running-service.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { ProviderIdentity } from './provider-identity.ts';

export interface HealthSources {
  readonly gateways: Pick<Gateways, 'rows' | 'isConnected'>;
  readonly identity: Pick<ProviderIdentity, 'stored'>;
  readonly clock: Clock;
}

export class ProviderHealth {
  readonly #sources: HealthSources;
  readonly #listeners = new Set<(health: ServiceHealth) => void>();
  #last: ServiceHealth;

  constructor(sources: HealthSources) {
    this.#sources = sources;
    this.#last = this.current();
  }

  current(): ServiceHealth {
    const reason = this.#findReason();
    return reason === null ? { health: 'running', reason } : { health: 'degraded', reason };
  }

  /** Call this after a possible change. Listeners are called only after a real change. */
  refresh(): void {
    const next = this.current();
    if (next.health === this.#last.health && next.reason === this.#last.reason) return;
    this.#last = next;
    for (const listener of this.#listeners) listener(next);
  }

  onChanged(listener: (health: ServiceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #findReason(): string | null {
    const { gateways, identity, clock } = this.#sources;
    const { notAfter } = identity.stored.summary;
    if (Date.parse(notAfter) < clock.now()) return `The provider certificate expired on ${notAfter.slice(0, 10)}`;
    const expected = gateways.rows().filter((row) => row.isEnabled && row.enrolledAt !== null);
    // Before the first gateway is enrolled, no gateway is missing.
    if (expected.length === 0 || expected.some((row) => gateways.isConnected(row.id))) return null;
    return expected.length === 1
      ? `The gateway "${expected[0]?.name ?? ''}" has no link to this provider; no tenant can get in`
      : 'No gateway has a link to this provider; no tenant can get in';
  }
}
