// Owns the rate limit of progress events: at most one value for each interval, and the last value always. Must not interpret the values.
import { systemClock, type Timer } from '../kernel/clock.ts';

/**
 * Delivers a value at once if the interval has passed, else delivers the newest value at the end of the interval. `flush` delivers a
 * waiting value now.
 */
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
