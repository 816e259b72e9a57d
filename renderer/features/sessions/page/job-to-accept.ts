// Owns when a session asks whether its smaller amount of data is correct. Pure.
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import type { Job } from '../../../../services/contracts/models/tenant.ts';

/**
 * Returns the job that can be run again with less data accepted. Only the last run of a job asks, because a later run makes its own
 * comparison.
 */
export function jobToAccept(
  { id, viewer, warnings }: Pick<SessionDetail, 'id' | 'viewer' | 'warnings'>,
  jobs: readonly Job[],
): Job | undefined {
  if (viewer !== 'tenant' || warnings.every(({ code }) => code !== 'source.shrunk')) return undefined;
  return jobs.find(({ lastRun, runningSessionId }) => lastRun?.sessionId === id && runningSessionId === null);
}
