// Owns running tasks one after the other, in the order in which they came. A task that fails does not stop the ones behind it.

export class SerialQueue {
  readonly #maxWaiting: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  /** @param maxWaiting tasks that may wait or run at a time; without it as many as come */
  constructor({ maxWaiting = Infinity }: { readonly maxWaiting?: number } = {}) {
    this.#maxWaiting = maxWaiting;
  }

  /** @returns what the task gives. @throws what the task throws; Error when the queue is closed or full: the task then never runs */
  run<Value>(task: () => Value | PromiseLike<Value>): Promise<Value> {
    if (this.#isClosed) return Promise.reject(new Error('The queue is closed'));
    if (this.#waiting >= this.#maxWaiting) return Promise.reject(new Error('The queue is full'));
    this.#waiting += 1;
    const result = this.#last.then(task);
    this.#last = result.then(
      () => this.#ended(),
      () => this.#ended(),
    );
    return result;
  }

  /** Resolves when everything that was added before has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** Takes no more tasks, and waits for those it has. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }

  #ended(): void {
    this.#waiting -= 1;
  }
}
