// Owns a clock for tests that stands still until the test moves it: `advance` runs the timers that come due, in their order. For tests only.
import { abortError, type Clock, type Timer, type Timers } from '../kernel/clock.ts';

export class ManualClock implements Clock, Timers {
  #nowMs: number;
  readonly #running = new Map<object, { dueMs: number; onTime: () => void }>();

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Number of timers that run. After a test that cleaned up it is 0. */
  get timerCount(): number {
    return this.#running.size;
  }

  startTimer(delayMs: number, onTime: () => void): Timer {
    const key = {};
    let isStopped = false;
    const arm = (): void => {
      this.#running.delete(key);
      if (!isStopped) this.#running.set(key, { dueMs: this.#nowMs + delayMs, onTime });
    };
    const stop = (): void => {
      isStopped = true;
      this.#running.delete(key);
    };
    arm();
    return { restart: arm, stop, [Symbol.dispose]: stop };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortError());
        return;
      }
      const onAbort = (): void => {
        timer.stop();
        reject(abortError());
      };
      const timer = this.startTimer(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Moves the time forward. What waits for a timer has run when this resolves, and may have set new timers. */
  async advance(byMs: number): Promise<void> {
    await settled();
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const [next] = [...this.#running]
        .filter(([, { dueMs }]) => dueMs <= untilMs)
        .sort(([, a], [, b]) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      const [key, { dueMs, onTime }] = next;
      this.#running.delete(key);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      onTime();
      await settled();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}

/** Everything that only waits for other promises has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
