// Owns running tasks one after the other, in the order of arrival. A failed task does not stop the tasks after it.

export class SerialQueue {
  readonly #maxWaiting: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  /** @param maxWaiting limit of tasks that wait or run; no limit by default */
  constructor({ maxWaiting = Infinity }: { readonly maxWaiting?: number } = {}) {
    this.#maxWaiting = maxWaiting;
  }

  /** @returns the result of the task. @throws the error of the task; Error when the queue is closed or full: the task then never runs */
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

  /** Resolves when all tasks that were added before have ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** Accepts no more tasks, and waits for the tasks in the queue. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }

  #ended(): void {
    this.#waiting -= 1;
  }
}
