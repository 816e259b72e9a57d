// Owns choosing a restore point by what a person typed: identifier, its start, "latest", or "latest:JOB".
import type { RestorePoint } from '../contracts/models/tenant.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import type { AdminClient } from '../host/admin-client.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { CommandContext } from './command-context.ts';
import { findById } from './lookup.ts';

const listCommand = 'farkeep point list';

/** For what is done with a point as a whole: also one that cannot be read. No "latest": what is lost has to be named. */
export async function findAnyPoint(
  { signal }: CommandContext,
  client: AdminClient,
  wanted: string,
): Promise<{ id: string; what: string }> {
  const { points, unreadable } = await client.domain(pointsDomain).list({}, { signal });
  const known = [
    ...points.map(({ id, job, createdAt }) => ({
      id,
      what: `restore point ${id}, of the job "${job}", from ${createdAt}`,
    })),
    ...unreadable.flatMap(({ id, reason }) =>
      id === null ? [] : [{ id, what: `restore point ${id}, which cannot be read (${reason})` }],
    ),
  ];
  return findById(known, wanted, { what: 'restore point', listCommand });
}

export async function findPoint(
  { output, signal }: CommandContext,
  client: AdminClient,
  wanted: string,
): Promise<RestorePoint> {
  const { points, unreachable } = await client.domain(pointsDomain).list({}, { signal });
  for (const { provider, message } of unreachable) output.note(`Not asked: ${provider} (${message})`);
  const [keyword, job] = wanted.split(':', 2);
  if (keyword !== 'latest') return findById(points, wanted, { what: 'restore point', listCommand });
  const latest = points.findLast((point) => job === undefined || point.job === job);
  if (latest !== undefined) return latest;
  throw new FarkeepError(
    'call.not-found',
    `There is no restore point${job === undefined ? '' : ` of the job "${job}"`}`,
    {
      hint: unreachable.length > 0 ? `Some providers did not answer: ${listCommand}` : 'Make one: farkeep job run NAME',
    },
  );
}
