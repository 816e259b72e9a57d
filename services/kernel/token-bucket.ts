// Owns the rate limit for requests by other parties: a rate per second and a burst. Must not queue requests.

export interface Pace {
  readonly perSecond: number;
  /** Units that may come at once after a time without requests. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #pace: Pace;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;

  /** @param now monotonic milliseconds */
  constructor(pace: Pace, now: () => number = () => performance.now()) {
    this.#pace = pace;
    this.#now = now;
    this.#tokens = pace.burst;
    this.#filledAtMs = now();
  }

  /** Counts a request that can be refused. @returns 0 when the request is accepted, otherwise the milliseconds until it can be accepted */
  take(cost = 1): number {
    this.#fill();
    if (this.#tokens < cost) return this.#waitMs(cost - this.#tokens);
    this.#tokens -= cost;
    return 0;
  }

  /** Counts a message that has already arrived. @returns milliseconds until the next message may be read */
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
