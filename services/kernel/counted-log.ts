// Owns rate limiting of log lines and records that other parties can cause: the first event is reported at once, further events of the same
// minute as one count. So no other party can fill a disk with log lines or rows. Memory is bounded.
import { systemClock, type Clock } from './clock.ts';

const windowMs = 60_000;
const maxKeys = 1000;

/** @param repeated number of events since the last report, including this one */
export type Say = (repeated: number) => void;

interface Entry {
  count: number;
  saidAtMs: number;
}

export class CountedLog {
  readonly #clock: Clock;
  /** Ordered by time of the last report, oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** Shared by all new keys when there are too many keys, so that invented names cannot use more memory. */
  readonly #everybodyElse: Entry = { count: 0, saidAtMs: Number.NEGATIVE_INFINITY };

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @param key events with the same key are counted together */
  note(key: string, say: Say): void {
    const nowMs = this.#clock.now();
    const entry = this.#entries.get(key) ?? this.#newEntry(key, nowMs);
    entry.count += 1;
    if (Math.abs(nowMs - entry.saidAtMs) < windowMs) return;
    const { count } = entry;
    entry.count = 0;
    entry.saidAtMs = nowMs;
    if (this.#entries.delete(key)) this.#entries.set(key, entry);
    say(count);
  }

  #newEntry(key: string, nowMs: number): Entry {
    for (const [known, { saidAtMs }] of this.#entries) {
      if (this.#entries.size < maxKeys || Math.abs(nowMs - saidAtMs) < windowMs) break;
      this.#entries.delete(known);
    }
    if (this.#entries.size >= maxKeys) return this.#everybodyElse;
    const entry: Entry = { count: 0, saidAtMs: Number.NEGATIVE_INFINITY };
    this.#entries.set(key, entry);
    return entry;
  }
}
