import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../kernel/clock.ts';
import { TicketBook } from './ticket-book.ts';

describe('the ticket book', () => {
  const tickets = { tunnel: randomBytes(32), streams: [randomBytes(32), randomBytes(32)] };
  const [, second = Buffer.alloc(0)] = tickets.streams;
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() };

  it('accepts each ticket once, for its own kind of connection', () => {
    const book = new TicketBook(tickets, 60_000, clock);
    expect(book.redeem('data', tickets.tunnel)).toBeUndefined();
    expect(book.redeem('tunnel', second)).toBeUndefined();
    expect(book.redeem('data', randomBytes(32))).toBeUndefined();
    expect(book.redeem('data', Buffer.alloc(5))).toBeUndefined();
    expect(book.redeem('data', second)).toEqual({ kind: 'data', streamIndex: 1 });
    expect(book.redeem('data', second)).toBeUndefined();
    expect(book.redeem('tunnel', tickets.tunnel)).toEqual({ kind: 'tunnel' });
    expect(book.isExhausted).toBe(false);
    book.redeem('data', tickets.streams[0] ?? Buffer.alloc(0));
    expect(book.isExhausted).toBe(true);
  });

  it('accepts no ticket after its lifetime', () => {
    nowMs = 0;
    const book = new TicketBook(tickets, 60_000, clock);
    nowMs = 60_001;
    expect(book.redeem('tunnel', tickets.tunnel)).toBeUndefined();
  });

  it('keeps its own copy of the tickets', () => {
    nowMs = 0;
    const given = { tunnel: Buffer.from(tickets.tunnel), streams: [] };
    const book = new TicketBook(given, 60_000, clock);
    given.tunnel.fill(0);
    expect(book.redeem('tunnel', tickets.tunnel)).toEqual({ kind: 'tunnel' });
  });
});
