// Owns accepting each counter value once although connections can arrive out of order (the sliding window of RFC 4303, 3.4.3). Bounded
// memory.

const windowSize = 4096n;

export class ReplayWindow {
  #highest = -1n;
  readonly #seen = new Set<bigint>();

  /** Returns true for a new value; false for a repeated value and for a value that is too far behind the highest. */
  accept(counter: bigint): boolean {
    if (counter <= this.#highest - windowSize || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    if (counter > this.#highest) {
      this.#highest = counter;
      // Values below the window are refused because of their distance, so they can be deleted.
      if (this.#seen.size > Number(windowSize) * 2) {
        for (const value of this.#seen) if (value <= counter - windowSize) this.#seen.delete(value);
      }
    }
    return true;
  }
}
