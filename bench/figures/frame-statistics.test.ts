// Tests the summary of frame times.
import { expect, it } from 'vitest';
import { summarizeFrames } from './frame-statistics.ts';

it('distinguishes a stutter from smooth frames', () => {
  const frameMs = [...Array.from({ length: 98 }, () => 16), 40, 200];
  const summary = summarizeFrames({ frameMs, longTaskMs: [190, 60] });
  expect(summary).toEqual({
    frames: 100,
    seconds: (98 * 16 + 240) / 1000,
    medianMs: 16,
    p95Ms: 16,
    p99Ms: 40,
    longestMs: 200,
    longTasks: 2,
    longTasksMs: 250,
  });
});

it('gives no summary of a page that was hardly drawn', () => {
  expect(() => summarizeFrames({ frameMs: [16, 16], longTaskMs: [] })).toThrow('Only 2 frames');
});
