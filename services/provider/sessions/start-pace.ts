// Owns the rate limit for session requests of one tenant, granted or not: each start costs a data mover, a disk access and a history row.
// Queues nothing: a tenant over the limit gets an error with the time for the next try.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { TokenBucket, type Pace } from '../../kernel/token-bucket.ts';

/** Allows all machines of a tenant to start their jobs in the same minute. */
const defaultPace: Pace = { perSecond: 1, burst: 60 };

export class StartPace {
  readonly #pace: Pace;
  readonly #now: (() => number) | undefined;
  /** One bucket for each existing account; a stranger's name is refused earlier. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(pace: Pace = defaultPace, now?: () => number) {
    this.#pace = pace;
    this.#now = now;
  }

  /** @throws session.limit, with `retryAfterMs` in its details */
  take(tenantId: string): void {
    let bucket = this.#buckets.get(tenantId);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#pace, this.#now);
      this.#buckets.set(tenantId, bucket);
    }
    const retryAfterMs = bucket.take();
    if (retryAfterMs === 0) return;
    throw new FarkeepError('session.limit', 'This account starts sessions too quickly', {
      hint: `Wait ${Math.ceil(retryAfterMs / 1000)} s, then try again.`,
      details: { retryAfterMs },
    });
  }
}
