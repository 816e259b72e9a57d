// Owns a bound on what is in flight (bytes, files): take before, give back after; whoever comes when nothing is left waits in turn.
import type { FarkeepError } from '../../../kernel/farkeep-error.ts';

export class InFlightBudget {
  #available: number;
  readonly #total: number;
  readonly #waiting: { readonly amount: number; readonly answer: PromiseWithResolvers<void> }[] = [];
  #failure: FarkeepError | undefined;

  constructor(total: number) {
    this.#available = total;
    this.#total = total;
  }

  /** Resolves when `amount` may be used; more than the whole budget counts as the whole. @throws what `fail` was given */
  async take(amount: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const needed = Math.min(amount, this.#total);
    if (this.#waiting.length === 0 && this.#available >= needed) {
      this.#available -= needed;
      return;
    }
    const answer = Promise.withResolvers<void>();
    this.#waiting.push({ amount: needed, answer });
    await answer.promise;
  }

  /** As take, without waiting: returns false when the caller would have to wait, or when the budget is closed. */
  tryTake(amount: number): boolean {
    const needed = Math.min(amount, this.#total);
    if (this.#failure !== undefined || this.#waiting.length > 0 || this.#available < needed) return false;
    this.#available -= needed;
    return true;
  }

  giveBack(amount: number): void {
    this.#available += Math.min(amount, this.#total);
    for (let next = this.#waiting[0]; next !== undefined && this.#available >= next.amount; next = this.#waiting[0]) {
      this.#available -= next.amount;
      this.#waiting.shift();
      next.answer.resolve();
    }
  }

  /** Nothing will be given back any more: ends the waiting of all, now and later. */
  fail(error: FarkeepError): void {
    this.#failure ??= error;
    for (const { answer } of this.#waiting.splice(0)) answer.reject(error);
  }
}
