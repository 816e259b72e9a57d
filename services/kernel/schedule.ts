// Owns work that is repeated or that starts at a date. A schedule never overlaps with itself: the pause before the next run starts when the
// run has ended. To wait once for a duration use `Clock.sleep`.
import { abortError, systemClock, type Clock, type Timer, type Timers } from './clock.ts';

/** @param signal fires when the schedule is stopped */
export type ScheduledRun = (signal: AbortSignal) => void | Promise<void>;

export interface Schedule extends Disposable {
  /** Starts no further run, and aborts the signal of the current run. Safe to call twice. */
  stop(): void;
  /** After `stop`: resolves when the current run has ended. Never rejects. */
  ended(): Promise<void>;
}

export interface RepetitionOptions {
  /**
   * Gets the error of a run, except after `stop`; the schedule continues. Without a handler the error is unforeseen and ends the process.
   */
  readonly onError?: (error: unknown) => void;
  /** Whether the process may end between two runs. */
  readonly isBackground?: boolean;
  /** Pause before the first run, when this pause differs from the other pauses. */
  readonly firstAfterMs?: number;
  readonly timers?: Timers;
}

/**
 * Calls `run` every `intervalMs`. By default the first call comes after one interval. If the interval is a function, it is called before
 * each pause.
 */
export function every(
  intervalMs: number | (() => number),
  run: ScheduledRun,
  options: RepetitionOptions = {},
): Schedule {
  return new Repetition(typeof intervalMs === 'number' ? () => intervalMs : intervalMs, run, options);
}

class Repetition implements Schedule {
  readonly #abort = new AbortController();
  readonly #nextAfterMs: () => number;
  readonly #run: ScheduledRun;
  readonly #options: RepetitionOptions;
  #timer: Timer;
  #timerMs: number;
  #running: Promise<void> = Promise.resolve();

  constructor(nextAfterMs: () => number, run: ScheduledRun, options: RepetitionOptions) {
    this.#nextAfterMs = nextAfterMs;
    this.#run = run;
    this.#options = options;
    this.#timerMs = options.firstAfterMs ?? nextAfterMs();
    this.#timer = this.#start();
  }

  stop(): void {
    this.#abort.abort();
    this.#timer.stop();
  }

  ended(): Promise<void> {
    return this.#running;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #start(): Timer {
    const { timers = systemClock } = this.#options;
    return timers.startTimer(this.#timerMs, () => this.#fire(), this.#options);
  }

  #fire(): void {
    let result: void | Promise<void>;
    try {
      result = this.#run(this.#abort.signal);
    } catch (error) {
      this.#next();
      this.#failed(error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#next();
      return;
    }
    const ended = result.finally(() => this.#next());
    this.#running = ended.catch(() => undefined);
    // Separate from `#running`, so that an error without a handler is reported as unhandled.
    void ended.catch((error: unknown) => this.#failed(error));
  }

  #next(): void {
    if (this.#abort.signal.aborted) return;
    const delayMs = this.#nextAfterMs();
    if (delayMs === this.#timerMs) {
      this.#timer.restart();
      return;
    }
    this.#timerMs = delayMs;
    this.#timer = this.#start();
  }

  #failed(error: unknown): void {
    const { onError } = this.#options;
    if (this.#abort.signal.aborted) return;
    if (onError === undefined) throw error;
    onError(error);
  }
}

/** Longest sleep between two looks at the clock. The machine can sleep, and its clock can be set, so the date is compared this often. */
const longestSleepMs = 15 * 60_000;

/** Sleeps until the clock shows `dateMs`, which may be years away. Rejects with an AbortError when the signal fires. */
export async function sleepUntil(dateMs: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  for (let leftMs = dateMs - clock.now(); leftMs > 0; leftMs = dateMs - clock.now()) {
    await clock.sleep(Math.min(leftMs, longestSleepMs), signal);
  }
  if (signal?.aborted === true) throw abortError();
}

/** Calls `run` once, when the clock shows `dateMs`. @param onError gets the error of the run, unless the schedule was stopped */
export function atDate(
  dateMs: number,
  run: ScheduledRun,
  { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
): Schedule {
  const abort = new AbortController();
  const { signal } = abort;
  const running = sleepUntil(dateMs, clock, signal)
    .then(() => run(signal))
    .catch((error: unknown) => {
      if (!signal.aborted) onError(error);
    });
  const stop = (): void => abort.abort();
  return { stop, ended: () => running, [Symbol.dispose]: stop };
}
