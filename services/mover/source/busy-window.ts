// Owns the busy shares of a source mover over the last seconds. A lane without work does not count: a job with one big file uses one lane of
// four, and that lane alone decides its speed. Pure except for its memory.
import type { BusyShares } from '../link/local-link.ts';
import type { WorkerCounters } from './streams/worker-link.ts';

export type LaneTimes = Pick<WorkerCounters, 'sourceMs' | 'compressMs' | 'networkMs' | 'targetMs'>;

const windowMs = 3_000;
/** A lane with less work than this share of the window counts as unused. */
const leastUse = 0.05;

interface Reading {
  readonly atMs: number;
  readonly lanes: readonly LaneTimes[];
  readonly walkMs: number;
}

export class BusyWindow {
  readonly #readings: Reading[] = [];

  /** @param walkMs time in which the main thread walked the sources; while it walks, lanes without files wait for it */
  shares(atMs: number, lanes: readonly LaneTimes[], walkMs: number): BusyShares {
    const now = { atMs, lanes: lanes.map((lane) => ({ ...lane })), walkMs };
    this.#readings.push(now);
    while (this.#readings.length > 2 && (this.#readings[1]?.atMs ?? atMs) <= atMs - windowMs) this.#readings.shift();
    const [first = now] = this.#readings;
    const spanMs = Math.max(1, atMs - first.atMs);
    const sums = { source: 0, compress: 0, network: 0, target: 0 };
    let usedLanes = 0;
    for (const [index, lane] of now.lanes.entries()) {
      const before = first.lanes[index];
      const spent = (name: keyof LaneTimes): number => lane[name] - (before?.[name] ?? 0);
      const times = {
        source: spent('sourceMs'),
        compress: spent('compressMs'),
        network: spent('networkMs'),
        target: spent('targetMs'),
      };
      if (times.source + times.compress + times.network + times.target < leastUse * spanMs) continue;
      usedLanes += 1;
      for (const name of ['source', 'compress', 'network', 'target'] as const) sums[name] += times[name];
    }
    const share = (ms: number): number => Math.min(1, Math.max(0, ms / (spanMs * Math.max(1, usedLanes))));
    return {
      source: Math.max(share(sums.source), Math.min(1, (walkMs - first.walkMs) / spanMs)),
      compress: share(sums.compress),
      network: share(sums.network),
      target: share(sums.target),
    };
  }
}
