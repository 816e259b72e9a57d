// Owns the number of bytes of unchanged files whose blocks the target has received but not yet reported as durable.
export class UncommittedOffers {
  /** Answered offers of cached blocks, in order. An offer is removed when the blocks of this offer and of all earlier offers are safe. */
  readonly #offers = new Map<number, { readonly bytes: number; isSafe: boolean }>();
  #bytes = 0;

  /** Bytes of the unchanged files in offers that are not safe yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param bytes size of the files that the answer shows to be unchanged */
  answered(token: number, bytes: number): void {
    this.#offers.set(token, { bytes, isSafe: false });
    this.#bytes += bytes;
  }

  /**
   * Marks an offer as safe. Offers are removed in order: the blocks of one file may be in several offers, and the file counts with the last
   * one.
   */
  safe(token: number): void {
    const offer = this.#offers.get(token);
    if (offer !== undefined) offer.isSafe = true;
    for (const [first, { bytes, isSafe }] of this.#offers) {
      if (!isSafe) return;
      this.#offers.delete(first);
      this.#bytes -= bytes;
    }
  }
}
