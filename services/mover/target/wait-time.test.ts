import { expect, it } from 'vitest';
import { WaitTime } from './wait-time.ts';

it('counts a wait that has not ended, and several waits at once only once', () => {
  let nowMs = 0;
  const time = new WaitTime(() => nowMs);
  time.begin();
  time.begin();
  for (let reading = 0; reading < 40; reading += 1) {
    nowMs += 100;
    expect(time.share()).toBe(1);
  }
  time.end();
  time.end();
  for (let reading = 0; reading < 40; reading += 1) {
    nowMs += 100;
    time.share();
  }
  expect(time.share()).toBeLessThan(0.1);
});
