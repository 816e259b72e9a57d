import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { changesOfValidity, validityOf } from '../certificate/validity.ts';
import { lastPassed, nextOf, SharedClock } from './shared-clock.ts';

const start = Date.parse('2026-11-30T08:00:00.000Z');
const day = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: start }));
afterEach(() => void vi.useRealTimers());

describe('the clock of what is shown', () => {
  it('wakes at the moments of its watchers without any other event, with one timer', () => {
    const clock = new SharedClock();
    const seen: [string, number][] = [];
    const note = (name: string) => (): void => void seen.push([name, Date.now() - start]);
    const stopFirst = clock.watch((nowMs) => nextOf([start + 2_500, start + 3 * 3_600_000], nowMs), note('first'));
    const stopSecond = clock.watch((nowMs) => (Math.floor(nowMs / 1000) + 1) * 1000, note('second'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(3_000);
    expect(seen).toEqual([
      ['second', 1000],
      ['second', 2000],
      ['first', 2500],
      ['second', 3000],
    ]);
    stopSecond();
    seen.length = 0;
    vi.advanceTimersByTime(4 * 3_600_000);
    expect(seen).toEqual([['first', 3 * 3_600_000]]);
    stopFirst();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('also notices that the computer slept, and that its clock was set back', () => {
    const clock = new SharedClock();
    const listener = vi.fn();
    clock.watch((nowMs) => nextOf([start + day], nowMs), listener);
    vi.setSystemTime(start + 2 * day);
    vi.advanceTimersByTime(60_000);
    expect(listener).toHaveBeenCalledTimes(1);
    vi.setSystemTime(start);
    vi.advanceTimersByTime(60_000);
    expect(listener).toHaveBeenCalledTimes(2);
  });
});

describe('the validity of a certificate', () => {
  const dates = {
    notBefore: new Date(start + 5_000).toISOString(),
    notAfter: new Date(start + 60 * day).toISOString(),
  };

  it('becomes valid, comes near its end, and ends, each at its moment', () => {
    const at = (ms: number): unknown => validityOf(dates, lastPassed(changesOfValidity(dates), ms));
    expect(at(start)).toEqual({ kind: 'not-yet' });
    expect(at(start + 5_000)).toEqual({ kind: 'good' });
    expect(at(start + 29 * day)).toEqual({ kind: 'good' });
    expect(at(start + 29 * day + 1)).toEqual({ kind: 'soon', days: 30 });
    expect(at(start + 59 * day)).toEqual({ kind: 'soon', days: 1 });
    expect(at(start + 60 * day)).toEqual({ kind: 'expired' });
  });

  it('does not change between two of these moments', () => {
    fc.assert(
      fc.property(fc.integer({ min: -day, max: 62 * day }), (offset) => {
        const now = start + offset;
        expect(validityOf(dates, lastPassed(changesOfValidity(dates), now))).toEqual(validityOf(dates, now));
      }),
    );
  });
});
