// Owns `farkeep licence`: the licence of the provider, whose organisation is the subject of generated certificates; and making licences.
import path from 'node:path';
import type { Command } from 'commander';
import type { LicenceSummary } from '../../contracts/models/licence.ts';
import { licenceDomain } from '../../contracts/rpc/licence.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { DefineAction } from '../command-context.ts';
import { formatInstant, parseDate, usageError } from '../quantities.ts';
import { formatFacts } from '../text-table.ts';

export function registerLicence(program: Command, action: DefineAction): void {
  const group = program.command('licence').description('the licence of the provider');

  group
    .command('show')
    .description('organisation, edition, end')
    .addHelpText('after', '\nExample:\n  $ farkeep licence show')
    .action(
      action(async (context, _options: object) => {
        const licence = await (await context.connect('provider')).domain(licenceDomain).show({});
        context.output.result(licence, () => formatLicence(licence));
      }),
    );

  group
    .command('import <file>')
    .description('use a licence file of the machine of the service; the one before stays when it is not valid')
    .addHelpText('after', '\nExample:\n  $ farkeep licence import northwind.licence')
    .action(
      action(async (context, file: string, _options: object) => {
        const client = (await context.connect('provider')).domain(licenceDomain);
        const licence = await client.importFile({ file: path.resolve(file) });
        context.output.result({ ok: true, licence }, () => formatLicence(licence));
      }),
    );

  group
    .command('new-key')
    .description('for distributors: make the key that licences are signed with; needs no service')
    .requiredOption('--out <file>', 'gets the private key; FILE.pub gets the public one')
    .addHelpText('after', '\nExample:\n  $ farkeep licence new-key --out issuer.key')
    .action(
      action(async (context, options: { out: string }) => {
        const { makeLicenceKey } = await import('../../offline/licence-issuer.ts');
        const made = await makeLicenceKey(path.resolve(options.out));
        context.output.result(
          { ok: true, ...made },
          `Written: ${made.keyFile} (keep it secret) and ${made.publicKeyFile}\nNext: name ${made.publicKeyFile} in "licenceKeyFiles" of the provider.`,
        );
      }),
    );

  group
    .command('issue')
    .description('for distributors: sign a licence file; needs no service')
    .requiredOption('--key <file>', 'private key of farkeep licence new-key')
    .requiredOption('--organisation <name>', 'whom it is for')
    .option('--edition <edition>', 'standard or enterprise', 'standard')
    .option('--expires <date>', 'its last day, such as 2027-03-31 (default: never)')
    .requiredOption('--out <file>', 'where to write it')
    .addHelpText(
      'after',
      '\nExample:\n  $ farkeep licence issue --key issuer.key --organisation "Northwind Hosting" --expires 2027-03-31 --out northwind.licence',
    )
    .action(
      action(
        async (
          context,
          options: { key: string; organisation: string; edition: string; expires?: string; out: string },
        ) => {
          const { issueLicence } = await import('../../offline/licence-issuer.ts');
          const { edition } = options;
          if (edition !== 'standard' && edition !== 'enterprise') {
            throw usageError(`"${edition}" is not an edition`, 'Use --edition standard or enterprise.', '--edition');
          }
          const expiresAt = options.expires === undefined ? null : parseDate(options.expires, '--expires');
          const text = await issueLicence(
            path.resolve(options.key),
            { organization: options.organisation, edition, expiresAt },
            systemClock.now(),
          );
          const file = path.resolve(options.out);
          await writeFileAtomically(file, text, { mode: 0o644 });
          context.output.result({ ok: true, file, expiresAt }, `Written: ${file}`);
        },
      ),
    );
}

function formatLicence({ organisation, edition, expiresAt, problem }: LicenceSummary): string {
  return formatFacts([
    ['Organization', organisation],
    ['Edition', edition],
    ['Ends', expiresAt === null ? 'never' : formatInstant(expiresAt)],
    ...(problem === null ? [] : [['Problem', problem] as const]),
  ]);
}
