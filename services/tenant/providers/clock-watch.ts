// Owns the measured differences between this tenant's clock and its providers' clocks. A wrong clock gives restore points wrong times, and
// makes certificates look expired or not yet valid. The status must show this before the first confusing error.
import type { ServiceHealth } from '../../kernel/running-service.ts';

/** Smaller differences come from the network or from an unsynchronized clock and do no harm. */
export const maxClockDifferenceMs = 5 * 60_000;

export class ClockWatch {
  readonly #differences = new Map<string, number>();
  readonly #listeners = new Set<(health: ServiceHealth) => void>();

  /** @param differenceMs how far the local clock is ahead; undefined for a provider of an earlier version */
  note(provider: string, differenceMs: number | undefined): void {
    const before = this.health().reason;
    if (differenceMs === undefined || Math.abs(differenceMs) <= maxClockDifferenceMs)
      this.#differences.delete(provider);
    else this.#differences.set(provider, differenceMs);
    const health = this.health();
    if (health.reason !== before) for (const listener of this.#listeners) listener(health);
  }

  forget(provider: string): void {
    this.note(provider, undefined);
  }

  health(): ServiceHealth {
    const [first] = this.#differences;
    if (first === undefined) return { health: 'running', reason: null };
    const [provider, differenceMs] = first;
    return { health: 'degraded', reason: `${describeClocks(differenceMs)} ("${provider}")` };
  }

  onChanged(listener: (health: ServiceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** Returns the difference as text. The people at the tenant and the people at the provider see the same text. */
export function describeClocks(differenceMs: number): string {
  const direction = differenceMs > 0 ? 'ahead of' : 'behind';
  return `The clocks differ: that of the tenant is ${describeTime(Math.abs(differenceMs))} ${direction} that of the provider; set the one that is wrong`;
}

function describeTime(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} hours`;
  return `${Math.round(minutes / 60 / 24)} days`;
}
