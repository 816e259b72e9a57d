// Owns the conversion of samples into the drawn points: the chosen range, with at most as many points as there are pixels. Pure.
import type { ThroughputSample } from '../../../../services/contracts/models/session.ts';

export type ThroughputRange = 'five-minutes' | 'whole-run';

/** Three columns, as uPlot requires: seconds since 1970, bytes read per second, bytes transferred per second. */
export type ThroughputColumns = readonly [readonly number[], readonly (number | null)[], readonly (number | null)[]];

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

/** Longer without a sample than this many usual intervals, nothing was transferred: a pause, a lost connection, a service that was down. */
const gapIntervals = 4;
const leastGapMs = 5_000;

/**
 * Averages neighbors until at most about `mostPoints` are left, so an hour is drawn as quickly as five minutes. Samples on both sides of a gap
 * are never averaged: the line would show a slope that never was.
 */
export function thinOut(samples: readonly ThroughputSample[], mostPoints: number): readonly ThroughputSample[] {
  if (samples.length <= mostPoints) return samples;
  const groupSize = Math.ceil(samples.length / mostPoints);
  return stretchesOf(samples).flatMap((stretch) => averaged(stretch, groupSize));
}

function averaged(samples: readonly ThroughputSample[], groupSize: number): readonly ThroughputSample[] {
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

/** The samples between two gaps. */
function stretchesOf(samples: readonly ThroughputSample[]): readonly (readonly ThroughputSample[])[] {
  const times = samples.map(({ at }) => Date.parse(at));
  const intervals = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const usualMs = intervals.toSorted((left, right) => left - right)[Math.floor(intervals.length / 2)] ?? 0;
  const longestMs = Math.max(leastGapMs, gapIntervals * usualMs);
  const stretches: ThroughputSample[][] = [];
  samples.forEach((sample, index) => {
    const isAfterGap = index === 0 || (intervals[index - 1] ?? 0) > longestMs;
    if (isAfterGap) stretches.push([]);
    stretches.at(-1)?.push(sample);
  });
  return stretches;
}

/** Between two stretches, a point without values ends the line. */
export function toColumns(samples: readonly ThroughputSample[]): ThroughputColumns {
  const seconds: number[] = [];
  const read: (number | null)[] = [];
  const transferred: (number | null)[] = [];
  for (const [index, stretch] of stretchesOf(samples).entries()) {
    const first = Date.parse(stretch[0]?.at ?? '') / 1000;
    if (index > 0) {
      seconds.push(((seconds.at(-1) ?? first) + first) / 2);
      read.push(null);
      transferred.push(null);
    }
    for (const sample of stretch) {
      seconds.push(Date.parse(sample.at) / 1000);
      read.push(sample.readBytesPerSecond);
      transferred.push(sample.transferredBytesPerSecond);
    }
  }
  return [seconds, read, transferred];
}
