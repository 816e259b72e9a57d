// Owns the order of one target's events: detects a gap and a restarted process.
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';

export type FeedVerdict =
  /** The event is the next one in order: apply the event. */
  | 'next'
  /** Events were missed, or the process is new: apply the event and fetch snapshots. */
  | 'gap'
  /** The event is from an earlier process, or was already seen: drop the event. */
  | 'stale';

export class EventFeed {
  #incarnation: number | null = null;
  #sequence = 0;

  accept({ incarnation, sequence }: Pick<BridgeEvent, 'incarnation' | 'sequence'>): FeedVerdict {
    const isFirst = this.#incarnation === null;
    if (this.#incarnation !== null && incarnation < this.#incarnation) return 'stale';
    const isSameProcess = incarnation === this.#incarnation;
    if (isSameProcess && sequence <= this.#sequence) return 'stale';
    const isNext = isFirst || (isSameProcess && sequence === this.#sequence + 1);
    this.#incarnation = incarnation;
    this.#sequence = sequence;
    return isNext ? 'next' : 'gap';
  }
}
