// Owns `farkeep trust`: checking a server's certificate, and the tenant's prompts, pins and journal.
import path from 'node:path';
import type { Command } from 'commander';
import type { DomainClient } from '../../contracts/contract.ts';
import { defaultPorts } from '../../contracts/default-ports.ts';
import { exitCodes } from '../../contracts/errors.ts';
import { shortThumbprint } from '../../contracts/models/thumbprint.ts';
import { adviceAgainst, describeReasonsAgainst } from '../../contracts/models/trust-texts.ts';
import type { Pin, TrustJournalEntry, TrustPrompt } from '../../contracts/models/trust.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { quoteForShell } from '../../host/carriers/admin-client.ts';
import { systemClock } from '../../kernel/clock.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { parseHostPort } from '../host-port.ts';
import { readInputFile } from '../input-file.ts';
import { formatInstant, parseWholeNumber, usageError } from '../quantities.ts';
import { formatFacts, formatTable } from '../text-table.ts';
import { describeEarly } from '../trust-question.ts';
import { registerPins } from './trust-pins.ts';

type TrustClient = DomainClient<typeof trustDomain>;

interface CheckOptions {
  readonly host: string;
  readonly port: string;
  readonly name?: string;
  readonly roots?: string;
  readonly fingerprint?: string;
  readonly crl?: string[];
  readonly fetchCrl?: true;
  readonly requireCrl?: true;
}

