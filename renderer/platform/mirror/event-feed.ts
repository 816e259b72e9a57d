// Owns the order of one target's events: tells a gap and a restarted process from the ordinary next event.
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';

export type FeedVerdict =
  /** The next one: apply it. */
  | 'next'
  /** Something was missed, or the process is a new one: apply it and fetch snapshots. */
  | 'gap'
  /** From a process that is gone, or seen already: drop it. */
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
