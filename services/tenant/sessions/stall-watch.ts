// Owns noticing that a transfer stands still although nothing is broken: a held-back or swallowed byte looks exactly like that.
// Only tells; ending the attempt is the caller's business.
import type { MoverEvent } from '../../mover/link/local-link.ts';

export class StallWatch {
  readonly #limitMs: number;
  readonly #onStall: () => void;
  #timer: NodeJS.Timeout | undefined;
  #lastTotals = '';

  constructor(limitMs: number, onStall: () => void) {
    this.#limitMs = limitMs;
    this.#onStall = onStall;
    this.#arm();
  }

  /** A mover that repeats the same figures is alive but does not get on. */
  saw(event: MoverEvent): void {
    if (event.type === 'alive') return;
    if (event.type === 'progress') {
      const totals = JSON.stringify(event.totals);
      if (totals === this.#lastTotals) return;
      this.#lastTotals = totals;
    }
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onStall, this.#limitMs);
    this.#timer.unref();
  }
}
