// Owns noticing that a transfer stands still although nothing is broken: a held-back or swallowed byte looks exactly like that.
// Only tells; ending the attempt is the caller's business.
import type { Timers } from '../../kernel/clock.ts';
import { IdleTimer } from '../../kernel/deadline.ts';
import type { MoverEvent } from '../../mover/link/local-link.ts';

export class StallWatch {
  readonly #standstill: IdleTimer;
  #lastTotals = '';

  constructor(limitMs: number, onStall: () => void, timers: Timers) {
    this.#standstill = new IdleTimer(limitMs, onStall, { timers, isBackground: true });
    this.#standstill.heard();
  }

  /** A mover that repeats the same figures is alive but does not get on. */
  saw(event: MoverEvent): void {
    if (event.type === 'alive') return;
    if (event.type === 'progress') {
      const totals = JSON.stringify(event.totals);
      if (totals === this.#lastTotals) return;
      this.#lastTotals = totals;
    }
    this.#standstill.heard();
  }

  stop(): void {
    this.#standstill.stop();
  }
}
