// Owns `farkeep job`: the tenant's backup jobs.
import path from 'node:path';
import type { Command } from 'commander';
import type { DomainClient } from '../../contracts/contract.ts';
import { exitCodes } from '../../contracts/errors.ts';
import type { Job } from '../../contracts/models/tenant.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { quoteForShell, type AdminClient } from '../../host/carriers/admin-client.ts';
import type { DefineAction } from '../command-context.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findByName } from '../lookup.ts';
import { formatInstant, parseWholeNumber, usageError } from '../quantities.ts';
import { exitCodeOf, formatOutcome, sessionJson } from '../session-report.ts';
import { watchSession } from '../session-watch.ts';
import { formatTable } from '../text-table.ts';

interface JobOptions {
  readonly source?: string[];
  readonly exclude?: string[];
  readonly streams?: string;
}

interface SetOptions extends JobOptions {
  readonly name?: string;
  readonly provider?: string;
  readonly repository?: string;
  /** False with --no-excludes. */
  readonly excludes: boolean;
}

interface RunOptions {
  readonly follow?: true;
  readonly detach?: true;
  readonly fullRead?: true;
  readonly acceptLess?: true;
}

export function registerJob(program: Command, action: DefineAction): void {
  const group = program.command('job').description('backup jobs of the tenant service in this home');

  group
    .command('add <name>')
    .description('create a job')
    .requiredOption('--source <path>', 'folder or file to back up; repeatable', collect)
    .requiredOption('--provider <name>', 'the service provider (farkeep provider list)')
    .option('--repository <name>', 'cloud repository at the provider; needed when there are several')
    .option('--exclude <pattern>', 'exclude what matches, such as "*.tmp" or "cache/"; repeatable', collect)
    .option('--streams <n>', 'number of simultaneous connections', '2')
    .addHelpText(
      'after',
      '\nExample:\n  $ farkeep job add documents --source ~/Documents --provider northwind --repository main --exclude "*.tmp"',
    )
    .action(
      action(
        async (
          context,
          name: string,
          options: JobOptions & { source: string[]; provider: string; repository?: string; streams: string },
        ) => {
          const chosen = settings(options);
          const client = await context.connect('tenant');
          const target = await findTarget(client, options.provider, options.repository);
          const job = await client
            .domain(jobsDomain)
            .add({ name, ...target, ...chosen, sourcePaths: absolute(options.source) });
          context.output.result(
            { ok: true, job },
            `Job "${job.name}" made. Next: farkeep job run ${quoteForShell(job.name)}`,
          );
        },
      ),
    );

  group
    .command('set <name>')
    .description('change a job; other settings are kept')
    .option('--name <name>', 'a new name')
    .option('--source <path>', 'replaces all sources; repeatable', collect)
    .option('--exclude <pattern>', 'replaces all patterns; repeatable', collect)
    .option('--no-excludes', 'remove all patterns')
    .option('--streams <n>', 'number of simultaneous connections')
    .option('--provider <name>', 'another service provider; the next run transfers everything to it')
    .option('--repository <name>', 'another cloud repository; needed when the provider has several')
    .addHelpText(
      'after',
      `
A new destination is refused while a session of the job runs or is paused. The restore points at the old destination stay there.

Examples:
  $ farkeep job set documents --source ~/Documents --source ~/Pictures
  $ farkeep job set documents --provider fabrikam --repository main`,
    )
    .action(
      action(async (context, wanted: string, options: SetOptions) => {
        const chosen = settings(options);
        const client = await context.connect('tenant');
        const jobs = client.domain(jobsDomain);
        const before = await find(jobs, wanted);
        const { provider, repository } = options;
        const job = await jobs.set({
          jobId: before.id,
          ...(options.name === undefined ? {} : { name: options.name }),
          ...chosen,
          ...(options.excludes ? {} : { excludes: [] }),
          ...(repository === undefined ? {} : { repository }),
          ...(provider === undefined ? {} : await findTarget(client, provider, repository, before)),
        });
        context.output.result({ ok: true, job }, `Job "${job.name}" changed.`);
      }),
    );

  group
    .command('list')
    .description('all jobs')
    .addHelpText('after', '\nExample:\n  $ farkeep job list')
    .action(
      action(async (context, _options: object) => {
        const { jobs } = await (await context.connect('tenant')).domain(jobsDomain).list({});
        context.output.result({ jobs }, () => formatList(jobs));
      }),
    );

  group
    .command('run <name>')
    .description('back up now and wait for the end')
    .option('--follow', 'print every step during the run (with --json: one object a line)')
    .option('--detach', 'start it and return immediately')
    .option('--full-read', 'read every file, also files whose size and time are unchanged')
    .option('--accept-less', 'do not warn if the run contains much less data than the last good run')
    .addHelpText(
      'after',
      `
Ctrl-C cancels the session and waits for its orderly end (exit code 130); a second Ctrl-C leaves at once.
If there is a question about the provider's certificate, the command prints it and the job waits for the answer; without a terminal or with --json the job ends (exit code 3).
A run ends with a warning when it holds less than half of the files or bytes of the last good run, or when a source is empty or no longer mounted.
Exit codes: 0 done, 5 finished with warnings, 6 security warning, 3 not trusted, 4 login refused, 1 failed.

Examples:
  $ farkeep job run documents
  $ farkeep job run documents --follow --json`,
    )
    .action(
      action(async (context, wanted: string, options: RunOptions) => {
        const client = await context.connect('tenant');
        const jobs = client.domain(jobsDomain);
        const { id } = await find(jobs, wanted);
        const { sessionId } = await jobs.run({
          jobId: id,
          isFullRead: options.fullRead === true,
          isLessAccepted: options.acceptLess === true,
        });
        if (options.detach === true) {
          context.output.result(
            { ok: true, session: { id: sessionId } },
            `Started. See: farkeep session watch ${sessionId.slice(0, 12)}`,
          );
          return exitCodes.done;
        }
        const session = await watchSession(context, client, sessionId, {
          isFollowed: options.follow === true,
          onInterrupt: 'cancel',
          // A script or a timer cannot answer and would wait until the question expires.
          onQuestion: context.output.isJson || !process.stdin.isTTY ? 'cancel' : 'tell',
        });
        context.output.result({ session: sessionJson(session) }, () => formatOutcome(session));
        return exitCodeOf(session);
      }),
    );

  group
    .command('remove <name>')
    .description('remove a job; its restore points are kept at the provider')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep job remove documents')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const jobs = (await context.connect('tenant')).domain(jobsDomain);
        const { id, name } = await find(jobs, wanted);
        await confirmRemoval(
          context,
          {
            what: `job "${name}"`,
            consequences: ['Its settings are lost. Its restore points are kept at the provider.'],
          },
          { isSure: options.yes === true },
        );
        await jobs.remove({ jobId: id });
        context.output.result({ ok: true, id }, `Job "${name}" removed; its restore points are kept.`);
      }),
    );
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function settings({ source, exclude, streams }: JobOptions): {
  sourcePaths?: string[];
  excludes?: string[];
  streams?: number;
} {
  return {
    ...(source === undefined ? {} : { sourcePaths: absolute(source) }),
    ...(exclude === undefined ? {} : { excludes: exclude }),
    ...(streams === undefined ? {} : { streams: parseWholeNumber(streams, '--streams', { min: 1, max: 16 }) }),
  };
}

