import { describe, expect, it } from 'vitest';
import { LoginThrottle } from './login-throttle.ts';

function make(): { throttle: LoginThrottle; slept: number[]; turn(ms: number): void } {
  let nowMs = 0;
  const slept: number[] = [];
  const throttle = new LoginThrottle({
    now: () => nowMs,
    sleep: (delayMs) => {
      slept.push(delayMs);
      return Promise.resolve();
    },
  });
  return { throttle, slept, turn: (ms) => (nowMs += ms) };
}

describe('LoginThrottle', () => {
  it('ignores the first failures, then delays more and more, within the time limit of a login', async () => {
    const { throttle, slept } = make();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await throttle.pause('contoso', `10.0.0.${attempt}`);
      throttle.noteFailure('contoso', `10.0.0.${attempt}`);
    }
    expect(slept).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000]);
  });

  it('never locks an account, because any stranger can cause failures for its name', async () => {
    const { throttle } = make();
    for (let attempt = 0; attempt < 1000; attempt += 1) throttle.noteFailure('contoso', `10.0.${attempt}`);
    await expect(throttle.pause('contoso', '192.0.2.1')).resolves.toBeUndefined();
  });

  it('refuses an address with many failures for every account, and accepts it again later', async () => {
    const { throttle, turn } = make();
    for (let attempt = 0; attempt < 20; attempt += 1) throttle.noteFailure(`user ${attempt}`, '192.0.2.1');
    await expect(throttle.pause('contoso', '192.0.2.1')).rejects.toMatchObject({ code: 'login.slowed' });
    await expect(throttle.pause('contoso', '192.0.2.2')).resolves.toBeUndefined();
    turn(16 * 60_000);
    await expect(throttle.pause('contoso', '192.0.2.1')).resolves.toBeUndefined();
  });

  it('forgets the failures of an account that logged in', async () => {
    const { throttle, slept } = make();
    for (let attempt = 0; attempt < 5; attempt += 1) throttle.noteFailure('contoso', `10.0.0.${attempt}`);
    throttle.noteSuccess('Contoso');
    await throttle.pause('contoso', '192.0.2.1');
    expect(slept).toEqual([]);
  });

  it('uses bounded memory when an attacker invents many names', () => {
    const { throttle } = make();
    const before = process.memoryUsage().heapUsed;
    for (let attempt = 0; attempt < 60_000; attempt += 1) throttle.noteFailure(`made up ${attempt}`, `a ${attempt}`);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});
