// Owns a target mover's tickets: the connections that it expects. Tickets are compared in constant time. Each ticket can be used once and
// for a short time. The gateway has already checked the same ticket. This second check stops an attacker who reaches the mover without a
// gateway.
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { PreambleKind } from '../../wire/preamble.ts';

export type TicketPurpose = { readonly kind: 'tunnel' } | { readonly kind: 'data'; readonly streamIndex: number };

interface Entry {
  readonly ticket: Buffer;
  readonly purpose: TicketPurpose;
  isUsed: boolean;
}

export class TicketBook {
  readonly #entries: Entry[];
  readonly #clock: Clock;
  readonly #validUntilMs: number;

  constructor(
    tickets: { readonly tunnel: Buffer; readonly streams: readonly Buffer[] },
    lifetimeMs: number,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#validUntilMs = clock.now() + lifetimeMs;
    this.#entries = [
      { ticket: Buffer.from(tickets.tunnel), purpose: { kind: 'tunnel' }, isUsed: false },
      ...tickets.streams.map((ticket, streamIndex): Entry => ({
        ticket: Buffer.from(ticket),
        purpose: { kind: 'data', streamIndex },
        isUsed: false,
      })),
    ];
  }

  /** Uses up the ticket and returns its purpose. Returns undefined if the ticket is unknown, used, too old or of the other kind. */
  redeem(kind: PreambleKind, ticket: Buffer): TicketPurpose | undefined {
    let found: Entry | undefined;
    // All tickets are compared, so that the needed time reveals nothing about the ticket.
    for (const entry of this.#entries) {
      if (ticket.length === entry.ticket.length && timingSafeEqual(ticket, entry.ticket)) found = entry;
    }
    if (found === undefined || found.isUsed || found.purpose.kind !== kind) return undefined;
    if (this.#clock.now() > this.#validUntilMs) return undefined;
    found.isUsed = true;
    return found.purpose;
  }

  get isExhausted(): boolean {
    return this.#entries.every((entry) => entry.isUsed);
  }
}
