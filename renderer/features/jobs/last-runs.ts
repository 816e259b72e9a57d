// Owns what a job shows as its last run: "Running" while it runs, then the end of its newest backup. Pure.
import type { Job, JobRun } from '../../../services/contracts/models/tenant.ts';

export interface LastRuns {
  readonly isRunning: boolean;
  /** The newest backup that has ended; null if none has. */
  readonly finished: JobRun | null;
}

export function lastRunsOf({ runningSessionId, lastRun, lastFinishedRun }: Job): LastRuns {
  const isRunning = runningSessionId !== null;
  const finished = lastFinishedRun ?? (lastRun?.endedAt == null ? null : lastRun);
  return { isRunning, finished };
}