export function registerTrust(program: Command, action: DefineAction): void {
  const group = program.command('trust').description('trust decisions of the tenant, and checking a server');

  group
    .command('check')
    .description('check the certificate of a server; print decision and reasons; sends nothing else, needs no service')
    .requiredOption('--host <host>', 'name or address to connect to')
    .option('--port <port>', 'port', String(defaultPorts.gateway.gateway))
    .option('--name <name>', 'the name that the certificate must cover (default: the host)')
    .option('--roots <file>', 'PEM file with additional trusted authorities')
    .option('--fingerprint <thumbprint>', 'accept exactly this certificate, SHA-256 or SHA-1')
    .option('--crl <file>', 'revocation list, PEM or DER; an unusable list is an error; repeatable', collect)
    .option('--fetch-crl', 'also fetch the lists that the certificates of a valid chain name')
    .option('--require-crl', 'refuse when the revocation status is unknown')
    .addHelpText(
      'after',
      `
Exit code 0 when the certificate is trusted or pinned, 3 when it is refused.

Examples:
  $ farkeep trust check --host gw1.northwind.example
  $ farkeep trust check --host 192.0.2.7 --port 6180 --name gw1.northwind.example --roots ca.pem --json`,
    )
    .action(
      action(async (context, options: CheckOptions) => {
        const { checkTrust } = await import('../../offline/trust-check.ts');
        const { name, fingerprint } = options;
        const { findings, advice, ...result } = await checkTrust({
          host: options.host,
          port: parseWholeNumber(options.port, '--port', { min: 1, max: 65_535 }),
          ...(name === undefined ? {} : { name }),
          ...(fingerprint === undefined ? {} : { fingerprint }),
          ...(options.roots === undefined ? {} : { rootsPem: await readInputFile('--roots', options.roots, 'utf8') }),
          crls: await Promise.all(
            (options.crl ?? []).map(async (file) => ({ file, bytes: await readInputFile('--crl', file) })),
          ),
          fetchesCrls: options.fetchCrl === true,
          requiresRevocation: options.requireCrl === true,
          clock: systemClock,
          signal: context.signal,
        });
        context.output.result(result, () =>
          [
            formatFacts([
              ['Decision', result.decision],
              ['Issued to', result.certificate.subject],
              ['Issued by', result.certificate.issuer],
              [
                'Valid',
                `${formatInstant(result.certificate.notBefore)} to ${formatInstant(result.certificate.notAfter)}`,
              ],
              ['Names', [...result.certificate.dnsNames, ...result.certificate.ipAddresses].join(', ') || '-'],
              ['Thumbprint (SHA-256)', result.certificate.sha256],
              ['Thumbprint (SHA-1)', result.certificate.sha1],
              ['TLS', `${result.tls.version}, ${result.tls.cipher}, ${result.tls.group}`],
            ]),
            ...findings.map(
              ({ reason, isRefusing, message }) => `${isRefusing ? 'REFUSED' : 'ok     '}  ${reason}: ${message}`,
            ),
            ...(advice === undefined ? [] : [`Next: ${advice}`]),
          ].join('\n'),
        );
        return result.decision === 'refused' ? exitCodes.notTrusted : exitCodes.done;
      }),
    );

  group
    .command('list')
    .description('open questions and pinned certificates')
    .addHelpText('after', '\nExample:\n  $ farkeep trust list')
    .action(
      action(async (context, _options: object) => {
        const client = await connectTenant(context);
        const [{ prompts }, { pins }] = await Promise.all([client.listPrompts({}), client.listPins({})]);
        context.output.result({ prompts, pins }, () => formatList(prompts, pins));
      }),
    );

  group
    .command('accept [identity]')
    .description('answer the open question about a provider: pin its certificate when the thumbprint matches')
    .requiredOption('--fingerprint <thumbprint>', 'the thumbprint that your provider gave you, for example by phone')
    .option('--address <host:port>', 'first connect to this gateway, if no question is open yet')
    .addHelpText(
      'after',
      '\nIDENTITY is the name of the provider, as in farkeep trust list.\n\nExample:\n  $ farkeep trust accept northwind --fingerprint AB:CD:...',
    )
    .action(
      action(async (context, identity: string | undefined, options: { fingerprint: string; address?: string }) => {
        const client = await connectTenant(context);
        const prompt =
          options.address === undefined
            ? findPrompt((await client.listPrompts({})).prompts, identity)
            : await probe(context, options.address);
        const { isMatch, algorithm } = await client.verifyThumbprint({
          promptId: prompt.id,
          pasted: options.fingerprint,
        });
        if (!isMatch) {
          throw new FarkeepError(
            'trust.thumbprint-mismatch',
            `The presented certificate of "${prompt.identity}" has another thumbprint: ${prompt.presented.sha256}`,
          );
        }
        await client.answerPrompt({ promptId: prompt.id, answer: 'accept', isCompared: true });
        context.output.result(
          { ok: true, identity: prompt.identity, sha256: prompt.presented.sha256, algorithm },
          `Accepted and pinned: ${prompt.identity}${algorithm === 'SHA-1' ? ' (compared by SHA-1; SHA-256 is stronger)' : ''}`,
        );
      }),
    );

  group
    .command('refuse [identity]')
    .description('answer the open question about a provider: do not trust')
    .addHelpText('after', '\nExample:\n  $ farkeep trust refuse northwind')
    .action(
      action(async (context, identity: string | undefined, _options: object) => {
        const client = await connectTenant(context);
        const prompt = findPrompt((await client.listPrompts({})).prompts, identity);
        await client.answerPrompt({ promptId: prompt.id, answer: 'refuse' });
        context.output.result({ ok: true, identity: prompt.identity }, `Refused: ${prompt.identity}`);
      }),
    );

  registerPins(group, action);

  group
    .command('journal')
    .description(
      'who accepted, refused or revoked which certificate, and whether the journal is intact; exit code 6 when it is not',
    )
    .option('--verify', 'only check the journal and print the hash of its last entry')
    .addHelpText('after', '\nExamples:\n  $ farkeep trust journal\n  $ farkeep trust journal --verify')
    .action(
      action(async (context, options: { verify?: true }) => {
        const journal = await (await connectTenant(context)).journal({});
        const { entries, ...verdict } = journal;
        context.output.result(options.verify === true ? verdict : journal, () =>
          [
            ...(options.verify === true ? [] : [formatJournal(entries)]),
            journal.isIntact
              ? `The journal is intact: ${entries.length} entries, the last one has the hash ${journal.head}.`
              : `The journal was changed: entry ${journal.brokenAt ?? '?'} has a wrong hash.\nNext: keep a copy of trust.sqlite, and compare every pinned thumbprint with its provider (farkeep trust list).`,
          ].join('\n\n'),
        );
        return journal.isIntact ? exitCodes.done : exitCodes.security;
      }),
    );

  registerTrustedHosts(group, action);
}

