// Owns what the provider wishes of the tenant about one session: to pause it, and to go on. Both are the tenant's to do; a wish decides nothing.
// Does not know attempts: the session says when a wish has come true, or cannot any more.
import { systemClock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { LiveSession } from '../../session/live-session.ts';
import type { TenantNotifier } from '../accounts/tenant-notifier.ts';

/** How long a tenant may take to end its attempt in order after the provider wished for a pause. */
const wishTimeoutMs = 20_000;

export class PauseRequests {
  readonly #live: LiveSession;
  #hasWishedPause = false;
  /** Somebody here waits for the tenant to pause. */
  #pauseWish: PromiseWithResolvers<void> | undefined;

  constructor(live: LiveSession) {
    this.#live = live;
  }

  /** In the running attempt: only then a pause can be the provider's. */
  get hasWishedPause(): boolean {
    return this.#hasWishedPause;
  }

  /** Another attempt begins. */
  forget(): void {
    this.#hasWishedPause = false;
  }

  /** Answered when the tenant has done it. @throws call.conflict, call.timeout */
  async pause(voice: TenantNotifier | undefined): Promise<void> {
    const { state } = this.#live;
    if (state === 'paused') return;
    if (voice === undefined || state !== 'transferring') {
      throw new FarkeepError('call.conflict', 'Only a session that transfers can be paused from here', {
        hint: 'Wait until it transfers, or stop it.',
      });
    }
    const wish = (this.#pauseWish ??= Promise.withResolvers<void>());
    this.#hasWishedPause = true;
    voice.wish('pause');
    // Everybody who waits for this pause gets the same answer.
    using _limit = systemClock.startTimer(wishTimeoutMs, () =>
      wish.reject(
        new FarkeepError('call.timeout', 'The tenant did not pause the session', {
          hint: 'Its version may not know how to; stop the session instead.',
        }),
      ),
    );
    try {
      await wish.promise;
    } finally {
      this.#pauseWish = undefined;
    }
  }

  /** @throws call.conflict */
  resume(voice: TenantNotifier | undefined): void {
    const { state, pausedBy } = this.#live;
    if (state !== 'paused') throw new FarkeepError('call.conflict', 'The session is not paused');
    if (pausedBy !== 'provider') {
      throw new FarkeepError('call.conflict', 'The tenant has paused this session', {
        hint: 'Only the tenant can resume it.',
      });
    }
    if (voice === undefined) {
      throw new FarkeepError('call.conflict', 'The tenant is not connected right now', {
        hint: 'Its admin can resume the session at the tenant.',
      });
    }
    voice.wish('resume');
  }

  /** The session is paused. */
  fulfill(): void {
    this.#pauseWish?.resolve();
  }

  /** The session is over. */
  end(): void {
    this.#pauseWish?.reject(new FarkeepError('call.conflict', 'The session ended before it could be paused'));
  }
}
