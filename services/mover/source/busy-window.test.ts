import { expect, it } from 'vitest';
import { BusyWindow, type LaneTimes } from './busy-window.ts';

const lane = (): { -readonly [Name in keyof LaneTimes]: number } => ({
  sourceMs: 0,
  compressMs: 0,
  networkMs: 0,
  targetMs: 0,
});

for (const [part, name] of [
  ['source', 'sourceMs'],
  ['compress', 'compressMs'],
  ['network', 'networkMs'],
  ['target', 'targetMs'],
] as const) {
  it(`names ${part} when one lane of four is busy with it, from the first report on`, () => {
    const lanes = [lane(), lane(), lane(), lane()];
    const window = new BusyWindow();
    window.shares(0, lanes, 0);
    for (let atMs = 100; atMs <= 10_000; atMs += 100) {
      const busy = lanes[2];
      if (busy !== undefined) busy[name] += 95;
      const shares = window.shares(atMs, lanes, 0);
      expect(shares[part]).toBeCloseTo(0.95);
      expect(shares.source + shares.compress + shares.network + shares.target).toBeCloseTo(0.95);
    }
  });
}

it('forgets what was before the last seconds, and counts the walk of the sources as the source', () => {
  const lanes = [lane(), lane()];
  const window = new BusyWindow();
  window.shares(0, lanes, 0);
  for (const each of lanes) each.networkMs = 3_000;
  expect(window.shares(3_000, lanes, 0)).toMatchObject({ source: 0, network: 1 });
  window.shares(6_000, lanes, 0);
  expect(window.shares(9_000, lanes, 2_700)).toMatchObject({ source: 0.9, network: 0 });
});
