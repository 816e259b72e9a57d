import { describe, expect, it } from 'vitest';
import { noProgress } from '../../../services/contracts/models/session.ts';
import { exampleSamples, exampleSession } from '../../testing/example-session.ts';
import { largestPart } from './throughput/bottleneck.ts';
import { samplesInRange, thinOut, toColumns } from './throughput/throughput-series.ts';
import { ratesOf } from './state/session-rates.ts';
import { hasFigures, movementOf } from './state/shown-state.ts';
import { statusFigures } from './throughput/status-figures.ts';
import { whoCanRead } from './handshake/who-can-read.ts';
import { whyNotPause } from './page/why-not-pause.ts';

describe('who can read now', () => {
  const { steps } = exampleSession('tenant');
  const until = (name: string): typeof steps =>
    steps.slice(
      0,
      steps.findIndex(({ step }) => step === name),
    );

  it('follows the handshake', () => {
    expect(whoCanRead([], 1, 'connecting').what).toBe('nothing');
    expect(whoCanRead(until('channel-established'), 1, 'connecting').what).toBe('greeting');
    expect(whoCanRead(until('streams-open'), 1, 'key-exchange')).toMatchObject({
      what: 'commands',
      cannotRead: ['gateway', 'anyone'],
    });
    expect(whoCanRead(steps, 2, 'transferring')).toEqual({
      what: 'data',
      canRead: ['source-mover', 'target-mover'],
      cannotRead: ['gateway', 'anyone'],
    });
  });

  it('does not confuse a new attempt with an old one, or a failed step with a done one', () => {
    expect(
      whoCanRead(
        steps.filter(({ attempt }) => attempt === 1),
        2,
        'connecting',
      ).what,
    ).toBe('nothing');
    const failed = steps.map((step) => (step.step === 'streams-open' ? { ...step, outcome: 'failed' as const } : step));
    expect(whoCanRead(failed, 2, 'transferring').what).toBe('commands');
  });

  it('mentions erased keys only if there were keys', () => {
    expect(whoCanRead([], 1, 'failed').what).toBe('nothing');
    expect(whoCanRead(until('gateway-forward'), 1, 'failed').what).toBe('greeting');
    expect(whoCanRead(until('channel-established'), 1, 'waiting-to-resume').what).toBe('greeting');
    expect(whoCanRead(until('key-a-created'), 1, 'failed').what).toBe('closed');
  });

  it('says that the connection is closed after the end', () => {
    for (const state of ['succeeded', 'failed', 'canceled', 'warning', 'waiting-to-resume', 'paused'] as const) {
      expect(whoCanRead(steps, 2, state).what).toBe('ended');
    }
  });
});

describe('a session that does not move', () => {
  it('is distinguished from a session that has ended', () => {
    expect(movementOf('connecting')).toBe('moving');
    expect(movementOf('paused')).toBe('still');
    expect(movementOf('waiting-to-resume')).toBe('still');
    expect(movementOf('canceled')).toBe('ended');
  });

  it('has no figures if it ended before anything was counted', () => {
    expect(hasFigures({ state: 'failed', progress: noProgress })).toBe(false);
    expect(hasFigures({ state: 'waiting-to-resume', progress: noProgress })).toBe(true);
    expect(hasFigures({ state: 'succeeded', progress: { ...noProgress, totalBytes: 0 } })).toBe(true);
    expect(hasFigures({ state: 'failed', progress: { ...noProgress, readBytes: 1 } })).toBe(true);
  });
});

describe('the rates of a session', () => {
  const session = exampleSession('tenant');

  it('are none while it is paused or waits, and the averages of the run after its end', () => {
    expect(ratesOf(session)).toMatchObject({ readBytesPerSecond: 312_000_000, transferredBytesPerSecond: 104_000_000 });
    expect(ratesOf({ ...session, state: 'paused' })).toBeNull();
    expect(ratesOf({ ...session, state: 'waiting-to-resume' })).toBeNull();
    const endedAt = new Date(Date.parse(session.createdAt) + 100_000).toISOString();
    // Unchanged files were processed, but nothing was read for them.
    expect(ratesOf({ ...session, state: 'succeeded', endedAt })).toEqual({
      readBytesPerSecond: 124_000_000,
      transferredBytesPerSecond: 41_000_000,
    });
  });
});

