// Owns the running timers of a session by name: arming a timer again restarts its time. Reads the injected clock. Must not decide anything.
import type { Clock } from '../kernel/clock.ts';

export class NamedTimers<Name extends string> {
  readonly #clock: Clock;
  readonly #onFired: (name: Name) => void;
  readonly #running = new Map<Name, AbortController>();

  constructor(clock: Clock, onFired: (name: Name) => void) {
    this.#clock = clock;
    this.#onFired = onFired;
  }

  arm(name: Name, afterMs: number): void {
    this.disarm(name);
    const stop = new AbortController();
    this.#running.set(name, stop);
    this.#clock.sleep(afterMs, stop.signal).then(
      () => {
        if (this.#running.get(name) !== stop) return;
        this.#running.delete(name);
        this.#onFired(name);
      },
      // The clock was stopped and reports the stop as an error.
      () => undefined,
    );
  }

  /** Safe to call when the timer does not run. */
  disarm(name: Name): void {
    this.#running.get(name)?.abort();
    this.#running.delete(name);
  }
}
