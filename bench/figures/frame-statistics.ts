// Owns the summary of times between frames: how smooth a page was. Pure.
import { median, percentile } from './statistics.ts';

/** The recording of a page; milliseconds. */
export interface FrameRecord {
  /** Time from each frame to the next. */
  readonly frameMs: readonly number[];
  /** Durations of tasks that held the page's thread for more than 50 ms. */
  readonly longTaskMs: readonly number[];
}

export interface FrameSummary {
  readonly frames: number;
  readonly seconds: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly longTasks: number;
  readonly longTasksMs: number;
}

const leastFrames = 10;

/** @throws Error when there are too few frames for a summary */
export function summarizeFrames({ frameMs, longTaskMs }: FrameRecord): FrameSummary {
  if (frameMs.length < leastFrames) throw new Error(`Only ${frameMs.length} frames were drawn`);
  return {
    frames: frameMs.length,
    seconds: sum(frameMs) / 1000,
    medianMs: median(frameMs) ?? Number.NaN,
    p95Ms: percentile(frameMs, 0.95) ?? Number.NaN,
    p99Ms: percentile(frameMs, 0.99) ?? Number.NaN,
    longestMs: Math.max(...frameMs),
    longTasks: longTaskMs.length,
    longTasksMs: sum(longTaskMs),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
