// Owns the throughput samples of one session: one a second, for the whole run in bounded memory. Must not read counters by itself.
import type { ThroughputSample } from '../contracts/models/session.ts';

/** Four hours at one sample a second. Beyond that, two neighbors are merged into one, so that the whole run stays visible. */
const maxSamples = 14_400;
/** Weight of the newest second in the shown rates; the previous rate has the remaining weight. */
const smoothing = 0.3;

export interface Counters {
  readonly readBytes: number;
  readonly transferredBytes: number;
}

export class ThroughputRecorder {
  #samples: ThroughputSample[];
  #last: (Counters & { readonly atMs: number }) | undefined;
  #readRate = 0;
  #transferredRate = 0;

  constructor(samples: readonly ThroughputSample[] = []) {
    this.#samples = [...samples];
  }

  get samples(): readonly ThroughputSample[] {
    return this.#samples;
  }

  /** Smoothed bytes per second. */
  get rates(): { readonly readBytesPerSecond: number; readonly transferredBytesPerSecond: number } {
    return {
      readBytesPerSecond: Math.round(this.#readRate),
      transferredBytesPerSecond: Math.round(this.#transferredRate),
    };
  }

  /** Resets the base: the counters of a new attempt start at zero. */
  restart(): void {
    this.#last = undefined;
    this.#readRate = 0;
    this.#transferredRate = 0;
  }

  /** @returns the sample, or undefined for the first reading, which only sets the base */
  read(counters: Counters, atMs: number): ThroughputSample | undefined {
    const last = this.#last;
    this.#last = { ...counters, atMs };
    if (last === undefined || atMs <= last.atMs) return undefined;
    const seconds = (atMs - last.atMs) / 1000;
    const readBytesPerSecond = Math.max(0, (counters.readBytes - last.readBytes) / seconds);
    const transferredBytesPerSecond = Math.max(0, (counters.transferredBytes - last.transferredBytes) / seconds);
    const isFirst = this.#readRate === 0 && this.#transferredRate === 0;
    const weight = isFirst ? 1 : smoothing;
    this.#readRate += weight * (readBytesPerSecond - this.#readRate);
    this.#transferredRate += weight * (transferredBytesPerSecond - this.#transferredRate);
    const sample = { at: new Date(atMs).toISOString(), readBytesPerSecond, transferredBytesPerSecond };
    this.#samples.push(sample);
    if (this.#samples.length > maxSamples) this.#samples = mergePairs(this.#samples);
    return sample;
  }
}

function mergePairs(samples: readonly ThroughputSample[]): ThroughputSample[] {
  const merged: ThroughputSample[] = [];
  for (let index = 0; index < samples.length; index += 2) {
    const [first, second] = [samples[index], samples[index + 1]];
    if (first === undefined) continue;
    if (second === undefined) {
      merged.push(first);
      continue;
    }
    merged.push({
      at: second.at,
      readBytesPerSecond: (first.readBytesPerSecond + second.readBytesPerSecond) / 2,
      transferredBytesPerSecond: (first.transferredBytesPerSecond + second.transferredBytesPerSecond) / 2,
    });
  }
  return merged;
}
