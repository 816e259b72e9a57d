import { expect, it } from 'vitest';
import { decideRestart, type RestartPolicy } from './restart-policy.ts';

const policy: RestartPolicy = { firstDelayMs: 500, maxDelayMs: 3_000, maxCrashes: 5, windowMs: 60_000 };

it('waits longer after each crash, up to a bound', () => {
  const delays = [1, 2, 3, 4].map((count) =>
    decideRestart(
      Array.from({ length: count }, (_item, index) => index),
      policy,
    ),
  );
  expect(delays).toEqual([500, 1_000, 2_000, 3_000].map((delayMs) => ({ kind: 'restart', delayMs })));
});

it('gives up when the ceiling is reached within the window', () => {
  expect(decideRestart([0, 1, 2, 3, 4], policy)).toEqual({ kind: 'give-up' });
});

it('forgets crashes that lie far back', () => {
  expect(decideRestart([0, 1, 2, 3, 100_000], policy)).toEqual({ kind: 'restart', delayMs: 500 });
});