describe('the figures of a restore', () => {
  const { progress } = exampleSession('tenant');
  const session = { kind: 'restore' as const, objects: [], error: null, warningCount: 3 };

  it('count restored files, not processed files', () => {
    const restored = { files: 5, bytes: 100, skipped: 2, failed: 1 };
    expect(statusFigures({ ...session, progress: { ...progress, processedFiles: 8, restored } })).toEqual({
      success: 5,
      errors: 1,
      other: { name: 'skipped', count: 2 },
    });
  });

  it('of an older session are those that it stored', () => {
    const { success, other } = statusFigures({ ...session, progress: { ...progress, processedFiles: 8 } });
    expect([success, other.name]).toEqual([5, 'blocks']);
  });
});

describe('pausing', () => {
  const inState = (state: ReturnType<typeof exampleSession>['state'], viewer: 'tenant' | 'provider' = 'tenant') => ({
    ...exampleSession(viewer),
    state,
    nextAttemptAt: null,
  });

  it('is possible while data moves or the session waits for its next attempt; otherwise the button gives the reason', () => {
    expect(whyNotPause(inState('transferring'))).toBeNull();
    expect(whyNotPause(inState('transferring', 'provider'))).toBeNull();
    const due = { ...inState('waiting-to-resume'), nextAttemptAt: new Date().toISOString() };
    expect(whyNotPause(due)).toBeNull();
    expect(whyNotPause({ ...due, viewer: 'provider' })).toBe('session.pause.early');
    expect(whyNotPause(inState('waiting-to-resume'))).toBe('session.pause.waiting');
    expect(whyNotPause(inState('key-exchange'))).toBe('session.pause.early');
    expect(whyNotPause(inState('finalizing'))).toBe('session.pause.late');
    expect(whyNotPause(inState('succeeded'))).toBe('session.pause.ended');
    expect(whyNotPause({ ...inState('transferring'), kind: 'browse' })).toBe('session.pause.browse');
  });
});

describe('the bottleneck', () => {
  it('is the part with the largest share, and none if no part is busy', () => {
    expect(largestPart({ source: 0.4, compression: 0.9, network: 0.1, target: 0 })).toBe('compression');
    expect(largestPart({ source: 0.1, compression: 0.1, network: 0.1, target: 0.05 })).toBe('none');
    expect(largestPart(null)).toBe('none');
  });
});

describe('throughput', () => {
  const samples = exampleSamples();

  it('shows the last five minutes or the whole run', () => {
    expect(samplesInRange(samples, 'whole-run')).toHaveLength(210);
    const longer = [
      ...samples,
      { ...samples[0]!, at: new Date(Date.parse(samples.at(-1)!.at) + 200_000).toISOString() },
    ];
    const kept = samplesInRange(longer, 'five-minutes');
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(150);
    expect(samplesInRange([], 'five-minutes')).toEqual([]);
  });

  it('reduces many samples by averaging, and keeps short runs unchanged', () => {
    expect(thinOut(samples, 300)).toBe(samples);
    const thin = thinOut(samples, 60);
    expect(thin.length).toBeLessThanOrEqual(60);
    const mean = (list: typeof samples): number =>
      list.reduce((sum, { readBytesPerSecond }) => sum + readBytesPerSecond, 0) / list.length;
    expect(mean([...thin]) / mean(samples)).toBeCloseTo(1, 1);
    expect(thin.at(-1)?.at).toBe(samples.at(-1)?.at);
  });

  it('has a gap across a pause, and no slope', () => {
    const pauseMs = 60_000;
    const paused = samples.map((sample, index) =>
      index < 100 ? sample : { ...sample, at: new Date(Date.parse(sample.at) + pauseMs).toISOString() },
    );
    const [seconds, read, transferred] = toColumns(paused);
    expect(seconds).toHaveLength(211);
    expect([read[100], transferred[100]]).toEqual([null, null]);
    expect(read.filter((value) => value === null)).toHaveLength(1);
    expect(seconds).toEqual(seconds.toSorted((left, right) => left - right));
    // Neither are samples before and after the pause averaged.
    const [, thin] = toColumns(thinOut(paused, 50));
    expect(thin.filter((value) => value === null)).toHaveLength(1);
    expect(toColumns([])).toEqual([[], [], []]);
  });

  it('turns into columns of equal length', () => {
    const [seconds, read, transferred] = toColumns(samples);
    expect([seconds.length, read.length, transferred.length]).toEqual([210, 210, 210]);
    expect(seconds[1]! - seconds[0]!).toBeCloseTo(1);
  });
});
