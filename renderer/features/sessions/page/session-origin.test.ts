import { expect, it } from 'vitest';
import { exampleSession } from '../../../testing/example-session.ts';
import { idOf, jobOf } from '../../../testing/fixtures.ts';
import { canRunAgain, jobOfSession, otherSideOfSession } from './session-origin.ts';

const jobs = [jobOf(1), jobOf(2)];

it('finds the job of a session by its identifier, also after a rename, and by its name in older records', () => {
  expect(jobOfSession({ jobId: jobOf(2).id, jobName: 'old name' }, jobs)).toBe(jobs[1]);
  expect(jobOfSession({ jobName: 'Job 2' }, jobs)).toBe(jobs[1]);
  expect(jobOfSession({ jobId: idOf(9), jobName: 'Job 2' }, jobs)).toBeUndefined();
  const others = [{ id: idOf(7), name: 'contoso' }];
  expect(otherSideOfSession({ otherSide: 'contoso' }, others)).toBe(others[0]);
  expect(otherSideOfSession({ otherSideId: idOf(8), otherSide: 'contoso' }, others)).toBeUndefined();
});

it('offers to run the job of an ended backup again, at the tenant', () => {
  const endedAt = '2026-11-30T08:00:00.000Z';
  expect(canRunAgain(exampleSession('tenant', { state: 'failed', endedAt }))).toBe(true);
  expect(canRunAgain(exampleSession('tenant'))).toBe(false);
  expect(canRunAgain(exampleSession('tenant', { kind: 'restore', endedAt }))).toBe(false);
  expect(canRunAgain(exampleSession('provider', { endedAt }))).toBe(false);
});
