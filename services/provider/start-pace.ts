// Owns how often one tenant may ask for a session, whether it gets it or not: each start costs a data mover, a look at the disk and a row of history.
// Queues nothing: a tenant that is too quick is told when to come back.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { TokenBucket, type Pace } from '../kernel/token-bucket.ts';

/** Room for every machine of a tenant whose jobs begin at the same minute. */
const defaultPace: Pace = { perSecond: 1, burst: 60 };

export class StartPace {
  readonly #pace: Pace;
  readonly #now: (() => number) | undefined;
  /** One for each account that exists: no stranger's name gets here. */
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
