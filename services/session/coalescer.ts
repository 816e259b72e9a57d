// Owns "at most so often, and the last one always": the rate limit of progress events. Knows nothing of what it passes on.
import { systemClock, type Timer } from '../kernel/clock.ts';

/** Passes a value on at once when the interval is over, else the newest one at its end. `flush` passes on what waits, now. */
export class Coalescer<Value> {
  readonly #intervalMs: number;
  readonly #deliver: (value: Value) => void;
  #waiting: { value: Value } | undefined;
  #timer: Timer | undefined;

  constructor(intervalMs: number, deliver: (value: Value) => void) {
    this.#intervalMs = intervalMs;
    this.#deliver = deliver;
  }

  push(value: Value): void {
    if (this.#timer !== undefined) {
      this.#waiting = { value };
      return;
    }
    this.#arm();
    this.#deliver(value);
  }

  flush(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    this.#deliverWaiting();
  }

  #arm(): void {
    const onTime = (): void => {
      this.#timer = undefined;
      if (this.#waiting !== undefined) this.#arm();
      this.#deliverWaiting();
    };
    this.#timer = systemClock.startTimer(this.#intervalMs, onTime, { isBackground: true });
  }

  #deliverWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#deliver(waiting.value);
  }
}
