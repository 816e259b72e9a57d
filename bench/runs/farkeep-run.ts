// Owns Farkeep's side of the benchmark: a provider, a gateway and a tenant on loopback with real data movers; runs jobs through all of
// them.
import path from 'node:path';
import type { SessionDetail } from '../../services/contracts/models/session.ts';
import { Stack } from '../../services/testing/site/stack.ts';
import { watchMovers } from './child-usage.ts';
import type { MoverUsage } from './child-usage.ts';

const sessionTimeoutMs = 30 * 60_000;

export interface FarkeepResult {
  /** From the request for the run to the end of the session: login, keys, starting the movers, and the data. */
  readonly seconds: number;
  readonly movers: readonly MoverUsage[];
  readonly session: SessionDetail;
}

export class FarkeepRun {
  readonly #stack: Stack;
  readonly #providerId: string;
  #jobs = 0;

  private constructor(stack: Stack, providerId: string) {
    this.#stack = stack;
    this.#providerId = providerId;
  }

  static async start(folder: string): Promise<FarkeepRun> {
    const stack = await Stack.start({ folder });
    return new FarkeepRun(stack, (await stack.addProvider()).id);
  }

  get repositoryFolder(): string {
    return this.#stack.repositoryFolder;
  }

  async addJob(source: string): Promise<string> {
    this.#jobs += 1;
    return this.#stack.addJob(this.#providerId, source, { name: `job ${this.#jobs} ${path.basename(source)}` });
  }

  async backup(jobId: string): Promise<FarkeepResult> {
    return this.#measure(async () => this.#stack.runJob(jobId, sessionTimeoutMs));
  }

  async restore(pointId: string, destination: string): Promise<FarkeepResult> {
    return this.#measure(async () => this.#stack.restore(pointId, destination, [], sessionTimeoutMs));
  }

  async stop(): Promise<void> {
    await this.#stack.stop();
  }

  async #measure(work: () => Promise<SessionDetail>): Promise<FarkeepResult> {
    const watch = watchMovers();
    const beganMs = performance.now();
    try {
      const session = await work();
      const seconds = (performance.now() - beganMs) / 1000;
      if (session.state !== 'succeeded' && session.state !== 'warning') {
        throw new Error(`The session ended as ${session.state}: ${session.error?.message ?? ''}`);
      }
      return { seconds, movers: watch.stop(), session };
    } catch (error) {
      watch.stop();
      throw error;
    }
  }
}
