// Owns `farkeep session`: sessions of the tenant or the provider.
import path from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from '../../contracts/errors.ts';
import {
  finalSessionStates,
  type HandshakeStep,
  type SessionDetail,
  type SessionSummary,
} from '../../contracts/models/session.ts';
import { withReasonTexts } from '../../contracts/models/trust-texts.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import type { AdminClient } from '../../host/carriers/admin-client.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { toJson } from '../../kernel/shown-text.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { findById } from '../lookup.ts';
import {
  formatBytes,
  formatCounted,
  formatDuration,
  formatInstant,
  formatRate,
  parseWholeNumber,
  usageError,
} from '../quantities.ts';
import { durationMsOf, exitCodeOf, formatOutcome, inOrder, sessionJson } from '../session-report.ts';
import { watchSession } from '../session-watch.ts';
import { formatFacts, formatTable } from '../text-table.ts';

interface SideOption {
  readonly side?: string;
}
type Side = 'tenant' | 'provider';

const sideOption = [
  '--side <side>',
  'tenant or provider; default: the service that runs in this home, tenant first',
] as const;

export function registerSession(program: Command, action: DefineAction): void {
  const group = program.command('session').description('sessions: runs of jobs and restores');

  group
    .command('list')
    .description('sessions, newest first')
    .option(...sideOption)
    .option('--limit <n>', 'at most this number', '50')
    .addHelpText('after', '\nExamples:\n  $ farkeep session list\n  $ farkeep session list --side provider --json')
    .action(
      action(async (context, options: SideOption & { limit: string }) => {
        const limit = parseWholeNumber(options.limit, '--limit', { min: 1, max: 10_000 });
        const client = await connectSide(context, options.side);
        const { sessions } = await client.domain(sessionsDomain).list({ limit });
        context.output.result({ sessions }, () => formatList(sessions));
      }),
    );

  group
    .command('show <id>')
    .description('one session: handshake, keys, progress, actions, warnings')
    .option(...sideOption)
    .addHelpText('after', '\nID may be the start of the identifier.\n\nExample:\n  $ farkeep session show 3f2a')
    .action(
      action(async (context, wanted: string, options: SideOption) => {
        const { session } = await find(context, wanted, options.side);
        context.output.result({ session: { ...session, steps: inOrder(session.steps), ...sessionJson(session) } }, () =>
          formatDetail(session),
        );
      }),
    );

  group
    .command('watch [id]')
    .description('watch a session to its end; without ID the newest running one')
    .option(...sideOption)
    .addHelpText('after', '\nCtrl-C stops watching; the session continues.\n\nExample:\n  $ farkeep session watch')
    .action(
      action(async (context, wanted: string | undefined, options: SideOption) => {
        const { client, session } = await find(context, wanted, options.side);
        const ended = await watchSession(context, client, session.id, { isFollowed: true, onInterrupt: 'leave' });
        context.output.result({ session: sessionJson(ended) }, () => formatOutcome(ended));
        return exitCodeOf(ended);
      }),
    );

  group
    .command('cancel <id>')
    .description('end a session on both sides; safe to call twice')
    .option(...sideOption)
    .addHelpText('after', '\nExample:\n  $ farkeep session cancel 3f2a')
    .action(
      action(async (context, wanted: string, options: SideOption) => {
        const { client, session } = await find(context, wanted, options.side);
        await client.domain(sessionsDomain).cancel({ sessionId: session.id });
        const isOver = finalSessionStates.includes(session.state);
        context.output.result({ ok: true, id: session.id }, () =>
          isOver ? `Session ${session.id} has ended already: ${session.state}.` : `Canceling session ${session.id}.`,
        );
      }),
    );

  group
    .command('pause <id>')
    .description('pause a session: stored data is kept, and resume continues with new keys')
    .option(...sideOption)
    .addHelpText(
      'after',
      '\nThe provider keeps a paused session for as long as one that lost its connection (resumeWindowMs); then it ends.' +
        '\n\nExample:\n  $ farkeep session pause 3f2a',
    )
    .action(
      action(async (context, wanted: string, options: SideOption) => {
        const { client, session } = await find(context, wanted, options.side);
        const sessions = client.domain(sessionsDomain);
        await sessions.pause({ sessionId: session.id });
        const { state, resumeUntil } = await sessions.show({ sessionId: session.id });
        context.output.result(
          { ok: true, id: session.id, state, resumeUntil },
          () =>
            `Paused session ${session.id}; it is kept until ${formatInstant(resumeUntil)}. ` +
            `Continue: farkeep session resume ${session.id.slice(0, 12)}`,
        );
      }),
    );

  group
    .command('resume <id>')
    .description('continue a paused session: a new attempt with a new key exchange')
    .option(...sideOption)
    .addHelpText('after', '\nExample:\n  $ farkeep session resume 3f2a')
    .action(
      action(async (context, wanted: string, options: SideOption) => {
        const { client, session } = await find(context, wanted, options.side);
        await client.domain(sessionsDomain).resume({ sessionId: session.id });
        context.output.result({ ok: true, id: session.id }, `Resuming session ${session.id}.`);
      }),
    );

  group
    .command('evidence <id>')
    .description('what the session did and under which keys, signed by the provider; contains no key and no file name')
    .option('--out <file>', 'write the evidence to a file')
    .option(...sideOption)
    .addHelpText('after', '\nExample:\n  $ farkeep session evidence 3f2a --out evidence.json')
    .action(
      action(async (context, wanted: string, options: SideOption & { out?: string }) => {
        const { client, session } = await find(context, wanted, options.side);
        const evidence = await client
          .domain(sessionsDomain)
          .evidence({ sessionId: session.id }, { signal: context.signal });
        if (evidence.signature === null)
          context.output.note('The provider could not be reached: the evidence is not signed.');
        if (options.out === undefined) {
          context.output.result(evidence, () => toJson(evidence, 2));
          return evidence.signature === null ? exitCodes.warnings : exitCodes.done;
        }
        const file = path.resolve(options.out);
        await writeFileAtomically(file, `${toJson(evidence, 2)}\n`, { mode: 0o644 });
        const { algorithm } = evidence;
        context.output.result({ ok: true, file, algorithm, isSigned: evidence.signature !== null }, `Written: ${file}`);
        return evidence.signature === null ? exitCodes.warnings : exitCodes.done;
      }),
    );
}