function absolute(paths: readonly string[]): string[] {
  return paths.map((each) => path.resolve(each));
}

async function findTarget(
  client: AdminClient,
  providerName: string,
  repository: string | undefined,
  before?: Job,
): Promise<{ providerId: string; repository: string }> {
  const { providers } = await client.domain(serviceProvidersDomain).list({});
  const provider = findByName(providers, providerName, { what: 'provider', listCommand: 'farkeep provider list' });
  if (repository !== undefined) return { providerId: provider.id, repository };
  if (before?.providerId === provider.id) return { providerId: provider.id, repository: before.repository };
  const [only, ...others] = provider.repositories;
  if (only === undefined || others.length > 0) {
    const names = provider.repositories.map(({ name }) => name).join(', ') || 'none';
    throw usageError('The repository is missing', `Give one of these with --repository: ${names}.`, '--repository');
  }
  return { providerId: provider.id, repository: only.name };
}

async function find(jobs: DomainClient<typeof jobsDomain>, wanted: string): Promise<Job> {
  return findByName((await jobs.list({})).jobs, wanted, { what: 'job', listCommand: 'farkeep job list' });
}

function formatList(jobs: readonly Job[]): string {
  return formatTable(
    jobs,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'SOURCE', value: ({ sourcePaths }) => sourcePaths.join(', ') },
      { title: 'PROVIDER', value: ({ providerName, repository }) => `${providerName} / ${repository}` },
      {
        title: 'LAST RUN',
        value: ({ lastRun, lastFinishedRun }) => formatInstant((lastFinishedRun ?? lastRun)?.endedAt ?? null),
      },
      {
        title: 'STATE',
        value: ({ runningSessionId, lastRun }) =>
          runningSessionId === null ? (lastRun?.state ?? 'never run') : 'running',
      },
    ],
    'There is no job. Next: farkeep job add NAME --source DIR --provider NAME',
  );
}
