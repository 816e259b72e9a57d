// Owns the share of the last seconds in which work waited for something, also while the wait lasts. Several waits at once count once.

/** Earlier readings have this weight in the next one: at ten readings a second, the last two seconds decide. */
const memory = 0.9;

export class WaitTime {
  readonly #now: () => number;
  #waits = 0;
  #waitedMs = 0;
  #lastMs: number;
  #readMs: number;
  #share: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lastMs = now();
    this.#readMs = this.#lastMs;
  }

  begin(): void {
    this.#settle();
    this.#waits += 1;
  }

  end(): void {
    this.#settle();
    this.#waits -= 1;
  }

  /** 0 to 1. */
  share(): number {
    this.#settle();
    const spanMs = this.#lastMs - this.#readMs;
    if (spanMs <= 0) return this.#share ?? 0;
    const share = Math.min(1, this.#waitedMs / spanMs);
    this.#share = this.#share === undefined ? share : memory * this.#share + (1 - memory) * share;
    this.#waitedMs = 0;
    this.#readMs = this.#lastMs;
    return this.#share;
  }

  #settle(): void {
    const nowMs = this.#now();
    if (this.#waits > 0) this.#waitedMs += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }
}
