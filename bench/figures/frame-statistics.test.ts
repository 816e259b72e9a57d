// What frame times are said to be.
import { expect, it } from 'vitest';
import { summarizeFrames } from './frame-statistics.ts';

it('tells a stutter from smooth frames', () => {
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

it('says nothing about a page that was hardly drawn', () => {
  expect(() => summarizeFrames({ frameMs: [16, 16], longTaskMs: [] })).toThrow('Only 2 frames');
});
