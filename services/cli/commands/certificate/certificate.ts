// Owns `farkeep certificate`: the console's wizard as commands. Talks to the provider service; must not read keys itself.
import path from 'node:path';
import type { Command } from 'commander';
import {
  type CertificateCandidate,
  type CertificateSettings,
  type CertificateSlot,
  type Rollover,
  type StoredCertificate,
} from '../../../contracts/models/certificate.ts';
import { CallError } from '../../../contracts/client.ts';
import { shortThumbprint, thumbprintDigits } from '../../../contracts/models/thumbprint.ts';
import { certificateDomain } from '../../../contracts/rpc/certificate.ts';
import type { AdminClient } from '../../../host/carriers/admin-client.ts';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { newId } from '../../../kernel/identifier.ts';
import type { CommandContext, DefineAction } from '../../command-context.ts';
import { confirmRemoval, yesOption } from '../../confirm-removal.ts';
import { formatInstant, parseDate, usageError } from '../../quantities.ts';
import { readPassword } from '../../secret-input.ts';
import { formatFacts, formatTable } from '../../text-table.ts';
import { registerPick } from './certificate-pick.ts';
import {
  connectProvider,
  describe,
  finish,
  formatCertificate,
  parseSlot,
  slotOption,
  type CertificateClient,
  type SlotOption,
} from './certificate-shared.ts';