async function connectSide(context: CommandContext, side: string | undefined): Promise<AdminClient> {
  if (side === 'tenant' || side === 'provider') return context.connect(side);
  if (side !== undefined)
    throw usageError(`"${side}" is not a side`, 'Use --side tenant or --side provider.', '--side');
  const [client] = await connectRunning(context);
  if (client !== undefined) return client;
  throw new FarkeepError('service.not-running', `Neither a tenant nor a provider service runs in ${context.home}`, {
    hint: `Start one: farkeep serve tenant --home ${context.home}`,
  });
}

async function connectRunning(context: CommandContext): Promise<AdminClient[]> {
  const clients: AdminClient[] = [];
  for (const side of ['tenant', 'provider'] as const satisfies readonly Side[]) {
    try {
      clients.push(await context.connect(side));
    } catch (error) {
      if (!(error instanceof FarkeepError) || error.code !== 'service.not-running') throw error;
    }
  }
  return clients;
}

/**
 * Returns the wanted session, or a running session if no session is given. Without a given side, asks the tenant service, or the provider
 * service if no tenant service runs.
 */
async function find(
  context: CommandContext,
  wanted: string | undefined,
  side: string | undefined,
): Promise<{ client: AdminClient; session: SessionDetail }> {
  const client = await connectSide(context, side);
  const sessions = client.domain(sessionsDomain);
  const { sessions: list } = await sessions.list({ limit: 10_000 });
  if (wanted === undefined) {
    const running = list.find(({ state }) => !finalSessionStates.includes(state));
    if (running === undefined) {
      throw new FarkeepError('call.not-found', 'No session runs', { hint: 'See the ended ones: farkeep session list' });
    }
    return { client, session: await sessions.show({ sessionId: running.id }) };
  }
  const { id } = findById(list, wanted, { what: 'session', listCommand: 'farkeep session list' });
  return { client, session: await sessions.show({ sessionId: id }) };
}

