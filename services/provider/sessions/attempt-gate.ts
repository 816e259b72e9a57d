// Owns the order in which starts, resumes and pauses of one session are served, whenever they come. Knows nothing of what they do.
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export class AttemptGate {
  #starting: Promise<unknown> | undefined;
  #pausing: Promise<unknown> | undefined;

  /** Two starts at the same time would make two target movers for one point. @throws session.busy */
  async start<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#starting !== undefined) {
      throw new FarkeepError('session.busy', 'An attempt of this session is being started already');
    }
    const started = work();
    this.#starting = started;
    try {
      return await started;
    } finally {
      this.#starting = undefined;
    }
  }

  /** A pause may overtake the attempt that it belongs to; how that start ended does not matter. */
  async pause<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#starting !== undefined || this.#pausing !== undefined) {
      await Promise.allSettled([this.#starting, this.#pausing]);
    }
    const paused = work();
    this.#pausing = paused;
    try {
      return await paused;
    } finally {
      this.#pausing = undefined;
    }
  }

  /** For a resume: it waits for the pause that it ends. */
  async afterPause(): Promise<void> {
    await Promise.allSettled([this.#pausing]);
  }
}
