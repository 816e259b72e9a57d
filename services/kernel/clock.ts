// Owns time. Everything that reads the clock or waits takes a Clock, so that tests can turn it.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `delayMs`, or rejects with an AbortError when the signal fires. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A timer for longer than this (24 days) would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError());
        return;
      }
      let timer: NodeJS.Timeout;
      const wait = (leftMs: number): void => {
        timer = setTimeout(
          () => {
            if (leftMs > maxTimerMs) wait(leftMs - maxTimerMs);
            else {
              signal?.removeEventListener('abort', onAbort);
              resolve();
            }
          },
          Math.min(leftMs, maxTimerMs),
        );
      };
      wait(delayMs);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(abortError());
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

export function abortError(): Error {
  const error = new Error('The operation was aborted');
  error.name = 'AbortError';
  return error;
}
