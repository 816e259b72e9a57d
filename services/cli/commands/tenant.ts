// Owns `farkeep tenant`: accounts at the provider.
import path from 'node:path';
import type { Command } from 'commander';
import type { DomainClient } from '../../contracts/contract.ts';
import type { TenantAccount } from '../../contracts/models/provider.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { quoteForShell } from '../../host/carriers/admin-client.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { toJson } from '../../kernel/shown-text.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findByName } from '../lookup.ts';
import {
  formatBytes,
  formatInstant,
  parseDate,
  parseDuration,
  parseSize,
  parseWholeNumber,
  usageError,
} from '../quantities.ts';
import { readPassword } from '../secret-input.ts';
import { formatTable } from '../text-table.ts';

interface AccountOptions {
  readonly passwordFile?: string;
  readonly quota?: string[];
  readonly lease?: string;
  readonly tasks?: string;
}

interface AccountChangeOptions extends Omit<AccountOptions, 'quota'> {
  /** False: --no-quota. */
  readonly quota?: string[] | false;
}

export function registerTenant(program: Command, action: DefineAction): void {
  const group = program.command('tenant').description('accounts of tenants at the provider');

  group
    .command('add <name>')
    .description('create an account')
    .requiredOption('--quota <repository=size>', 'storage in a repository, such as main=500GB; repeatable', collect)
    .option(
      '--password-file <file>',
      'file whose first line is the password; "-" reads standard input; default: a prompt',
    )
    .option('--lease <date>', 'the account ends after this day, such as 2027-03-31')
    .option('--tasks <n>', "number of simultaneous sessions (default: the provider's setting for all)")
    .addHelpText(
      'after',
      '\nExample:\n  $ farkeep tenant add acme --password-file secret.txt --quota main=500GB --lease 2027-12-31',
    )
    .action(
      action(async (context, name: string, options: AccountOptions & { quota: string[] }) => {
        const quotas = parseQuotas(options.quota);
        const maxTasks = options.tasks === undefined ? null : parseTasks(options.tasks);
        const leaseUntil = options.lease === undefined ? null : parseDate(options.lease, '--lease');
        const password = await readPassword(options.passwordFile, {
          question: `Password for ${name}: `,
          signal: context.signal,
          isNew: true,
        });
        const client = await connectProvider(context);
        const tenant = await client.add({ name, password, quotas, leaseUntil, maxTasks });
        context.output.result(
          { ok: true, tenant },
          `Account "${tenant.name}" made. Next: farkeep tenant invite ${quoteForShell(name)} --out ${quoteForShell(`${name}.invitation`)}`,
        );
      }),
    );

  group
    .command('set <name>')
    .description('change an account; other settings are kept')
    .option(
      '--quota <repository=size>',
      'replaces all quotas, so name each repository that the account keeps; repeatable',
      collect,
    )
    .option('--no-quota', 'removes all quotas; the restore points stay in the repositories')
    .option('--password-file <file>', 'a new password; "-" reads standard input')
    .option('--lease <date>', 'a new last day, or "none"')
    .option('--tasks <n>', 'number of simultaneous sessions, or "none" for the provider\'s setting for all')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep tenant set acme --quota main=1TB\n  $ farkeep tenant set acme --lease none',
    )
    .action(
      action(async (context, wanted: string, options: AccountChangeOptions) => {
        const { lease, passwordFile, quota, tasks } = options;
        const changes = {
          ...(quota === undefined ? {} : { quotas: quota === false ? [] : parseQuotas(quota) }),
          ...(lease === undefined ? {} : { leaseUntil: lease === 'none' ? null : parseDate(lease, '--lease') }),
          ...(tasks === undefined ? {} : { maxTasks: tasks === 'none' ? null : parseTasks(tasks) }),
          ...(passwordFile === undefined
            ? {}
            : { password: await readPassword(passwordFile, { question: '', signal: context.signal }) }),
        };
        if (Object.keys(changes).length === 0) {
          throw usageError(
            'Nothing to change',
            'Give --quota, --no-quota, --password-file, --lease or --tasks.',
            '--quota',
          );
        }
        const client = await connectProvider(context);
        const before = await find(client, wanted);
        const tenant = await client.set({ tenantId: before.id, ...changes });
        const lostQuotas = before.quotas.filter((old) =>
          tenant.quotas.every((now) => now.repository !== old.repository),
        );
        context.output.result({ ok: true, tenant }, () =>
          [
            `Account "${tenant.name}" changed.`,
            ...lostQuotas.map(
              ({ repository }) =>
                `It can no longer use "${repository}". Its restore points are kept; give it a quota for "${repository}" to reach them again.`,
            ),
          ].join('\n'),
        );
      }),
    );

  group
    .command('list')
    .description('all accounts')
    .addHelpText('after', '\nExample:\n  $ farkeep tenant list --json')
    .action(
      action(async (context, _options: object) => {
        const { tenants } = await (await connectProvider(context)).list({});
        context.output.result({ tenants }, () => formatList(tenants));
      }),
    );

  for (const [name, isEnabled, description] of [
    ['enable', true, 'let the tenant log in again'],
    ['disable', false, 'the tenant cannot log in; its backups are kept'],
  ] as const) {
    group
      .command(`${name} <name>`)
      .description(description)
      .addHelpText('after', `\nExample:\n  $ farkeep tenant ${name} acme`)
      .action(
        action(async (context, wanted: string, _options: object) => {
          const client = await connectProvider(context);
          const { id } = await find(client, wanted);
          const tenant = await client.set({ tenantId: id, isEnabled });
          context.output.result(
            { ok: true, tenant },
            `Account "${tenant.name}" is ${isEnabled ? 'enabled' : 'disabled'}.`,
          );
        }),
      );
  }

  group
    .command('remove <name>')
    .description('remove the account; its backups are kept in the repository folders until you delete them')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep tenant remove acme')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await connectProvider(context);
        const { id, name, quotas } = await find(client, wanted);
        await confirmRemoval(
          context,
          {
            what: `account "${name}"`,
            consequences: [
              'The account is removed with its password, quotas and invitations; its running sessions end.',
              'The tenant can neither back up nor restore any more; a new account of the same name does not get its backups back.',
              `What is kept until you delete it: ${quotas.map(({ repository, usedBytes }) => `${formatBytes(usedBytes)} in "${repository}"`).join(', ') || 'nothing'}.`,
            ],
          },
          { isSure: options.yes === true },
        );
        await client.remove({ tenantId: id });
        context.output.result(
          { ok: true, id },
          `Account "${name}" removed. Its backups are kept in the repository folders until you delete them.`,
        );
      }),
    );

  group
    .command('invite <name>')
    .description('create an invitation file: everything that the tenant needs, with a secret that works once')
    .requiredOption('--out <file>', 'the file to write (0600)')
    .option('--expires <duration>', 'how long it is valid', '72h')
    .addHelpText('after', '\nExample:\n  $ farkeep tenant invite acme --out acme.invitation --expires 3d')
    .action(
      action(async (context, wanted: string, options: { out: string; expires: string }) => {
        const validMs = parseDuration(options.expires, '--expires', { min: '1m', max: '30d' });
        const client = await connectProvider(context);
        const { id } = await find(client, wanted);
        const { invitation } = await client.invite({ tenantId: id, validMs });
        const file = path.resolve(options.out);
        await writeFileAtomically(file, `${toJson(invitation, 2)}\n`, { mode: 0o600 });
        const { fingerprint, expiresAt, gateways, user } = invitation;
        context.output.result({ ok: true, file, user, gateways, fingerprint, expiresAt }, () =>
          [
            `Written: ${file}`,
            `It works once, until ${formatInstant(expiresAt)}; send it over a way that you trust.`,
            'The tenant opens it in the console, or runs: farkeep provider add --invitation FILE',
          ].join('\n'),
        );
      }),
    );
}