function registerTrustedHosts(group: Command, action: DefineAction): void {
  group
    .command('export')
    .description('write the pinned providers to a file, for another machine; certificates only, no secret')
    .requiredOption('--out <file>', 'the file to write')
    .addHelpText('after', '\nExample:\n  $ farkeep trust export --out trusted-hosts.json')
    .action(
      action(async (context, options: { out: string }) => {
        const { text, count } = await (await connectTenant(context)).exportHosts({});
        const file = path.resolve(options.out);
        await writeFileAtomically(file, text, { mode: 0o644 });
        context.output.result({ ok: true, file, count }, `Written: ${file} (${count} trusted hosts)`);
      }),
    );

  group
    .command('import <file>')
    .description('pin the providers of such a file; never overwrites a pin (exit code 5 when one was not changed)')
    .addHelpText('after', '\nExample:\n  $ farkeep trust import trusted-hosts.json')
    .action(
      action(async (context, file: string, _options: object) => {
        const text = await readInputFile('FILE', file, 'utf8');
        const report = await (await connectTenant(context)).importHosts({ text });
        context.output.result({ ok: true, ...report }, () =>
          formatFacts([
            ['Pinned', report.added.join(', ') || 'none'],
            ['Already known', report.known.join(', ') || 'none'],
            ['Not changed (another pin, or revoked here)', report.conflicts.join(', ') || 'none'],
          ]),
        );
        return report.conflicts.length > 0 ? exitCodes.warnings : exitCodes.done;
      }),
    );

  group
    .command('settings')
    .description('authorities and revocation lists of the tenant; without options only shows them')
    .option('--root <file>', 'PEM file with additional trusted authorities; replaces all; repeatable', collect)
    .option('--crl <file>', 'revocation list, PEM or DER; replaces all; repeatable', collect)
    .option('--no-files', 'remove all authorities and lists')
    .option('--fetch-crl <yes|no>', 'fetch the lists that certificates of a trusted chain name')
    .option('--require-crl <yes|no>', 'refuse when the revocation status is unknown')
    .option(
      '--first-use <yes|no>',
      'trust new providers on first use; an attacker who intercepts the first connection would be trusted',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep trust settings\n  $ farkeep trust settings --crl northwind.crl --require-crl yes',
    )
    .action(
      action(
        async (
          context,
          options: {
            root?: string[];
            crl?: string[];
            files: boolean;
            fetchCrl?: string;
            requireCrl?: string;
            firstUse?: string;
          },
        ) => {
          const { root, crl, fetchCrl, requireCrl, firstUse } = options;
          const files = (chosen: string[] | undefined): string[] | undefined =>
            options.files ? chosen?.map((file) => path.resolve(file)) : (chosen ?? []);
          const changes = {
            rootFiles: files(root),
            crlFiles: files(crl),
            canFetchCrl: fetchCrl === undefined ? undefined : parseYesNo(fetchCrl, '--fetch-crl'),
            isRevocationRequired: requireCrl === undefined ? undefined : parseYesNo(requireCrl, '--require-crl'),
            canTrustFirstUse: firstUse === undefined ? undefined : parseYesNo(firstUse, '--first-use'),
          };
          const client = await connectTenant(context);
          const { problems: _problems, ...before } = await client.getSettings({});
          const isChanged = Object.values(changes).some((value) => value !== undefined);
          const settings = isChanged
            ? await client.setSettings({
                rootFiles: changes.rootFiles ?? before.rootFiles,
                crlFiles: changes.crlFiles ?? before.crlFiles,
                canFetchCrl: changes.canFetchCrl ?? before.canFetchCrl,
                isRevocationRequired: changes.isRevocationRequired ?? before.isRevocationRequired,
                canTrustFirstUse: changes.canTrustFirstUse ?? before.canTrustFirstUse,
              })
            : await client.getSettings({});
          context.output.result(settings, () =>
            formatFacts([
              ['Authorities', ['those of the system', ...settings.rootFiles].join(', ')],
              ['Revocation lists', settings.crlFiles.join(', ') || 'none'],
              ['Fetch lists', settings.canFetchCrl ? 'yes' : 'no'],
              ['Unknown revocation', settings.isRevocationRequired ? 'refused' : 'a remark'],
              ['First use', settings.canTrustFirstUse ? 'trusted without a question' : 'asked'],
              ...settings.problems.map(({ file, message }) => ['Problem', `${file}: ${message}`] as const),
            ]),
          );
          return settings.problems.length > 0 ? exitCodes.warnings : exitCodes.done;
        },
      ),
    );
}

