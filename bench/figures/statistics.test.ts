// Tests the arithmetic of the printed figures.
import { describe, expect, it } from 'vitest';
import { Figures, median, percentile } from './statistics.ts';

describe('median and percentile', () => {
  it('are measured values, in whatever order the values came', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([])).toBeUndefined();
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.95)).toBe(95);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([3], 0)).toBe(3);
    expect(percentile([], 0.5)).toBeUndefined();
  });
});

describe('Figures', () => {
  it('computes ratios within a round, and only for rounds with both values', () => {
    const figures = new Figures();
    for (const [ours, theirs] of [
      [100, 50],
      [30, 10],
      [80, 20],
    ] as const) {
      figures.note('ours', ours);
      figures.note('theirs', theirs);
    }
    figures.note('ours', 1_000);
    expect(figures.ratio('ours', 'theirs')).toBe(3);
    expect(figures.ratio('ours', 'nobody')).toBeUndefined();
  });

  it('finds the highest of several values, and undefined without values', () => {
    const figures = new Figures();
    figures.note('backup peak source MiB', 100);
    figures.note('backup peak source MiB', 140);
    figures.note('restore peak target MiB', 90);
    figures.note('backup s', 1_000);
    expect(figures.highest('peak')).toBe(140);
    expect(figures.highest('CPU')).toBeUndefined();
    expect(figures.names()).toEqual(['backup peak source MiB', 'backup s', 'restore peak target MiB']);
    expect(figures.toJson()['backup peak source MiB']).toEqual([100, 140]);
  });
});
