import { expect, it } from 'vitest';
import { idOf, jobOf } from '../../testing/fixtures.ts';
import { lastRunsOf } from './last-runs.ts';

const finished = { sessionId: idOf(2), state: 'succeeded', endedAt: '2026-11-21T21:07:53.000Z' } as const;
const current = { sessionId: idOf(3), state: 'transferring', endedAt: null } as const;

it('shows a running job as running, and keeps its last finished run', () => {
  const job = jobOf(1, { runningSessionId: current.sessionId, lastRun: current, lastFinishedRun: finished });
  expect(lastRunsOf(job)).toEqual({ isRunning: true, finished });
  expect(lastRunsOf(jobOf(1, { lastRun: finished, lastFinishedRun: finished }))).toEqual({
    isRunning: false,
    finished,
  });
});

it('shows no finished run for a job that runs for the first time, and the last run of an earlier version', () => {
  expect(lastRunsOf(jobOf(1, { runningSessionId: idOf(3), lastRun: current, lastFinishedRun: null }))).toEqual({
    isRunning: true,
    finished: null,
  });
  expect(lastRunsOf(jobOf(1, { lastRun: finished }))).toEqual({ isRunning: false, finished });
});
