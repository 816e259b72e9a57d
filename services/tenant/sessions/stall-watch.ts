// Owns the detection of a transfer without progress and without an error. Such a transfer can mean that an attacker holds back or drops
// bytes. The watch only reports; the caller ends the attempt.
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

  /** A mover that repeats the same numbers is alive but makes no progress. */
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
