import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { CountedLog } from './counted-log.ts';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('never allows more than its burst and its rate, at whatever times requests come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { minLength: 1, maxLength: 200 }), (gapsMs) => {
        let nowMs = 0;
        let taken = 0;
        const bucket = new TokenBucket({ perSecond: 2, burst: 5 }, () => nowMs);
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (bucket.take() === 0) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(5 + (nowMs / 1000) * 2);
      }),
    );
  });

  it('says when a request can be repeated, and then accepts the request', () => {
    let nowMs = 1000;
    const bucket = new TokenBucket({ perSecond: 4, burst: 1 }, () => nowMs);
    expect(bucket.take()).toBe(0);
    const waitMs = bucket.take();
    expect(waitMs).toBe(250);
    nowMs += waitMs;
    expect(bucket.take()).toBe(0);
  });

  it('delays a sender for everything that was sent beyond the rate', () => {
    let nowMs = 0;
    const bucket = new TokenBucket({ perSecond: 10, burst: 10 }, () => nowMs);
    expect(bucket.spend(10)).toBe(0);
    expect(bucket.spend(20)).toBe(2000);
    nowMs = 2000;
    expect(bucket.spend(1)).toBe(100);
  });
});

describe('a counted log', () => {
  const clockAt = (time: { nowMs: number }): Clock => ({ now: () => time.nowMs, sleep: () => Promise.resolve() });

  it('reports the first event at once, and the number of further events after a minute', () => {
    const time = { nowMs: 0 };
    const log = new CountedLog(clockAt(time));
    const reports: number[] = [];
    for (let each = 0; each < 1000; each += 1) log.note('refused', (repeated) => reports.push(repeated));
    log.note('other', (repeated) => reports.push(repeated));
    expect(reports).toEqual([1, 1]);
    time.nowMs = 60_000;
    log.note('refused', (repeated) => reports.push(repeated));
    expect(reports).toEqual([1, 1, 1000]);
  });

  it('uses bounded memory when an attacker invents keys', () => {
    const log = new CountedLog(clockAt({ nowMs: 0 }));
    let lines = 0;
    for (let each = 0; each < 50_000; each += 1) log.note(`name ${each}`, () => (lines += 1));
    expect(lines).toBeGreaterThan(900);
    expect(lines).toBeLessThanOrEqual(1002);
  });
});
