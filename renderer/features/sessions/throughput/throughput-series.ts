// Owns the conversion of samples into the drawn points: the chosen range, with at most as many points as there are pixels. Pure.
import type { ThroughputSample } from '../../../../services/contracts/models/session.ts';

export type ThroughputRange = 'five-minutes' | 'whole-run';

/** Three columns, as uPlot requires: seconds since 1970, bytes read per second, bytes transferred per second. */
export type ThroughputColumns = readonly [readonly number[], readonly number[], readonly number[]];

const fiveMinutesMs = 300_000;

export function samplesInRange(
  samples: readonly ThroughputSample[],
  range: ThroughputRange,
): readonly ThroughputSample[] {
  const last = samples.at(-1);
  if (range === 'whole-run' || last === undefined) return samples;
  const fromMs = Date.parse(last.at) - fiveMinutesMs;
  return samples.filter(({ at }) => Date.parse(at) >= fromMs);
}

/** Averages neighbors until at most `mostPoints` are left, so an hour is drawn as quickly as five minutes. */
export function thinOut(samples: readonly ThroughputSample[], mostPoints: number): readonly ThroughputSample[] {
  if (samples.length <= mostPoints) return samples;
  const groupSize = Math.ceil(samples.length / mostPoints);
  const groups: ThroughputSample[] = [];
  for (let index = 0; index < samples.length; index += groupSize) {
    const group = samples.slice(index, index + groupSize);
    const last = group.at(-1);
    if (last === undefined) break;
    const average = (value: (sample: ThroughputSample) => number): number =>
      group.reduce((sum, sample) => sum + value(sample), 0) / group.length;
    groups.push({
      at: last.at,
      readBytesPerSecond: average(({ readBytesPerSecond }) => readBytesPerSecond),
      transferredBytesPerSecond: average(({ transferredBytesPerSecond }) => transferredBytesPerSecond),
    });
  }
  return groups;
}

export function toColumns(samples: readonly ThroughputSample[]): ThroughputColumns {
  return [
    samples.map(({ at }) => Date.parse(at) / 1000),
    samples.map(({ readBytesPerSecond }) => readBytesPerSecond),
    samples.map(({ transferredBytesPerSecond }) => transferredBytesPerSecond),
  ];
}