function collect(value: string, earlier: string[] | false = []): string[] {
  return [...(earlier === false ? [] : earlier), value];
}

function parseTasks(text: string): number {
  return parseWholeNumber(text, '--tasks', { min: 1, max: 1000 });
}

/** @throws call.invalid, also when a repository is named twice, because only one of the two sizes would apply */
function parseQuotas(texts: readonly string[]): { repository: string; limitBytes: number }[] {
  const quotas = texts.map(parseQuota);
  const twice = quotas.find(
    ({ repository }, index) => quotas.findIndex((each) => each.repository === repository) !== index,
  );
  if (twice !== undefined)
    throw usageError(`"${twice.repository}" has two quotas`, 'Give one --quota for each repository.', '--quota');
  return quotas;
}

/** The size follows the last "=", because the name of a repository may contain "=". */
function parseQuota(text: string): { repository: string; limitBytes: number } {
  const separator = text.lastIndexOf('=');
  if (separator < 1) throw usageError(`"${text}" is not a quota`, 'Write --quota like main=500GB.', '--quota');
  return { repository: text.slice(0, separator), limitBytes: parseSize(text.slice(separator + 1), '--quota') };
}

async function connectProvider(context: CommandContext): Promise<DomainClient<typeof tenantsDomain>> {
  return (await context.connect('provider')).domain(tenantsDomain);
}

async function find(client: DomainClient<typeof tenantsDomain>, wanted: string): Promise<TenantAccount> {
  const { tenants } = await client.list({});
  return findByName(tenants, wanted, { what: 'account', listCommand: 'farkeep tenant list' });
}

function formatList(tenants: readonly TenantAccount[]): string {
  return formatTable(
    tenants,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'STATE', value: ({ isEnabled }) => (isEnabled ? 'enabled' : 'disabled') },
      {
        title: 'QUOTAS',
        value: ({ quotas }) =>
          quotas
            .map(
              ({ repository, usedBytes, limitBytes }) =>
                `${repository}: ${formatBytes(usedBytes)} of ${formatBytes(limitBytes)}`,
            )
            .join('; ') || '-',
      },
      { title: 'LEASE UNTIL', value: ({ leaseUntil }) => formatInstant(leaseUntil).slice(0, 10) },
      { title: 'LAST LOGIN', value: ({ lastLoginAt }) => formatInstant(lastLoginAt) },
      { title: 'SESSIONS', value: ({ activeSessions }) => String(activeSessions), align: 'right' },
    ],
    'There is no account. Next: farkeep tenant add NAME --quota REPOSITORY=SIZE',
  );
}
