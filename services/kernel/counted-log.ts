// Owns saying once what happens again and again because somebody else makes it happen: the first time at once, the rest of a minute as a number.
// So nobody can fill a disk with lines of a log or rows of a record. Bounded memory.
import { systemClock, type Clock } from './clock.ts';

const windowMs = 60_000;
const maxKeys = 1000;

/** @param repeated how often it happened since it was said last, this time included */
export type Say = (repeated: number) => void;

interface Entry {
  count: number;
  saidAtMs: number;
}

export class CountedLog {
  readonly #clock: Clock;
  /** The one that was said longest ago is the first. */
  readonly #entries = new Map<string, Entry>();
  /** Too many names at once: those who make them up share one. */
  readonly #everybodyElse: Entry = { count: 0, saidAtMs: Number.NEGATIVE_INFINITY };

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @param key what counts as the same */
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
