// Owns time: the only file that sets timers of Node.js. Code that reads the clock or waits takes a Clock or Timers, so that tests can
// control the time. For time limits use deadline.ts, for repeated work schedule.ts.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `delayMs`, or rejects with an AbortError when the signal fires. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A running timer. Calls its function once for each start. */
export interface Timer extends Disposable {
  /** Counts the whole delay again from now, also after the timer has fired. Does nothing after `stop`. Allocates nothing. */
  restart(): void;
  /** Ends the timer: the function is not called any more. Safe to call twice. */
  stop(): void;
}

export interface TimerOptions {
  /** Whether the process may end while the timer runs. */
  readonly isBackground?: boolean;
}

/** Starts timers. Separate from Clock, because most users of a clock only read it. */
export interface Timers {
  /** @param delayMs may be longer than 24 days, the limit of a Node.js timer */
  startTimer(delayMs: number, onTime: () => void, options?: TimerOptions): Timer;
}

/** A Node.js timer with a longer delay (over 24 days) would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock & Timers = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError());
        return;
      }
      const onAbort = (): void => {
        timer.stop();
        reject(abortError());
      };
      const timer = systemClock.startTimer(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  startTimer: (delayMs, onTime, options) => new SystemTimer(delayMs, onTime, options?.isBackground === true),
};

class SystemTimer implements Timer {
  readonly #delayMs: number;
  readonly #onTime: () => void;
  readonly #isBackground: boolean;
  #timeout: NodeJS.Timeout;
  #isStopped = false;

  constructor(delayMs: number, onTime: () => void, isBackground: boolean) {
    this.#delayMs = delayMs;
    this.#onTime = onTime;
    this.#isBackground = isBackground;
    this.#timeout = this.#arm(delayMs);
  }

  restart(): void {
    if (this.#isStopped) return;
    if (this.#delayMs <= maxTimerMs) {
      this.#timeout.refresh();
      return;
    }
    clearTimeout(this.#timeout);
    this.#timeout = this.#arm(this.#delayMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timeout);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #arm(leftMs: number): NodeJS.Timeout {
    const onElapsed =
      leftMs <= maxTimerMs ? this.#onTime : (): void => void (this.#timeout = this.#arm(leftMs - maxTimerMs));
    const timeout = setTimeout(onElapsed, Math.min(leftMs, maxTimerMs));
    if (this.#isBackground) timeout.unref();
    return timeout;
  }
}

export function abortError(): Error {
  const error = new Error('The operation was aborted');
  error.name = 'AbortError';
  return error;
}