export function registerCertificate(program: Command, action: DefineAction): void {
  const group = program.command('certificate').description('certificates of the provider service');

  group
    .command('list')
    .description('all stored certificates')
    .addHelpText('after', '\nExample:\n  $ farkeep certificate list')
    .action(
      action(async (context, _options: object) => {
        const { certificates } = await (await connectProvider(context)).list({});
        context.output.result({ certificates }, () => formatList(certificates));
      }),
    );

  group
    .command('show [certificate]')
    .description('the installed certificate, or a stored one')
    .option(...slotOption)
    .option('--pem', 'print only the certificate itself, PEM')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep certificate show\n  $ farkeep certificate show --slot server --json\n  $ farkeep certificate show "Northwind 2026"',
    )
    .action(
      action(async (context, wanted: string | undefined, options: SlotOption & { pem?: true }) => {
        const client = await connectProvider(context);
        const certificate =
          wanted === undefined
            ? await client.show({ slot: parseSlot(options.slot) })
            : await findCertificate(client, wanted);
        const isInstalled = certificate.installedInSlots.length > 0;
        context.output.result({ ...describe(certificate, isInstalled), certificate }, () =>
          options.pem === true ? certificate.summary.pem.trimEnd() : formatCertificate(certificate),
        );
      }),
    );

  group
    .command('generate')
    .description('make a key and a self-signed certificate')
    .option(...slotOption)
    .option('--friendly-name <name>', 'name of the certificate for people', 'Farkeep')
    .option('--key-bits <bits>', 'RSA length: 2048, 3072 or 4096 (default: see "certificate settings")')
    .option('--install', 'put it in service immediately')
    .addHelpText('after', '\nExample:\n  $ farkeep certificate generate --friendly-name "Northwind 2027" --install')
    .action(
      action(async (context, options: SlotOption & { friendlyName: string; keyBits?: string; install?: true }) => {
        const client = await connectProvider(context);
        const slot = parseSlot(options.slot);
        const keyBits =
          options.keyBits === undefined ? (await client.getSettings({})).keyBits : parseKeyBits(options.keyBits);
        context.output.note(`Making an RSA key of ${keyBits} bits ...`);
        const { friendlyName } = options;
        const candidate = await client.generate({ slot, friendlyName, keyBits }, { signal: context.signal });
        await finish(context, client, slot, candidate, options.install === true);
      }),
    );

  group
    .command('import')
    .description('read a certificate and its key from a file: PFX/P12, PEM, or DER with --key')
    .option(...slotOption)
    .requiredOption('--file <file>', "the file, on the service's machine")
    .option('--key <file>', 'the private key, when it is in a separate file')
    .option(
      '--password-file <file>',
      'password of the file; "-" reads standard input; default: a prompt when the file needs one',
    )
    .option('--friendly-name <name>', 'name of the certificate for people')
    .option('--install', 'put it in service immediately')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep certificate import --file server.p12 --password-file secret.txt --install\n  $ farkeep certificate import --slot server --file server.pem --key server.key',
    )
    .action(
      action(
        async (
          context,
          options: SlotOption & {
            file: string;
            key?: string;
            passwordFile?: string;
            friendlyName?: string;
            install?: true;
          },
        ) => {
          const slot = parseSlot(options.slot);
          const service = await context.connect('provider');
          await finish(
            context,
            service.domain(certificateDomain),
            slot,
            await importFile(context, service, slot, options),
            options.install === true,
          );
        },
      ),
    );

  registerPick(group, action);

  group
    .command('install <certificate>')
    .description('install a stored certificate: new connections use it immediately, open ones continue')
    .option(...slotOption)
    .addHelpText(
      'after',
      '\nCERTIFICATE is an identifier, its start, a friendly name or a SHA-256 thumbprint (see: farkeep certificate list).\n\nExample:\n  $ farkeep certificate install "Northwind 2027"',
    )
    .action(
      action(async (context, wanted: string, options: SlotOption) => {
        const client = await connectProvider(context);
        const { id } = await findCertificate(client, wanted);
        const installed = await client.install({ slot: parseSlot(options.slot), certificateId: id });
        context.output.result(
          { ok: true, ...describe(installed, true) },
          () => `In service:\n${formatCertificate(installed)}`,
        );
      }),
    );

  group
    .command('rename <certificate> <name>')
    .description('change the friendly name of a stored certificate')
    .addHelpText('after', '\nExample:\n  $ farkeep certificate rename 3f2a91 "Northwind 2026, old"')
    .action(
      action(async (context, wanted: string, friendlyName: string, _options: object) => {
        const client = await connectProvider(context);
        const before = await findCertificate(client, wanted);
        const renamed = await client.rename({ certificateId: before.id, friendlyName });
        const isInstalled = renamed.installedInSlots.length > 0;
        context.output.result(
          { ok: true, ...describe(renamed, isInstalled) },
          `"${before.friendlyName}" is now "${renamed.friendlyName}".`,
        );
      }),
    );

  group
    .command('remove <certificate>')
    .description('remove a stored certificate and its key; refused while it is installed')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep certificate remove "Northwind 2026"')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await connectProvider(context);
        const { id, friendlyName } = await findCertificate(client, wanted);
        await confirmRemoval(
          context,
          {
            what: `certificate "${friendlyName}"`,
            consequences: ['The certificate and its private key are deleted and cannot be recovered.'],
          },
          { isSure: options.yes === true },
        );
        await client.remove({ certificateId: id });
        context.output.result({ ok: true, id }, `Removed "${friendlyName}".`);
      }),
    );

  group
    .command('usage')
    .description('who uses the installed certificate')
    .option(...slotOption)
    .addHelpText('after', '\nExample:\n  $ farkeep certificate usage --slot provider')
    .action(
      action(async (context, options: SlotOption) => {
        const usage = await (await connectProvider(context)).usage({ slot: parseSlot(options.slot) });
        context.output.result(usage, () =>
          formatTable(
            usage.users,
            [
              { title: 'WHO', value: ({ name }) => name },
              { title: 'KIND', value: ({ kind }) => kind },
              { title: 'STATE', value: ({ state }) => state },
              { title: 'LAST SEEN', value: ({ lastSeenAt }) => formatInstant(lastSeenAt) },
              { title: 'REMARK', value: ({ note }) => note ?? '' },
            ],
            'No tenant, gateway or console uses this certificate yet.',
          ),
        );
      }),
    );

  group
    .command('settings')
    .description('the length of generated keys, and what encrypts private keys on disk; for both slots')
    .option('--key-bits <bits>', 'RSA length: 2048, 3072 or 4096')
    .option(
      '--protection <kind>',
      'keychain or key-file: re-encrypts all private keys. Keychain only while the console hosts the service; key-file is for services that run without it',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep certificate settings\n  $ farkeep certificate settings --key-bits 4096\n  $ farkeep certificate settings --protection key-file',
    )
    .action(
      action(async (context, options: { keyBits?: string; protection?: string }) => {
        const change = {
          ...(options.keyBits === undefined ? {} : { keyBits: parseKeyBits(options.keyBits) }),
          ...(options.protection === undefined ? {} : { protection: parseProtection(options.protection) }),
        };
        const client = await connectProvider(context);
        const settings =
          Object.keys(change).length === 0 ? await client.getSettings({}) : await client.setSettings(change);
        context.output.result(settings, () =>
          formatFacts([
            ['Generated keys', `RSA ${settings.keyBits} bits`],
            ['Private keys', settings.protection.description],
            ['Keychain', settings.protection.keychain ?? 'not available to this service'],
          ]),
        );
      }),
    );

  registerRollover(group, action);
}

function registerRollover(group: Command, action: DefineAction): void {
  const rollover = group.command('rollover').description('the planned change of the certificate that tenants see');

  rollover
    .command('announce <certificate>')
    .description(
      'announce the next certificate to tenants, signed with the current key; they accept it without a prompt from its date on',
    )
    .requiredOption('--at <date>', 'when it is installed: a day such as 2027-03-31 (its start, UTC) or an instant')
    .addHelpText(
      'after',
      '\nReplaces an earlier announcement. To see which tenants have received it: farkeep certificate usage\n\nExample:\n  $ farkeep certificate rollover announce "Northwind 2027" --at 2027-03-31',
    )
    .action(
      action(async (context, wanted: string, options: { at: string }) => {
        const switchAt = parseDate(options.at, '--at', 'start');
        const client = await connectProvider(context);
        const { id } = await findCertificate(client, wanted);
        const announced = await client.announceRollover({ certificateId: id, switchAt });
        context.output.result({ ok: true, rollover: announced }, () => formatRollover(announced));
      }),
    );

  rollover
    .command('show')
    .description('the announced change, and how many tenants have received it')
    .addHelpText('after', '\nExample:\n  $ farkeep certificate rollover show')
    .action(
      action(async (context, _options: object) => {
        const shown = await (await connectProvider(context)).showRollover({});
        context.output.result(shown, () =>
          shown.rollover === null ? 'No change is announced.' : formatRollover(shown.rollover),
        );
      }),
    );

  rollover
    .command('cancel')
    .description('cancel the announcement; tenants delete it at their next contact')
    .addHelpText('after', '\nExample:\n  $ farkeep certificate rollover cancel')
    .action(
      action(async (context, _options: object) => {
        await (await connectProvider(context)).cancelRollover({});
        context.output.result({ ok: true }, 'The announcement is canceled.');
      }),
    );
}

