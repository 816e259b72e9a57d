import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

const dayMs = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('timers of the system', () => {
  it('fire once', () => {
    const onTime = vi.fn();
    systemClock.startTimer(100, onTime);
    vi.advanceTimersByTime(99);
    expect(onTime).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(onTime).toHaveBeenCalledTimes(1);
  });

  it('count again from the restart, also after they have fired', () => {
    const onTime = vi.fn();
    const timer = systemClock.startTimer(100, onTime);
    vi.advanceTimersByTime(90);
    timer.restart();
    vi.advanceTimersByTime(90);
    expect(onTime).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10);
    timer.restart();
    vi.advanceTimersByTime(100);
    expect(onTime).toHaveBeenCalledTimes(2);
  });

  it('do not fire after stop, also when they are restarted', () => {
    const onTime = vi.fn();
    {
      using timer = systemClock.startTimer(100, onTime);
      using longTimer = systemClock.startTimer(60 * dayMs, onTime);
      for (const each of [timer, longTimer]) {
        each.stop();
        each.restart();
      }
      vi.advanceTimersByTime(61 * dayMs);
    }
    expect(onTime).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('accept delays that are longer than a timer of Node.js allows', () => {
    const onTime = vi.fn();
    const timer = systemClock.startTimer(60 * dayMs, onTime);
    vi.advanceTimersByTime(30 * dayMs);
    timer.restart();
    vi.advanceTimersByTime(60 * dayMs - 1);
    expect(onTime).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onTime).toHaveBeenCalledTimes(1);
  });

  it('do not keep the process running when they are background timers', () => {
    vi.useRealTimers();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    using _background = systemClock.startTimer(10_000, () => undefined, { isBackground: true });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
    using _other = systemClock.startTimer(10_000, () => undefined);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before + 1);
  });
});

describe('sleep', () => {
  it('ends after the delay, and with an AbortError when the signal fires', async () => {
    const controller = new AbortController();
    const slept = systemClock.sleep(100, controller.signal);
    const aborted = systemClock.sleep(30 * dayMs, controller.signal);
    vi.advanceTimersByTime(100);
    await expect(slept).resolves.toBeUndefined();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    await expect(systemClock.sleep(1, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
