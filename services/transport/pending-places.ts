// Owns the places for connections that have not identified themselves: a total limit, a limit for each address, and places reserved for
// addresses of known peers. A connection without a first byte is closed for a newcomer. A good peer sends at once, so silent strangers
// cannot keep it out, not even from its own address. Calls back to close connections; closes none itself.
import { systemClock } from '../kernel/clock.ts';
import { countingKey } from './client-address.ts';

export interface PendingPlacesOptions {
  readonly total: number;
  /** Limit for one IPv4 address, or for one /64 of IPv6. */
  readonly perAddress: number;
  /** Limit for a known address; default: the limit of every other address. */
  readonly perKnownAddress?: number;
  /** The part of `total` that is reserved for known addresses. */
  readonly reserved?: number;
  /** Called with the key under which addresses are counted (`countingKey`). */
  readonly isKnown?: (key: string) => boolean;
}

export interface Place {
  /** Call when the connection has sent a byte: the connection then keeps its place. */
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
  /** Connections that have sent no byte, oldest first. */
  readonly #silent = new Set<Entry>();
  #taken = 0;

  constructor(options: PendingPlacesOptions) {
    this.#options = options;
  }

  /**
   * @param giveWay called to close this connection for a newer one
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

  /** Returns the oldest silent connection of the address `key`. If this address has places left, returns that of any address. */
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
 * Calls `onSilence` when no byte came in time. Before that it checks for unread bytes, because in a busy process the timer can fire before
 * bytes that arrived in time are read. @returns function that ends the wait
 */
export function untilFirstByte(timeoutMs: number, onSilence: () => void): () => void {
  let isOver = false;
  const timer = systemClock.startTimer(timeoutMs, () => void setImmediate(() => isOver || onSilence()));
  return () => {
    isOver = true;
    timer.stop();
  };
}
