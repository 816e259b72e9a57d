// Owns which bytes of unchanged files lie at the target in blocks that may not survive yet: it has them on their way to the disk.
export class UncommittedOffers {
  /** Answered offers of remembered blocks in their order, until they and all before them are safe. */
  readonly #offers = new Map<number, { readonly bytes: number; isSafe: boolean }>();
  #bytes = 0;

  /** In files that some answered offer has settled. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param bytes of the files that the answer has settled */
  answered(token: number, bytes: number): void {
    this.#offers.set(token, { bytes, isSafe: false });
    this.#bytes += bytes;
  }

  /** In order: the blocks of one file may lie in several offers, and it counts with the last. */
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
