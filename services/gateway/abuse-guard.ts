// Owns counting bad connections by client address, and refusing an address that makes too many (docs/protocol.md, section 1). Bounded
// memory.
import type { Clock } from '../kernel/clock.ts';
import { countingKey } from '../transport/client-address.ts';

const maxAddresses = 16_384;

export interface AbuseLimits {
  readonly badConnections: number;
  readonly badWindowMs: number;
  readonly refuseMs: number;
}

interface Entry {
  count: number;
  windowEndsAtMs: number;
  refusedUntilMs: number;
}

export class AbuseGuard {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: AbuseLimits;
  readonly #clock: Clock;

  constructor(limits: AbuseLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  isRefused(address: string): boolean {
    const entry = this.#entries.get(countingKey(address));
    return entry !== undefined && entry.refusedUntilMs > this.#clock.now();
  }

  /** Counts a bad connection. @returns true when the address reaches its limit with this connection */
  countBad(address: string): boolean {
    const key = countingKey(address);
    const now = this.#clock.now();
    let entry = this.#entries.get(key);
    if (entry === undefined || entry.windowEndsAtMs <= now) {
      entry = { count: 0, windowEndsAtMs: now + this.#limits.badWindowMs, refusedUntilMs: entry?.refusedUntilMs ?? 0 };
      // Moves the entry to the end. When there are too many entries, the first one (longest without a bad connection) is removed.
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      this.#dropOldest();
    }
    entry.count += 1;
    if (entry.count < this.#limits.badConnections || entry.refusedUntilMs > now) return false;
    entry.refusedUntilMs = now + this.#limits.refuseMs;
    entry.count = 0;
    return true;
  }

  #dropOldest(): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxAddresses && oldest !== undefined) this.#entries.delete(oldest);
  }
}
