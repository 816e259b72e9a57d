// Owns the tickets that this gateway accepts: each once, for at most a minute (docs/protocol.md, section 1). Must never hold a ticket, only
// its hash.
import { timingSafeEqual } from 'node:crypto';

import type { Clock } from '../kernel/clock.ts';
import type { Route } from '../wire/gateway-link-messages.ts';
import { hashTicket, type Preamble } from '../wire/preamble.ts';

const maxRoutes = 20_000;

interface Entry {
  readonly route: Route;
  readonly hash: Buffer;
  readonly expiresAtMs: number;
}

export class RouteTable {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns how many routes were added; fewer only when the table is full of valid routes */
  add(routes: readonly Route[]): number {
    const now = this.#clock.now();
    this.#forgetExpired(now);
    let accepted = 0;
    for (const route of routes) {
      if (this.#entries.size >= maxRoutes) break;
      this.#entries.set(route.ticketHash, {
        route,
        hash: Buffer.from(route.ticketHash, 'hex'),
        expiresAtMs: now + route.lifetimeMs,
      });
      accepted += 1;
    }
    return accepted;
  }

  /**
   * Returns the route of a ticket and removes it. A ticket of the wrong kind or after its time is removed too, and gives no route. The
   * lookup by hash leaks only the hash of what the client sent; the final comparison takes constant time.
   */
  take({ ticket, kind }: Preamble): Route | undefined {
    const hash = hashTicket(ticket);
    const entry = this.#entries.get(hash);
    if (entry === undefined || !timingSafeEqual(entry.hash, Buffer.from(hash, 'hex'))) return undefined;
    this.#entries.delete(hash);
    return entry.route.kind === kind && entry.expiresAtMs > this.#clock.now() ? entry.route : undefined;
  }

  #forgetExpired(now: number): void {
    for (const [hash, { expiresAtMs }] of this.#entries) if (expiresAtMs <= now) this.#entries.delete(hash);
  }
}
