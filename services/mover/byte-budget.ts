// Owns a bound on bytes in flight: take before, give back after; whoever comes when nothing is left waits in turn.

export class ByteBudget {
  #available: number;
  readonly #total: number;
  readonly #waiting: { readonly bytes: number; readonly admit: () => void }[] = [];

  constructor(totalBytes: number) {
    this.#available = totalBytes;
    this.#total = totalBytes;
  }

  /** Resolves when `bytes` may be used; more than the whole budget counts as the whole. */
  async take(bytes: number): Promise<void> {
    const needed = Math.min(bytes, this.#total);
    if (this.#waiting.length === 0 && this.#available >= needed) {
      this.#available -= needed;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push({ bytes: needed, admit: resolve });
    });
  }

  giveBack(bytes: number): void {
    this.#available += Math.min(bytes, this.#total);
    for (let next = this.#waiting[0]; next !== undefined && this.#available >= next.bytes; next = this.#waiting[0]) {
      this.#available -= next.bytes;
      this.#waiting.shift();
      next.admit();
    }
  }
}
