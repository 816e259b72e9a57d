import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { Deadline, IdleTimer, valueWithin, waitUntil, withDeadline, type Progress } from './deadline.ts';

const never = new Promise<never>(() => undefined);
const onLate = (): Error => new Error('too late');
const onAbort = (): Error => new Error('given up');

describe('a deadline', () => {
  it('reports once that the time is over', async () => {
    const timers = new ManualClock();
    const controller = new AbortController();
    const onOver = vi.fn();
    new Deadline({ limitMs: 100, signal: controller.signal, timers }, onOver);
    await timers.advance(100);
    controller.abort();
    expect(onOver.mock.calls).toEqual([['late']]);
  });

  it('reports that the signal fired, and leaves no timer or listener', () => {
    const timers = new ManualClock();
    const controller = new AbortController();
    const onOver = vi.fn();
    new Deadline({ limitMs: 100, signal: controller.signal, timers }, onOver);
    controller.abort();
    expect(onOver.mock.calls).toEqual([['aborted']]);
    expect(timers.timerCount).toBe(0);
  });

  it('reports nothing after stop, and leaves no timer or listener', async () => {
    const timers = new ManualClock();
    const { signal } = new AbortController();
    const onOver = vi.fn();
    {
      using _deadline = new Deadline({ limitMs: 100, signal, timers }, onOver);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await timers.advance(1_000);
    expect(onOver).not.toHaveBeenCalled();
  });

  it('reports a signal that had already fired, but only after the code that created the deadline', async () => {
    const onOver = vi.fn();
    const deadline = new Deadline({ limitMs: 100, signal: AbortSignal.abort(), timers: new ManualClock() }, onOver);
    expect(onOver).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(onOver.mock.calls).toEqual([['aborted']]);
    deadline.stop();
    const stopped = vi.fn();
    new Deadline({ limitMs: 100, signal: AbortSignal.abort(), timers: new ManualClock() }, stopped).stop();
    await Promise.resolve();
    expect(stopped).not.toHaveBeenCalled();
  });
});

describe('an operation with a deadline', () => {
  it('returns its result and runs the clean-ups, the last one first', async () => {
    const timers = new ManualClock();
    const steps: string[] = [];
    const result = await withDeadline({ limitMs: 100, timers, onLate }, async ({ onEnd }) => {
      onEnd(() => steps.push('first'));
      onEnd(() => steps.push('second'));
      return 7;
    });
    expect([result, ...steps]).toEqual([7, 'second', 'first']);
    expect(timers.timerCount).toBe(0);
  });

  it('rejects at its limit, tells the operation why, and cleans up', async () => {
    const timers = new ManualClock();
    const seen: unknown[] = [];
    const limited = withDeadline({ limitMs: 100, timers, onLate }, ({ signal, onEnd }) => {
      signal.addEventListener('abort', () => seen.push((signal.reason as Error).message));
      onEnd(() => seen.push('clean'));
      return never;
    });
    const failed = expect(limited).rejects.toThrow('too late');
    await timers.advance(99);
    expect(seen).toEqual([]);
    await timers.advance(1);
    await failed;
    expect(seen).toEqual(['too late', 'clean']);
  });

  it("rejects with the caller's error when the signal fires, also when the operation ignores its own signal", async () => {
    const controller = new AbortController();
    const reactsItself = ({ signal }: Progress): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('of the operation'))));
    const options = { limitMs: 100, timers: new ManualClock(), onLate, signal: controller.signal };
    const limited = withDeadline({ ...options, onAbort }, reactsItself);
    const plain = withDeadline(options, reactsItself);
    controller.abort();
    await expect(limited).rejects.toThrow('given up');
    await expect(plain).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is not started when the signal has already fired', async () => {
    const operation = vi.fn(() => never);
    const options = { limitMs: 100, timers: new ManualClock(), onLate, onAbort, signal: AbortSignal.abort() };
    await expect(withDeadline(options, operation)).rejects.toThrow('given up');
    expect(operation).not.toHaveBeenCalled();
  });

  it('ignores a result after the limit, and passes on an error that is thrown at once', async () => {
    const timers = new ManualClock();
    const late = Promise.withResolvers<never>();
    const limited = expect(withDeadline({ limitMs: 100, timers, onLate }, () => late.promise)).rejects.toThrow(
      'too late',
    );
    await timers.advance(100);
    await limited;
    late.reject(new Error('nobody hears this'));
    const throws = (): never => {
      throw new Error('at once');
    };
    await expect(withDeadline({ limitMs: 100, timers, onLate }, throws)).rejects.toThrow('at once');
    expect(timers.timerCount).toBe(0);
  });
});

