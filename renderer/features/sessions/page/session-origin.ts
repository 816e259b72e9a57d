// Owns which job and which provider or tenant a session belongs to. Pure.
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Undefined for a job that was removed. Records of earlier versions have only the name. */
export function jobOfSession<Job extends Named>(
  { jobId, jobName }: Pick<SessionDetail, 'jobId' | 'jobName'>,
  jobs: readonly Job[],
): Job | undefined {
  return jobs.find(({ id, name }) => (jobId === undefined ? name === jobName : id === jobId));
}

export function otherSideOfSession<Other extends Named>(
  { otherSideId, otherSide }: Pick<SessionDetail, 'otherSideId' | 'otherSide'>,
  others: readonly Other[],
): Other | undefined {
  return others.find(({ id, name }) => (otherSideId === undefined ? name === otherSide : id === otherSideId));
}

/** Whether a session offers to run its job again. */
export function canRunAgain({ viewer, kind, endedAt }: Pick<SessionDetail, 'viewer' | 'kind' | 'endedAt'>): boolean {
  return viewer === 'tenant' && kind === 'backup' && endedAt !== null;
}
