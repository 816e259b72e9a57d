// Owns `farkeep provider`: the service providers of a tenant. The service sends no user name before the certificate is accepted.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { CallError } from '../../contracts/client.ts';
import type { DomainClient } from '../../contracts/contract.ts';
import { invitationSchema, type Invitation } from '../../contracts/models/provider.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { adviceAgainst, describeReasonsAgainst } from '../../contracts/models/trust-texts.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { quoteForShell } from '../../host/carriers/admin-client.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { parseHostPort } from '../host-port.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findByName } from '../lookup.ts';
import { formatBytes, formatInstant, usageError } from '../quantities.ts';
import { readPassword } from '../secret-input.ts';
import { formatFacts, formatTable } from '../text-table.ts';

type ProviderClient = DomainClient<typeof serviceProvidersDomain>;

interface AddOptions {
  readonly address?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly fingerprint?: string;
  readonly invitation?: string;
}

interface SetOptions extends AddOptions {
  readonly name?: string;
}

const maxInvitationBytes = 64 * 1024;

export function registerProvider(program: Command, action: DefineAction): void {
  const group = program.command('provider').description('service providers of the tenant service in this home');

  group
    .command('add [name]')
    .description('add a provider by an invitation, or by address, user and fingerprint')
    .option('--invitation <file>', 'the file from the provider; replaces all other options')
    .option('--address <host:port>', 'a gateway of the provider')
    .option('--user <name>', 'the account at the provider')
    .option(
      '--password-file <file>',
      'file whose first line is the password; "-" reads standard input; default: a prompt',
    )
    .option(
      '--fingerprint <thumbprint>',
      "the provider's SHA-256 (or SHA-1) thumbprint; the certificate is pinned when it matches",
    )
    .addHelpText(
      'after',
      `
Without --fingerprint the certificate must lead to a trusted authority; otherwise it is shown and nothing is sent (exit code 3).

Examples:
  $ farkeep provider add --invitation acme.invitation
  $ farkeep provider add northwind --address gw1.northwind.example:6180 --user acme --password-file secret.txt --fingerprint AB:CD:...`,
    )
    .action(
      action(async (context, name: string | undefined, options: AddOptions) => {
        const client = await connectTenant(context);
        const provider =
          options.invitation === undefined
            ? await addByAddress(context, client, name, options)
            : await client.accept(
                { invitation: await readInvitation(options.invitation), ...(name === undefined ? {} : { name }) },
                { signal: context.signal },
              );
        context.output.result({ ok: true, provider }, () =>
          [
            `Added "${provider.name}" (${provider.trust}).`,
            `Storage: ${formatRepositories(provider)}`,
            `Next: farkeep job add NAME --source DIR --provider ${quoteForShell(provider.name)} --repository ${quoteForShell(provider.repositories[0]?.name ?? 'REPOSITORY')}`,
          ].join('\n'),
        );
      }),
    );

  group
    .command('set <name>')
    .description('change a provider, such as its password; options that are not given stay as they are')
    .option('--name <name>', 'a new name')
    .option('--address <host:port>', 'another gateway of the provider')
    .option('--user <name>', 'the account at the provider')
    .option(
      '--password-file <file>',
      'file whose first line is the new password; "-" reads standard input; default without other options: a prompt',
    )
    .option(
      '--fingerprint <thumbprint>',
      "the provider's SHA-256 (or SHA-1) thumbprint; the certificate is pinned when it matches",
    )
    .option('--invitation <file>', 'a new invitation from the provider; replaces address, user and password')
    .addHelpText(
      'after',
      `
Connects and logs in with the new values before it saves them; after a refusal the old values stay. A new name alone needs no connection.
The certificate must be the pinned one, lead to a trusted authority, or match --fingerprint; otherwise it is shown and nothing is sent (exit code 3).
The jobs of the provider stay.

Examples:
  $ farkeep provider set northwind
  $ farkeep provider set northwind --password-file secret.txt
  $ farkeep provider set northwind --invitation new.invitation
  $ farkeep provider set northwind --name fabrikam --address gw2.northwind.example:6180`,
    )
    .action(
      action(async (context, wanted: string, options: SetOptions) => {
        const client = await connectTenant(context);
        const before = await find(client, wanted);
        const provider =
          options.invitation === undefined
            ? await change(context, client, before, options)
            : await renew(context, client, before, options.invitation, options);
        context.output.result({ ok: true, provider }, () => `Provider "${provider.name}" changed (${provider.trust}).`);
      }),
    );

  group
    .command('list')
    .description('all providers')
    .addHelpText('after', '\nExample:\n  $ farkeep provider list')
    .action(
      action(async (context, _options: object) => {
        const { providers } = await (await connectTenant(context)).list({});
        context.output.result({ providers }, () => formatList(providers));
      }),
    );

  group
    .command('rescan <name>')
    .description('get storage, quota and gateways from the provider again')
    .addHelpText('after', '\nExample:\n  $ farkeep provider rescan northwind')
    .action(
      action(async (context, wanted: string, _options: object) => {
        const client = await connectTenant(context);
        const provider = await client.rescan(
          { providerId: (await find(client, wanted)).id },
          { signal: context.signal },
        );
        context.output.result({ ok: true, provider }, () => formatDetails(provider));
      }),
    );

  group
    .command('remove <name>')
    .description('remove a provider that no job uses; data stored there is kept')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep provider remove northwind')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await connectTenant(context);
        const { id, name } = await find(client, wanted);
        await confirmRemoval(
          context,
          {
            what: `provider "${name}"`,
            consequences: [
              'The saved password and the list of its gateways are lost. Data stored at the provider is kept.',
            ],
          },
          { isSure: options.yes === true },
        );
        await client.remove({ providerId: id });
        context.output.result({ ok: true, id }, `Provider "${name}" removed.`);
      }),
    );
}

