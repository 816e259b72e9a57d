// Owns a clock for tests that shows the same time until the test changes it: `advance` runs the due timers in order. For tests only.
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

  /** Number of running timers; 0 after a test that cleaned up. */
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

  /** Moves the time forward. When this resolves, code that waited for a timer has run and may have set new timers. */
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

/** Resolves when all code that waits only for other promises has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