describe('a value within a limit', () => {
  it('is undefined when the value is late', async () => {
    const timers = new ManualClock();
    const late = valueWithin<number>(never, 100, timers);
    await timers.advance(100);
    expect(await late).toBeUndefined();
    expect(await valueWithin(Promise.resolve(7), 100, timers)).toBe(7);
    await expect(valueWithin(Promise.reject(new Error('broken')), 100, timers)).rejects.toThrow('broken');
    expect(timers.timerCount).toBe(0);
  });
});

describe('waiting for a condition', () => {
  const subscribers = new Set<() => void>();
  const subscribe = (onEvent: () => void): (() => void) => {
    subscribers.add(onEvent);
    return () => subscribers.delete(onEvent);
  };

  it('checks at once, and again after each event', async () => {
    const timers = new ManualClock();
    let value: number | undefined = 1;
    const options = { limitMs: 100, timers, onLate, subscribe, look: () => value };
    expect(await waitUntil(options)).toBe(1);
    value = undefined;
    const later = waitUntil({ ...options, look: async () => value });
    for (const tell of subscribers) tell();
    await timers.advance(50);
    value = 2;
    for (const tell of subscribers) tell();
    expect(await later).toBe(2);
    expect([subscribers.size, timers.timerCount]).toEqual([0, 0]);
  });

  it('ends with the limit, the signal, or an error of the check', async () => {
    const timers = new ManualClock();
    const controller = new AbortController();
    const options = { limitMs: 100, timers, onLate, onAbort, subscribe, look: () => undefined };
    const late = expect(waitUntil<unknown>(options)).rejects.toThrow('too late');
    const aborted = expect(waitUntil<unknown>({ ...options, signal: controller.signal })).rejects.toThrow('given up');
    controller.abort();
    await aborted;
    await timers.advance(100);
    await late;
    const look = (): never => {
      throw new Error('cannot look');
    };
    await expect(waitUntil({ ...options, look })).rejects.toThrow('cannot look');
    expect([subscribers.size, timers.timerCount]).toEqual([0, 0]);
  });
});

describe('an idle timer', () => {
  it('starts with the first call of `heard`, and fires when no further call comes in time', async () => {
    const timers = new ManualClock();
    const onIdle = vi.fn();
    const idle = new IdleTimer(100, onIdle, { timers });
    await timers.advance(1_000);
    idle.heard();
    await timers.advance(99);
    idle.heard();
    await timers.advance(99);
    expect(onIdle).not.toHaveBeenCalled();
    await timers.advance(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
    idle.heard();
    await timers.advance(100);
    expect(onIdle).toHaveBeenCalledTimes(2);
  });

  it('does not fire after stop', async () => {
    const timers = new ManualClock();
    const onIdle = vi.fn();
    {
      using idle = new IdleTimer(100, onIdle, { timers });
      idle.heard();
      idle.stop();
      idle.heard();
      const early = new IdleTimer(100, onIdle, { timers });
      early.stop();
      early.heard();
    }
    expect(timers.timerCount).toBe(0);
    await timers.advance(1_000);
    expect(onIdle).not.toHaveBeenCalled();
  });
});
