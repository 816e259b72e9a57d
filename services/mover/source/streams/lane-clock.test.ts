import { expect, it } from 'vitest';
import { LaneClock } from './lane-clock.ts';
import { emptyCounters } from './worker-link.ts';

it('counts each moment once, for the first part that is busy, and counts what has not ended', () => {
  let nowMs = 0;
  const counters = emptyCounters();
  const clock = new LaneClock(counters, () => nowMs);
  const pass = (ms: number): void => void (nowMs += ms);
  pass(50);
  clock.begin('target');
  pass(10);
  clock.begin('network');
  pass(200);
  clock.begin('source');
  pass(3);
  clock.end('source');
  pass(1000);
  clock.settle();
  expect(counters).toMatchObject({ sourceMs: 3, networkMs: 1200, targetMs: 10, compressMs: 0 });
  clock.end('network');
  clock.end('target');
  pass(500);
  clock.settle();
  expect(counters).toMatchObject({ sourceMs: 3, networkMs: 1200, targetMs: 10 });
});
