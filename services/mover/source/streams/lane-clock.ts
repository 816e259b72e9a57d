// Owns how the time of a lane is divided among the parts that can limit it. Each moment counts for one part only: the first of `laneParts`
// that is busy or waited for. Work that has not ended counts too, so that a send that takes a minute is seen at once. Never waits.
import type { WorkerCounters } from './worker-link.ts';

/** `source`: reading and hashing. `network`: the connection takes no more bytes. `target`: the target has not answered. */
export const laneParts = ['source', 'compress', 'network', 'target'] as const;
export type LanePart = (typeof laneParts)[number];

export class LaneClock {
  readonly #counters: Pick<WorkerCounters, `${LanePart}Ms`>;
  readonly #now: () => number;
  readonly #busy: Record<LanePart, number> = { source: 0, compress: 0, network: 0, target: 0 };
  #lastMs: number;

  constructor(counters: Pick<WorkerCounters, `${LanePart}Ms`>, now: () => number = () => performance.now()) {
    this.#counters = counters;
    this.#now = now;
    this.#lastMs = now();
  }

  begin(part: LanePart): void {
    this.settle();
    this.#busy[part] += 1;
  }

  end(part: LanePart): void {
    this.settle();
    this.#busy[part] = Math.max(0, this.#busy[part] - 1);
  }

  /** Adds the time since the last change to the counters. */
  settle(): void {
    const nowMs = this.#now();
    const part = laneParts.find((candidate) => this.#busy[candidate] > 0);
    if (part !== undefined) this.#counters[`${part}Ms`] += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }
}
