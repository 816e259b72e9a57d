// Owns the places for connections that have not said yet who they are: so many in all, so many for one address, and some that only addresses get from
// which a good peer came before. Whoever has not sent a byte gives way to a newcomer: a good peer speaks at once, so strangers who say nothing cannot
// keep it out, not even from its own address. Closes nothing itself.
import { countingKey } from './client-address.ts';

export interface PendingPlacesOptions {
  readonly total: number;
  /** For one IPv4 address, or one /64 of IPv6. */
  readonly perAddress: number;
  /** For a known address; left out: as for every other. */
  readonly perKnownAddress?: number;
  /** Of `total`, only for known addresses. */
  readonly reserved?: number;
  /** Told the key under which addresses are counted (`countingKey`). */
  readonly isKnown?: (key: string) => boolean;
}

export interface Place {
  /** It has sent something: it gives way to nobody any more. */
  heardFrom(): void;
  /** Safe to call twice. */
  release(): void;
}

interface Entry {
  readonly key: string;
  readonly giveWay: () => void;
}

export class PendingPlaces {
  readonly #options: PendingPlacesOptions;
  readonly #byAddress = new Map<string, Set<Entry>>();
  /** Those that have sent nothing, the oldest first. */
  readonly #silent = new Set<Entry>();
  #taken = 0;

  constructor(options: PendingPlacesOptions) {
    this.#options = options;
  }

  /**
   * @param giveWay ends this connection for a newer one
   * @returns undefined when there is no place for this address
   */
  take(address: string | undefined, giveWay: () => void): Place | undefined {
    const key = countingKey(address);
    if (!this.#hasPlace(key)) {
      const yielding = this.#silentOf(key);
      if (yielding === undefined) return undefined;
      this.#remove(yielding);
      yielding.giveWay();
      if (!this.#hasPlace(key)) return undefined;
    }
    const entry: Entry = { key, giveWay };
    const own = this.#byAddress.get(key) ?? new Set();
    this.#byAddress.set(key, own.add(entry));
    this.#silent.add(entry);
    this.#taken += 1;
    return { heardFrom: () => this.#silent.delete(entry), release: () => this.#remove(entry) };
  }

  #hasPlace(key: string): boolean {
    const { total, perAddress, perKnownAddress = perAddress, reserved = 0, isKnown = () => false } = this.#options;
    const count = this.#byAddress.get(key)?.size ?? 0;
    if (this.#taken >= total || count >= Math.max(perAddress, perKnownAddress)) return false;
    const isForKnownOnly = this.#taken >= total - reserved || count >= perAddress;
    return !isForKnownOnly || isKnown(key);
  }

  /** The oldest silent one of this address; of any address when this one has not used up its own places. */
  #silentOf(key: string): Entry | undefined {
    const own = this.#byAddress.get(key);
    if (own === undefined || own.size < this.#options.perAddress) return this.#silent.values().next().value;
    for (const entry of own) if (this.#silent.has(entry)) return entry;
    return undefined;
  }

  #remove(entry: Entry): void {
    const own = this.#byAddress.get(entry.key);
    if (own?.delete(entry) !== true) return;
    if (own.size === 0) this.#byAddress.delete(entry.key);
    this.#silent.delete(entry);
    this.#taken -= 1;
  }
}

/**
 * Calls `onSilence` when nothing came in time. After a look at what waits to be read: a process that was busy finds its timers before the bytes that came
 * long ago. @returns what ends the wait
 */
export function untilFirstByte(timeoutMs: number, onSilence: () => void): () => void {
  let isOver = false;
  const timer = setTimeout(() => setImmediate(() => isOver || onSilence()), timeoutMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
