import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { atDate, every, sleepUntil } from './schedule.ts';

const dayMs = 86_400_000;

describe('a repetition', () => {
  it('runs after each interval until it is stopped', async () => {
    const timers = new ManualClock();
    const atMs: number[] = [];
    const schedule = every(100, () => void atMs.push(timers.now()), { timers });
    await timers.advance(350);
    schedule.stop();
    await timers.advance(1_000);
    expect(atMs).toEqual([100, 200, 300]);
    expect(timers.timerCount).toBe(0);
  });

  it('never overlaps with itself, and its end waits for the current run', async () => {
    const timers = new ManualClock();
    const runs: PromiseWithResolvers<void>[] = [];
    let signal: AbortSignal | undefined;
    const schedule = every(
      100,
      (given) => {
        signal = given;
        const run = Promise.withResolvers<void>();
        runs.push(run);
        return run.promise;
      },
      { timers },
    );
    await timers.advance(1_000);
    expect(runs).toHaveLength(1);
    runs[0]?.resolve();
    await timers.advance(99);
    expect(runs).toHaveLength(1);
    await timers.advance(1);
    expect(runs).toHaveLength(2);
    schedule.stop();
    expect(signal?.aborted).toBe(true);
    const onEnded = vi.fn();
    const ended = schedule.ended().then(onEnded);
    await timers.advance(1_000);
    expect(onEnded).not.toHaveBeenCalled();
    runs[1]?.reject(new Error('after the stop'));
    await ended;
  });

  it('gets the pause before each run, and can have another first pause', async () => {
    const timers = new ManualClock();
    const atMs: number[] = [];
    let pauseMs = 100;
    using _schedule = every(
      () => (pauseMs *= 2),
      () => void atMs.push(timers.now()),
      { timers, firstAfterMs: 10 },
    );
    await timers.advance(700);
    expect(atMs).toEqual([10, 210, 610]);
  });

  it('can be stopped inside its own run', async () => {
    const timers = new ManualClock();
    let pauseMs = 100;
    const run = vi.fn(() => schedule.stop());
    const schedule = every(() => (pauseMs *= 2), run, { timers });
    await timers.advance(10_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(timers.timerCount).toBe(0);
  });

  it('passes errors to the handler and continues', async () => {
    const timers = new ManualClock();
    const onError = vi.fn();
    let isLater = false;
    const run = (): Promise<void> => {
      if (isLater) return Promise.reject(new Error('later'));
      isLater = true;
      throw new Error('at once');
    };
    using _schedule = every(100, run, { timers, onError });
    await timers.advance(200);
    expect(onError.mock.calls.map(([error]) => (error as Error).message)).toEqual(['at once', 'later']);
    expect(timers.timerCount).toBe(1);
  });

  it('throws from the timer when there is no error handler, and continues', async () => {
    const timers = new ManualClock();
    const run = vi.fn(() => {
      throw new Error('unforeseen');
    });
    using _schedule = every(100, run, { timers });
    await expect(timers.advance(100)).rejects.toThrow('unforeseen');
    await expect(timers.advance(100)).rejects.toThrow('unforeseen');
  });
});

describe('a run at a date', () => {
  it('starts later than a timer allows (24 days), and compares the date with the clock repeatedly', async () => {
    const clock = new ManualClock();
    const sleep = vi.spyOn(clock, 'sleep');
    const run = vi.fn();
    const schedule = atDate(60 * dayMs, run, { clock, onError: vi.fn() });
    await clock.advance(60 * dayMs - 1);
    expect(run).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(run).toHaveBeenCalledTimes(1);
    expect(Math.max(...sleep.mock.calls.map(([delayMs]) => delayMs))).toBe(15 * 60_000);
    await schedule.ended();
  });

  it('starts at once when the date has passed, and never after it was stopped', async () => {
    const clock = new ManualClock(1_000);
    const run = vi.fn();
    const onError = vi.fn();
    await atDate(1_000, run, { clock, onError }).ended();
    expect(run).toHaveBeenCalledTimes(1);
    const dropped = atDate(2_000, run, { clock, onError });
    dropped.stop();
    await dropped.ended();
    await clock.advance(5_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(onError).not.toHaveBeenCalled();
  });

  it('passes an error of its run to the handler', async () => {
    const clock = new ManualClock();
    const onError = vi.fn();
    const error = new Error('broken');
    await atDate(0, () => Promise.reject(error), { clock, onError }).ended();
    expect(onError).toHaveBeenCalledWith(error);
  });

  it('does not start when the signal has fired, also when the date has passed', async () => {
    await expect(sleepUntil(0, new ManualClock(), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  });
});
