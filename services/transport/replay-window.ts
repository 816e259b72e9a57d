// Owns taking each counter value once although connections overtake each other (the sliding window of RFC 4303, 3.4.3). Bounded memory.

const windowSize = 4096n;

export class ReplayWindow {
  #highest = -1n;
  readonly #seen = new Set<bigint>();

  /** True the first time a value is seen; false for a repeated one and for one that is too far behind the highest. */
  accept(counter: bigint): boolean {
    if (counter <= this.#highest - windowSize || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    if (counter > this.#highest) {
      this.#highest = counter;
      // Values that fell out of the window are refused by their distance, so they need not be remembered.
      if (this.#seen.size > Number(windowSize) * 2) {
        for (const value of this.#seen) if (value <= counter - windowSize) this.#seen.delete(value);
      }
    }
    return true;
  }
}
