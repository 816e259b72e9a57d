// Owns a clock for tests that runs like the real clock and can be moved forward: a sleep that would end before the new time ends at once.
// For tests only.
import { abortError, systemClock, type Clock } from '../kernel/clock.ts';

export class ShiftedClock implements Clock {
  #offsetMs = 0;
  readonly #sleepers = new Set<() => void>();

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  advance(byMs: number): void {
    this.#offsetMs += byMs;
    for (const wake of [...this.#sleepers]) wake();
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const wakeAt = this.now() + delayMs;
    while (this.now() < wakeAt) {
      const shifted = Promise.withResolvers<void>();
      const wake = (): void => shifted.resolve();
      this.#sleepers.add(wake);
      const timer = new AbortController();
      const stop = signal === undefined ? timer.signal : AbortSignal.any([signal, timer.signal]);
      // The race is over; a later rejection has no effect.
      const elapsed = systemClock.sleep(wakeAt - this.now(), stop);
      elapsed.catch(() => undefined);
      try {
        await Promise.race([elapsed, shifted.promise]);
      } finally {
        this.#sleepers.delete(wake);
        timer.abort();
      }
    }
    if (signal?.aborted === true) throw abortError();
  }
}
