// Owns choosing a restore point from typed text: an identifier, the first digits of an identifier, "latest", or "latest:JOB". The text
// after the first colon is the exact name of the job and may contain colons and spaces. If two jobs match, the error names the jobs and no
// job is chosen.
import { instantText } from '../contracts/models/instant-text.ts';
import type { RestorePoint } from '../contracts/models/tenant.ts';
import { jobsDomain } from '../contracts/rpc/jobs.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import type { AdminClient } from '../host/carriers/admin-client.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { CommandContext } from './command-context.ts';
import { findById } from './lookup.ts';
import { formatInstant } from './quantities.ts';
import { printable } from './text-table.ts';

const listCommand = 'farkeep point list';
const keyword = 'latest';

/**
 * Finds a point for an operation on the whole point (such as deletion), including unreadable points. "latest" is refused: the user must
 * name the point that is lost.
 */
export async function findAnyPoint(
  { signal }: CommandContext,
  client: AdminClient,
  wanted: string,
): Promise<{ id: string; what: string }> {
  const { points, unreadable } = await client.domain(pointsDomain).list({}, { signal });
  const allPoints = [
    ...points.map(({ id, job, createdAt }) => ({
      id,
      what: `restore point ${id}, of the job "${job}", from ${instantText(createdAt)}`,
    })),
    ...unreadable.flatMap(({ id, reason }) =>
      id === null ? [] : [{ id, what: `restore point ${id}, which cannot be read (${reason})` }],
    ),
  ];
  return findById(allPoints, wanted, { what: 'restore point', listCommand });
}

export async function findPoint(
  { output, signal }: CommandContext,
  client: AdminClient,
  wanted: string,
): Promise<RestorePoint> {
  const { points, unreachable } = await client.domain(pointsDomain).list({}, { signal });
  for (const { provider, message } of unreachable)
    output.note(`No answer from ${printable(provider)} (${printable(message)})`);
  const hint = unreachable.length > 0 ? `Some providers did not answer: ${listCommand}` : undefined;
  const isOfJob = wanted.startsWith(`${keyword}:`);
  const jobs = isOfJob ? (await client.domain(jobsDomain).list({})).jobs : [];
  const point = choosePoint(points, wanted, { hint, jobsHere: jobs.map(({ id }) => id) });
  const remark = wanted === keyword || isOfJob ? describeShrunk(point) : undefined;
  if (remark !== undefined) output.note(remark);
  return point;
}

/** For a person who did not choose the point, only "the newest". Undefined unless its run had much less data than the last good one. */
export function describeShrunk({ id, job, createdAt, isShrunk }: RestorePoint): string | undefined {
  if (isShrunk !== true) return undefined;
  return (
    `The newest restore point (${id.slice(0, 12)}, of the job "${printable(job)}", ${formatInstant(createdAt)}) holds much less data ` +
    `than the last good run. An older one may be the right one: ${listCommand}`
  );
}

/**
 * @param points oldest first
 * @param jobsHere identifiers of the jobs of this tenant; another computer can use the same account and have a job with the same name
 */
export function choosePoint(
  points: readonly RestorePoint[],
  wanted: string,
  { hint, jobsHere = [] }: { readonly hint?: string | undefined; readonly jobsHere?: readonly string[] } = {},
): RestorePoint {
  const isOfJob = wanted.startsWith(`${keyword}:`);
  if (wanted !== keyword && !isOfJob) return findById(points, wanted, { what: 'restore point', listCommand });
  const job = isOfJob ? wanted.slice(keyword.length + 1) : undefined;
  const found = job === undefined ? points : ofJob(points, job, jobsHere);
  const latest = found.at(-1);
  if (latest !== undefined) return latest;
  const other = points.find((point) => job !== undefined && point.job.toLowerCase() === job.toLowerCase());
  throw new FarkeepError(
    'call.not-found',
    `There is no restore point${job === undefined ? '' : ` of the job "${job}"`}`,
    {
      hint:
        other !== undefined ? `Did you mean "${keyword}:${other.job}"?` : (hint ?? 'Make one: farkeep job run NAME'),
    },
  );
}

function ofJob(points: readonly RestorePoint[], job: string, jobsHere: readonly string[]): readonly RestorePoint[] {
  const named = points.filter((point) => point.job === job);
  const identified = points.filter(({ jobId }) => jobId === job);
  const candidates = named.length > 0 ? named : identified;
  if (named.length > 0 && identified.length > 0) throw ambiguous(job, [...named, ...identified]);
  const ids = new Set(candidates.map(({ jobId }) => jobId));
  if (ids.size <= 1) return candidates;
  const own = [...ids].filter((id) => jobsHere.includes(id));
  if (own.length !== 1) throw ambiguous(job, candidates);
  return candidates.filter(({ jobId }) => jobId === own[0]);
}

function ambiguous(job: string, points: readonly RestorePoint[]): FarkeepError {
  const jobs = [...new Map(points.map((point) => [point.jobId, point])).values()];
  const names = jobs.map((point) => `"${point.job}" (${keyword}:${point.jobId})`);
  return new FarkeepError('call.invalid', `"${keyword}:${job}" may mean several jobs: ${names.join(', ')}`, {
    hint: `Write the identifier of the job instead of its name, or that of a restore point: ${listCommand}`,
  });
}