async function addByAddress(
  context: CommandContext,
  client: ProviderClient,
  name: string | undefined,
  options: AddOptions,
): Promise<ServiceProvider> {
  const { address, user, fingerprint, passwordFile } = options;
  const missing =
    name === undefined ? 'NAME' : address === undefined ? '--address' : user === undefined ? '--user' : undefined;
  if (name === undefined || address === undefined || user === undefined) {
    throw usageError(
      `${missing ?? ''} is missing`,
      'Give NAME, --address and --user, or --invitation FILE.',
      missing ?? '',
    );
  }
  const { host, port } = parseHostPort(address, '--address');
  if (fingerprint === undefined) await requireTrusted(context, client, { host, port });
  const password = await readPassword(passwordFile, {
    question: `Password of ${user} at ${name}: `,
    signal: context.signal,
  });
  return client.add(
    { name, host, port, userName: user, password, ...(fingerprint === undefined ? {} : { fingerprint }) },
    { signal: context.signal },
  );
}

async function change(
  context: CommandContext,
  client: ProviderClient,
  before: ServiceProvider,
  { name, address, user, passwordFile, fingerprint }: SetOptions,
): Promise<ServiceProvider> {
  const { signal } = context;
  const isPasswordAsked = [name, address, user, fingerprint, passwordFile].every((option) => option === undefined);
  const typed = address === undefined ? {} : parseHostPort(address, '--address');
  const { host, port } = { ...before, ...typed };
  const refuseUntrusted = (): Promise<void> => requireTrusted(context, client, { host, port, providerId: before.id });
  // The saved address may be down while another gateway of the provider answers. So only a new address is looked at first.
  if (address !== undefined && fingerprint === undefined) await refuseUntrusted();
  const password =
    isPasswordAsked || passwordFile !== undefined
      ? await readPassword(passwordFile, {
          question: `New password of ${user ?? before.userName} at ${before.name}: `,
          signal,
        })
      : undefined;
  const input = {
    providerId: before.id,
    ...typed,
    ...(name === undefined ? {} : { name }),
    ...(user === undefined ? {} : { userName: user }),
    ...(password === undefined ? {} : { password }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  try {
    return await client.set(input, { signal });
  } catch (error) {
    const isCertificateRefused = error instanceof CallError && error.info.code.startsWith('trust.');
    if (fingerprint === undefined && isCertificateRefused) await refuseUntrusted();
    throw error;
  }
}

async function renew(
  { signal }: CommandContext,
  client: ProviderClient,
  before: ServiceProvider,
  invitationFile: string,
  { name, address, user, passwordFile, fingerprint }: SetOptions,
): Promise<ServiceProvider> {
  const extra = Object.entries({
    '--address': address,
    '--user': user,
    '--password-file': passwordFile,
    '--fingerprint': fingerprint,
  }).find(([, value]) => value !== undefined)?.[0];
  if (extra !== undefined) {
    throw usageError(`${extra} cannot be given with --invitation`, 'The invitation contains it. Leave it out.', extra);
  }
  const invitation = await readInvitation(invitationFile);
  return client.accept({ invitation, providerId: before.id, ...(name === undefined ? {} : { name }) }, { signal });
}

/** Prints the certificate and ends, unless the certificate is already trusted. The person must compare the thumbprint first. */
async function requireTrusted(
  context: CommandContext,
  client: ProviderClient,
  target: { readonly host: string; readonly port: number; readonly providerId?: string },
): Promise<void> {
  const { host, port } = target;
  const seen = await client.probe(target, { signal: context.signal });
  if (seen.decision !== 'refused') return;
  const { certificate, reasons, prompt } = seen;
  const against = describeReasonsAgainst(reasons);
  context.output.note(
    formatFacts([
      ['Certificate of', `${host}:${port}`],
      ['Issued to', certificate.subject],
      ['Issued by', certificate.issuer],
      ['Expiration date', formatInstant(certificate.notAfter)],
      ['Thumbprint (SHA-256)', certificate.sha256],
      ['Thumbprint (SHA-1)', certificate.sha1],
      ['In words', certificate.sha256Words.join(' ')],
      ['Not trusted because', against],
    ]),
  );
  const details = {
    sha256: certificate.sha256,
    sha1: certificate.sha1,
    subject: certificate.subject,
    reasons: [...reasons],
  };
  // The service returns a prompt only when the user's answer can override the refusal.
  if (prompt === null) {
    const hint = adviceAgainst(reasons);
    throw new FarkeepError('trust.refused', `The certificate of ${host}:${port} is refused. ${against}`, {
      ...(hint === undefined ? {} : { hint }),
      details,
    });
  }
  throw new FarkeepError(
    prompt.kind === 'changed' ? 'trust.changed' : 'trust.untrusted',
    `The certificate of ${host}:${port} is not trusted. ${against}`,
    {
      hint: 'Ask your provider for the thumbprint, for example by phone, and compare it. If it is equal, pass it with --fingerprint.',
      details,
    },
  );
}

async function readInvitation(file: string): Promise<Invitation> {
  const absolute = path.resolve(file);
  const hint = 'Ask your provider for a new invitation file.';
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (error) {
    throw usageError(
      `${absolute} cannot be read: ${error instanceof Error ? error.message : ''}`,
      'Check the path.',
      '--invitation',
    );
  }
  if (text.length > maxInvitationBytes) throw usageError(`${absolute} is not an invitation`, hint, '--invitation');
  try {
    return invitationSchema.parse(JSON.parse(text));
  } catch {
    throw usageError(`${absolute} is not an invitation of this version`, hint, '--invitation');
  }
}

async function connectTenant(context: CommandContext): Promise<ProviderClient> {
  return (await context.connect('tenant')).domain(serviceProvidersDomain);
}

async function find(client: ProviderClient, wanted: string): Promise<ServiceProvider> {
  const { providers } = await client.list({});
  return findByName(providers, wanted, { what: 'provider', listCommand: 'farkeep provider list' });
}

function formatRepositories({ repositories }: ServiceProvider): string {
  return (
    repositories
      .map(({ name, usedBytes, limitBytes }) => `${name} (${formatBytes(usedBytes)} of ${formatBytes(limitBytes)})`)
      .join(', ') || 'none'
  );
}

function formatList(providers: readonly ServiceProvider[]): string {
  return formatTable(
    providers,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'ADDRESS', value: ({ host, port }) => `${host}:${port}` },
      { title: 'USER', value: ({ userName }) => userName },
      { title: 'TRUST', value: ({ trust }) => trust },
      { title: 'STORAGE', value: formatRepositories },
      { title: 'LAST CONTACT', value: ({ lastContactAt }) => formatInstant(lastContactAt) },
      { title: 'PROBLEM', value: ({ problem }) => problem ?? '' },
    ],
    'There is no provider. Next: farkeep provider add --invitation FILE',
  );
}

function formatDetails(provider: ServiceProvider): string {
  return formatFacts([
    ['Provider', provider.name],
    ['Storage', formatRepositories(provider)],
    ...provider.gateways.map(
      ({ name, host, port, isUsable, reason }) =>
        ['Gateway', `${name} ${host}:${port}${isUsable ? '' : ` not used: ${reason ?? 'unknown reason'}`}`] as const,
    ),
  ]);
}