function formatRollover({ next, switchAt, tenants, problem }: Rollover): string {
  return formatFacts([
    ['Next', `${next.friendlyName} (${next.summary.subject})`],
    ['Thumbprint (SHA-256)', next.summary.sha256],
    ['In service from', formatInstant(switchAt)],
    [
      'Tenants informed',
      `${tenants.informed} of ${tenants.total}${tenants.failed === 0 ? '' : `, ${tenants.failed} failed`}`,
    ],
    ...(problem === null ? [] : [['Problem', problem] as const]),
  ]);
}

/** Prompts for the password of the file only when the file needs one and stdin is a terminal. */
async function importFile(
  context: CommandContext,
  service: AdminClient,
  slot: CertificateSlot,
  options: { file: string; key?: string; passwordFile?: string; friendlyName?: string },
): Promise<CertificateCandidate> {
  const client = service.domain(certificateDomain);
  const progressId = newId();
  const input = {
    slot,
    progressId,
    file: path.resolve(options.file),
    ...(options.key === undefined ? {} : { keyFile: path.resolve(options.key) }),
    ...(options.friendlyName === undefined ? {} : { friendlyName: options.friendlyName }),
  };
  const { signal, output } = context;
  const ask = (): Promise<string> =>
    readPassword(options.passwordFile, { question: `Password of ${input.file}: `, signal, canBeEmpty: true });
  const read = async (password?: string): Promise<CertificateCandidate> => {
    const unsubscribe = service.subscribe(({ domain, event, payload }) => {
      if (domain !== certificateDomain.name || event !== 'importProgressed') return;
      const progress = certificateDomain.events.importProgressed.payload.safeParse(payload);
      if (progress.data?.progressId === progressId) output.progress.showShare(progress.data.share, 'Reading the file');
    });
    try {
      return await client.importFile({ ...input, ...(password === undefined ? {} : { password }) }, { signal });
    } finally {
      unsubscribe();
      output.progress.clear();
    }
  };
  if (options.passwordFile !== undefined) return read(await ask());
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CallError) || error.info.code !== 'certificate.wrong-password' || !process.stdin.isTTY)
      throw error;
    return read(await ask());
  }
}

async function findCertificate(client: CertificateClient, wanted: string): Promise<StoredCertificate> {
  const { certificates } = await client.list({});
  const start = wanted.toLowerCase().replaceAll(':', '');
  const found = certificates.filter(
    ({ id, friendlyName, summary }) =>
      friendlyName === wanted ||
      (start.length >= 4 &&
        (id.startsWith(start) || thumbprintDigits(summary.sha256).startsWith(start.toUpperCase()))) ||
      shortThumbprint(summary.sha256) === wanted,
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new FarkeepError(
    'call.not-found',
    found.length === 0 ? `There is no certificate "${wanted}"` : `Several certificates match "${wanted}"`,
    { hint: 'List them: farkeep certificate list' },
  );
}

function parseKeyBits(text: string): 2048 | 3072 | 4096 {
  const bits = ([2048, 3072, 4096] as const).find((each) => String(each) === text);
  if (bits === undefined) throw usageError(`"${text}" is not a key length`, 'Use 2048, 3072 or 4096.', '--key-bits');
  return bits;
}

function parseProtection(text: string): CertificateSettings['protection']['kind'] {
  if (text === 'keychain') return 'os-keychain';
  if (text === 'key-file') return text;
  throw usageError(`"${text}" does not protect keys`, 'Use keychain or key-file.', '--protection');
}

function formatList(certificates: readonly StoredCertificate[]): string {
  return formatTable(
    certificates,
    [
      { title: 'ID', value: ({ id }) => id.slice(0, 12) },
      { title: 'NAME', value: ({ friendlyName }) => friendlyName },
      { title: 'ISSUED TO', value: ({ summary }) => summary.commonName },
      { title: 'EXPIRES', value: ({ summary }) => formatInstant(summary.notAfter).slice(0, 10) },
      { title: 'IN SERVICE', value: ({ installedInSlots }) => installedInSlots.join(', ') || '-' },
      { title: 'SHA-256', value: ({ summary }) => shortThumbprint(summary.sha256) },
    ],
    'No certificate is stored. Next: farkeep certificate generate --install',
  );
}
