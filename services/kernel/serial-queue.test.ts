import { describe, expect, it, vi } from 'vitest';
import { SerialQueue } from './serial-queue.ts';

describe('a serial queue', () => {
  it('runs tasks one after the other, also after a failed task', async () => {
    const queue = new SerialQueue();
    const first = Promise.withResolvers<number>();
    const second = vi.fn(() => 2);
    const results = [queue.run(() => first.promise), queue.run(second)];
    await new Promise((resolve) => setImmediate(resolve));
    expect(second).not.toHaveBeenCalled();
    first.reject(new Error('broken'));
    await expect(results[0]).rejects.toThrow('broken');
    expect(await results[1]).toBe(2);
  });

  it('rejects when a task throws at once', async () => {
    const queue = new SerialQueue();
    const failing = queue.run(() => {
      throw new Error('at once');
    });
    await expect(failing).rejects.toThrow('at once');
    expect(await queue.run(() => 1)).toBe(1);
  });

  it('refuses tasks beyond its limit until one has ended', async () => {
    const queue = new SerialQueue({ maxWaiting: 2 });
    const first = Promise.withResolvers<number>();
    const running = queue.run(() => first.promise);
    const waiting = queue.run(() => 2);
    const tooMany = vi.fn();
    await expect(queue.run(tooMany)).rejects.toThrow('full');
    first.resolve(1);
    expect([await running, await waiting]).toEqual([1, 2]);
    expect(await queue.run(() => 3)).toBe(3);
    expect(tooMany).not.toHaveBeenCalled();
  });

  it('is idle when all tasks have ended', async () => {
    const queue = new SerialQueue();
    await queue.idle();
    const task = Promise.withResolvers<void>();
    const isDone = vi.fn();
    const failing = queue.run(() => task.promise.finally(isDone));
    failing.catch(() => undefined);
    task.reject(new Error('broken'));
    await queue.idle();
    expect(isDone).toHaveBeenCalled();
  });

  it('runs the waiting tasks when it closes, and accepts no more', async () => {
    const queue = new SerialQueue();
    const task = vi.fn();
    void queue.run(() => new Promise((resolve) => setImmediate(resolve)));
    void queue.run(task);
    await queue.close();
    expect(task).toHaveBeenCalled();
    await expect(queue.run(task)).rejects.toThrow('closed');
    expect(task).toHaveBeenCalledTimes(1);
  });
});