function formatList(sessions: readonly SessionSummary[]): string {
  return formatTable(
    sessions,
    [
      { title: 'ID', value: ({ id }) => id.slice(0, 12) },
      { title: 'STARTED', value: ({ createdAt }) => formatInstant(createdAt) },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'JOB', value: ({ jobName }) => jobName },
      { title: 'OTHER SIDE', value: ({ otherSide }) => otherSide },
      { title: 'STATE', value: ({ state, hasSecurityWarning }) => (hasSecurityWarning ? `${state} SECURITY` : state) },
      { title: 'PROCESSED', value: ({ progress }) => formatBytes(progress.processedBytes), align: 'right' },
      { title: 'SENT', value: ({ progress }) => formatBytes(progress.transferredBytes), align: 'right' },
      { title: 'TOOK', value: (session) => formatDuration(durationMsOf(session)), align: 'right' },
    ],
    'No session has run yet.',
  );
}

function formatRestored({ progress: { restored } }: SessionDetail): string {
  if (restored === undefined) return '-';
  const { files, bytes, skipped, failed } = restored;
  return (
    `${formatBytes(bytes)}, ${formatCounted(files, 'file')}` +
    (skipped > 0 ? `; ${skipped} skipped` : '') +
    (failed > 0 ? `; ${failed} failed` : '')
  );
}

function formatState({ state, attempt, pausedBy, resumeUntil }: SessionDetail): string {
  const paused = state === 'paused' ? ` by the ${pausedBy ?? 'tenant'} until ${formatInstant(resumeUntil)}` : '';
  return `${state}${paused}, attempt ${attempt}`;
}

function formatDetail(session: SessionDetail): string {
  const { progress, tls, bottleneck } = session;
  const facts: [string, string][] = [
    ['Session', session.id],
    ['Kind', `${session.kind}, seen by the ${session.viewer}`],
    ['Job', session.jobName],
    ['Other side', session.otherSide],
    ['State', formatState(session)],
    ['Started', formatInstant(session.createdAt)],
    ['Ended', formatInstant(session.endedAt)],
    ['Gateway', session.gateway ?? '-'],
    ['Certificate (SHA-256)', session.certificateSha256 ?? '-'],
    ['Control channel', tls === null ? '-' : `${tls.version}, ${tls.cipher}, ${tls.group}`],
    ['Processed', `${formatBytes(progress.processedBytes)}, ${formatCounted(progress.processedFiles, 'file')}`],
    ['Read', `${formatBytes(progress.readBytes)} at ${formatRate(progress.readBytesPerSecond)}`],
    ['Sent', formatBytes(progress.transferredBytes)],
    session.kind === 'restore'
      ? ['Restored', formatRestored(session)]
      : ['Safe at provider', formatBytes(progress.safeBytes)],
    ['Restore point', session.pointId ?? '-'],
  ];
  for (const { attempt, keyA, keyB } of session.keys) {
    facts.push([`Keys of attempt ${attempt}`, `A ${keyA ?? '-'}, B ${keyB ?? '-'} (identifiers)`]);
  }
  if (bottleneck !== null) {
    const shares = Object.entries(bottleneck).map(([name, share]) => `${name} ${Math.round(share * 100)} %`);
    facts.push(['Busy', shares.join(', ')]);
  }
  const steps = formatTable(
    inOrder(session.steps),
    [
      ...(session.attempt > 1 ? [{ title: 'ATTEMPT', value: ({ attempt }: HandshakeStep) => String(attempt) }] : []),
      { title: 'STEP', value: ({ step }) => step },
      { title: 'OUTCOME', value: ({ outcome }) => outcome },
      {
        title: 'TOOK',
        value: ({ durationMs }) => (durationMs === null ? '-' : `${Math.round(durationMs)} ms`),
        align: 'right',
      },
      { title: 'KEY', value: ({ keyIdentifier }) => keyIdentifier ?? '' },
      { title: 'DETAIL', value: ({ detail }) => withReasonTexts(detail) },
    ],
    '',
  );
  return [formatFacts(facts), steps, finalSessionStates.includes(session.state) ? formatOutcome(session) : '']
    .filter((part) => part !== '')
    .join('\n\n');
}