function formatJournal(entries: readonly TrustJournalEntry[]): string {
  return formatTable(
    entries,
    [
      { title: 'WHEN', value: ({ at }) => formatInstant(at) },
      { title: 'WHO', value: ({ who }) => who },
      { title: 'WHAT', value: ({ action: what }) => what },
      { title: 'IDENTITY', value: ({ identity }) => identity || '-' },
      { title: 'FROM', value: ({ address }) => address || '-' },
      { title: 'SHA-256', value: ({ sha256 }) => (sha256 === '' ? '-' : shortThumbprint(sha256)) },
      { title: 'NOTE', value: ({ note }) => note },
    ],
    'The journal is empty.',
  );
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function parseYesNo(text: string, option: string): boolean {
  if (text !== 'yes' && text !== 'no')
    throw usageError(`"${text}" is neither yes nor no`, `Correct ${option}.`, option);
  return text === 'yes';
}

async function connectTenant(context: CommandContext): Promise<TrustClient> {
  return (await context.connect('tenant')).domain(trustDomain);
}

async function probe(context: CommandContext, address: string): Promise<TrustPrompt> {
  const providers = (await context.connect('tenant')).domain(serviceProvidersDomain);
  const { host, port } = parseHostPort(address, '--address');
  const { prompt, decision, reasons } = await providers.probe({ host, port }, { signal: context.signal });
  if (prompt !== null) return prompt;
  if (decision !== 'refused')
    throw new FarkeepError('call.conflict', `The certificate of ${address} is ${decision} already`);
  const hint = adviceAgainst(reasons);
  throw new FarkeepError(
    'trust.refused',
    `The certificate of ${address} cannot be accepted. ${describeReasonsAgainst(reasons)}`,
    hint === undefined ? {} : { hint },
  );
}

function findPrompt(prompts: readonly TrustPrompt[], identity: string | undefined): TrustPrompt {
  const found = prompts.filter(
    (prompt) => identity === undefined || prompt.identity === identity || prompt.id === identity,
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new FarkeepError(
    'call.not-found',
    found.length > 1
      ? 'Several questions are open'
      : `No question is open${identity === undefined ? '' : ` about "${identity}"`}`,
    {
      hint:
        found.length > 1
          ? 'Name the provider; see: farkeep trust list'
          : 'Look at the gateway first, with --address HOST:PORT.',
    },
  );
}

function formatList(prompts: readonly TrustPrompt[], pins: readonly Pin[]): string {
  const open = prompts.map(({ identity, kind, gateway, presented, waitingJob, announcedFor }) =>
    formatFacts([
      [
        'Question',
        `${kind === 'changed' ? 'the certificate has CHANGED' : 'first contact'}${describeEarly(announcedFor)}: ${identity}`,
      ],
      ['From', `${gateway.host}:${gateway.port}${waitingJob === null ? '' : ` (job "${waitingJob}" waits)`}`],
      ['Issued to', presented.subject],
      ['Thumbprint (SHA-256)', presented.sha256],
      [
        'Next',
        `farkeep trust accept ${quoteForShell(identity)} --fingerprint THUMBPRINT, or farkeep trust refuse ${quoteForShell(identity)}`,
      ],
    ]),
  );
  const table = formatTable(
    pins,
    [
      { title: 'ID', value: ({ id }) => id.slice(0, 12) },
      { title: 'IDENTITY', value: ({ identity }) => identity },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'PINNED', value: ({ pinnedAt }) => formatInstant(pinnedAt) },
      { title: 'SHA-256', value: ({ certificate }) => certificate.sha256 },
    ],
    'No certificate is pinned.',
  );
  return [...open, table].join('\n\n');
}
