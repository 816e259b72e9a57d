// Owns the one timer of everything on the screen that depends on the time of day. It wakes at the next moment at which something shown has to
// change, and not in between. Does not know what is shown.

/** The computer may sleep, or its clock may be set: then the timer of a far moment would come too late. */
const longestWaitMs = 60_000;

interface Watcher {
  /** The next moment after `nowMs` at which the listener must be called. */
  readonly nextAfter: (nowMs: number) => number;
  readonly listener: () => void;
}

export class SharedClock {
  readonly #watchers = new Set<Watcher>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The moment of the last look; every later moment is still to be reported. */
  #seenMs = 0;

  /** @returns a function that ends the watch */
  watch(nextAfter: Watcher['nextAfter'], listener: () => void): () => void {
    const watcher = { nextAfter, listener };
    this.#watchers.add(watcher);
    this.#arm();
    return () => {
      this.#watchers.delete(watcher);
      this.#arm();
    };
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#watchers.size === 0) return;
    this.#seenMs = Date.now();
    let nextMs = Infinity;
    for (const { nextAfter } of this.#watchers) nextMs = Math.min(nextMs, nextAfter(this.#seenMs));
    const waitMs = Math.min(longestWaitMs, Math.max(0, nextMs - this.#seenMs));
    this.#timer = setTimeout(() => this.#wake(), waitMs);
  }

  #wake(): void {
    const nowMs = Date.now();
    // A clock that was set back has no due moment, but everything that is shown may be wrong.
    const isSetBack = nowMs < this.#seenMs;
    const due = [...this.#watchers].filter(({ nextAfter }) => isSetBack || nextAfter(this.#seenMs) <= nowMs);
    this.#arm();
    for (const { listener } of due) listener();
  }
}

/** The last of these moments that has passed; 0 before the first one. */
export function lastPassed(moments: readonly number[], nowMs: number): number {
  return Math.max(0, ...moments.filter((moment) => moment <= nowMs));
}

/** The next of these moments; Infinity after the last one. */
export function nextOf(moments: readonly number[], nowMs: number): number {
  return Math.min(Infinity, ...moments.filter((moment) => moment > nowMs));
}
