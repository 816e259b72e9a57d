import { describe, expect, it } from 'vitest';
import { jobOf } from '../../../testing/fixtures.ts';
import { exampleSession } from '../../../testing/example-session.ts';
import { jobToAccept } from './job-to-accept.ts';

describe('a backup with much less data', () => {
  const shrunk = { at: '2026-11-20T08:00:00.000Z', path: null, code: 'source.shrunk', message: 'Much less' } as const;
  const session = { ...exampleSession('tenant'), warnings: [shrunk] };
  const lastRun = { sessionId: session.id, state: 'warning', endedAt: shrunk.at } as const;
  const job = jobOf(1, { runningSessionId: null, lastRun });

  it('asks whether this is correct only while it is the last run of its job', () => {
    expect(jobToAccept(session, [jobOf(2), job])).toBe(job);
  });

  it.each([
    ['at the provider', { ...session, viewer: 'provider' as const }, job],
    ['without that warning', { ...session, warnings: [{ ...shrunk, code: 'source.changed' as const }] }, job],
    ['after a later run', session, jobOf(1, { lastRun: { ...lastRun, sessionId: 'f'.repeat(32) } })],
    ['while the job runs again', session, jobOf(1, { lastRun, runningSessionId: 'f'.repeat(32) })],
    ['after the job was removed', session, undefined],
  ])('asks nothing %s', (_when, detail, only) => {
    expect(jobToAccept(detail, only === undefined ? [] : [only])).toBeUndefined();
  });
});
