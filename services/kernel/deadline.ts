// Owns time limits: the one place that joins a limit, an AbortSignal and the clean-up of an operation. Must not know what the operation
// does.
import { abortError, systemClock, type Timer, type Timers } from './clock.ts';

export type DeadlineReason = 'late' | 'aborted';

export interface DeadlineLimits {
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly timers?: Timers;
}

/**
 * A time limit for work that ends by itself. Calls `onOver` once: when the time is over, or when the signal fires. For a signal that has
 * already fired, `onOver` is called after the running code, so that the caller can first store the Deadline.
 */
export class Deadline implements Disposable {
  readonly #onOver: (reason: DeadlineReason) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Timer;
  #isOver = false;

  constructor({ limitMs, signal, timers = systemClock }: DeadlineLimits, onOver: (reason: DeadlineReason) => void) {
    this.#onOver = onOver;
    this.#signal = signal;
    this.#timer = timers.startTimer(limitMs, () => this.#end('late'));
    if (signal?.aborted === true) queueMicrotask(this.#onAbort);
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Ends the limit because the work has ended in time. Safe to call twice. */
  stop(): void {
    this.#isOver = true;
    this.#timer.stop();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  readonly #onAbort = (): void => this.#end('aborted');

  #end(reason: DeadlineReason): void {
    if (this.#isOver) return;
    this.stop();
    this.#onOver(reason);
  }
}

/**
 * Returns a signal that fires when the time is over or when the given signal fires. For an operation whose caller waits until the operation
 * has ended. The reason of the signal is a TimeoutError or the reason of the given signal. Dispose the signal when the operation has ended.
 */
export function signalWithin(limits: DeadlineLimits): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const deadline = new Deadline(limits, (reason) =>
    controller.abort(reason === 'late' ? new DOMException('The time is over', 'TimeoutError') : limits.signal?.reason),
  );
  return { signal: controller.signal, [Symbol.dispose]: () => deadline.stop() };
}

/**
 * Calls `listener` once: when the signal fires, or at once if it has fired. @returns function that removes the listener; safe to call twice
 */
export function whenAborted(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted === true) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

export interface DeadlineOptions extends DeadlineLimits {
  readonly onLate: () => Error;
  /** Default: an AbortError. */
  readonly onAbort?: () => Error;
}

/** Given to an operation that has a time limit. */
export interface Progress {
  /** Fires when the time is over or the caller cancels. The reason of the signal is the error that the caller gets. */
  readonly signal: AbortSignal;
  /** `cleanUp` runs once, when the operation ends, with success or not. The clean-up that was added last runs first. It must not throw. */
  readonly onEnd: (cleanUp: () => void) => void;
}

/**
 * Runs an operation with a time limit. When the limit is over or the signal fires, the caller gets the error at once; a later result of the
 * operation is ignored. An operation whose signal has already fired is not started.
 */
export async function withDeadline<Value>(
  options: DeadlineOptions,
  operation: (progress: Progress) => PromiseLike<Value>,
): Promise<Value> {
  const { onLate, onAbort = abortError } = options;
  if (options.signal?.aborted === true) throw onAbort();
  const over = Promise.withResolvers<never>();
  // When the operation throws at once, nothing waits for this promise.
  over.promise.catch(() => undefined);
  const controller = new AbortController();
  const cleanUps: (() => void)[] = [];
  using _deadline = new Deadline(options, (reason) => {
    const error = reason === 'late' ? onLate() : onAbort();
    over.reject(error);
    controller.abort(error);
  });
  try {
    const progress: Progress = { signal: controller.signal, onEnd: (cleanUp) => void cleanUps.push(cleanUp) };
    return await Promise.race([operation(progress), over.promise]);
  } finally {
    for (const cleanUp of cleanUps.reverse()) cleanUp();
  }
}

/** The result of `work` within the limit, else undefined. @throws the error of `work` if it comes in time */
export async function valueWithin<Value>(
  work: PromiseLike<Value>,
  limitMs: number,
  timers: Timers = systemClock,
): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  using _timer = timers.startTimer(limitMs, () => late.resolve(undefined));
  return await Promise.race([work, late.promise]);
}

export interface WaitOptions<Value> extends DeadlineOptions {
  /** Called at the beginning and after each event. @returns undefined while the condition is not met */
  readonly look: () => Value | undefined | Promise<Value | undefined>;
  /** Calls `onEvent` after each change that can meet the condition. @returns function that ends the subscription */
  readonly subscribe: (onEvent: () => void) => () => void;
}

/** Waits for an event or a condition. @throws the errors of `onLate`, `onAbort` and `look` */
export function waitUntil<Value>(options: WaitOptions<Value>): Promise<Value> {
  return withDeadline(options, async ({ onEnd }) => {
    const found = Promise.withResolvers<Value>();
    const lookAgain = (): void => {
      const looked = (async () => options.look())();
      looked.then((value) => {
        if (value !== undefined) found.resolve(value);
      }, found.reject);
    };
    onEnd(options.subscribe(lookAgain));
    lookAgain();
    return found.promise;
  });
}

/**
 * Fires when `heard` was not called for some time, for example because heartbeats are missing or a transfer makes no progress. Starts with
 * the first `heard`.
 */
export class IdleTimer implements Disposable {
  readonly #start: () => Timer;
  #timer: Timer | undefined;
  #isStopped = false;

  /** @param isBackground whether the process may end while the timer runs */
  constructor(
    limitMs: number,
    onIdle: () => void,
    { timers = systemClock, isBackground = false }: { readonly timers?: Timers; readonly isBackground?: boolean } = {},
  ) {
    this.#start = () => timers.startTimer(limitMs, onIdle, { isBackground });
  }

  /** Starts the limit again. Creates no new timer. Does nothing after `stop`. */
  heard(): void {
    if (this.#isStopped) return;
    if (this.#timer === undefined) this.#timer = this.#start();
    else this.#timer.restart();
  }

  /** Ends the timer for good. Safe to call twice. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
