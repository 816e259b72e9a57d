// Owns a limit of bytes or files in flight. A user takes an amount before the work and gives it back afterwards. If too little is left,
// users wait in the order of their requests.
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

  /** Resolves when `amount` may be used. An amount above the whole budget counts as the whole budget. @throws the error of `fail` */
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

  /** Takes the amount only if no wait is needed. Returns false if the caller would have to wait, or after `fail`. */
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

  /** Closes the budget after a failure of the session: all current and later calls of `take` reject. */
  fail(error: FarkeepError): void {
    this.#failure ??= error;
    for (const { answer } of this.#waiting.splice(0)) answer.reject(error);
  }
}
