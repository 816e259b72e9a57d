// Owns "so many a second, and so many at once": the one rate bound for what others may make us do. Holds two numbers; keeps nothing waiting itself.

export interface Pace {
  readonly perSecond: number;
  /** How much may come at once after a quiet time. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #pace: Pace;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;

  /** @param now milliseconds that never go back */
  constructor(pace: Pace, now: () => number = () => performance.now()) {
    this.#pace = pace;
    this.#now = now;
    this.#tokens = pace.burst;
    this.#filledAtMs = now();
  }

  /** For what can be refused. @returns 0 when it was taken, else after how many milliseconds it can be */
  take(cost = 1): number {
    this.#fill();
    if (this.#tokens < cost) return this.#waitMs(cost - this.#tokens);
    this.#tokens -= cost;
    return 0;
  }

  /** For what has come already. @returns after how many milliseconds the next may be looked at */
  spend(cost: number): number {
    this.#fill();
    this.#tokens -= cost;
    return this.#tokens >= 0 ? 0 : this.#waitMs(-this.#tokens);
  }

  #fill(): void {
    const nowMs = this.#now();
    const gained = (Math.max(0, nowMs - this.#filledAtMs) / 1000) * this.#pace.perSecond;
    this.#tokens = Math.min(this.#pace.burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
  }

  #waitMs(missing: number): number {
    return Math.ceil((missing / this.#pace.perSecond) * 1000);
  }
}
