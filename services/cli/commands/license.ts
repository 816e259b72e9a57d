// Owns `farkeep license`: the provider's license, whose organization is the subject of generated certificates; and issuing licenses.
import path from 'node:path';
import type { Command } from 'commander';
import type { LicenseSummary } from '../../contracts/models/license.ts';
import { licenseDomain } from '../../contracts/rpc/license.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { DefineAction } from '../command-context.ts';
import { formatInstant, parseDate, usageError } from '../quantities.ts';
import { formatFacts } from '../text-table.ts';

export function registerLicense(program: Command, action: DefineAction): void {
  const group = program.command('license').description('the license of the provider');

  group
    .command('show')
    .description('organization, edition, end')
    .addHelpText('after', '\nExample:\n  $ farkeep license show')
    .action(
      action(async (context, _options: object) => {
        const license = await (await context.connect('provider')).domain(licenseDomain).show({});
        context.output.result(license, () => formatLicense(license));
      }),
    );

  group
    .command('import <file>')
    .description("use a license file on the service's machine; the current license stays when the file is not valid")
    .addHelpText('after', '\nExample:\n  $ farkeep license import northwind.license')
    .action(
      action(async (context, file: string, _options: object) => {
        const client = (await context.connect('provider')).domain(licenseDomain);
        const license = await client.importFile({ file: path.resolve(file) });
        context.output.result({ ok: true, license }, () => formatLicense(license));
      }),
    );

  group
    .command('new-key')
    .description('for distributors: create the key that signs licenses; needs no service')
    .requiredOption('--out <file>', 'file for the private key; FILE.pub gets the public key')
    .addHelpText('after', '\nExample:\n  $ farkeep license new-key --out issuer.key')
    .action(
      action(async (context, options: { out: string }) => {
        const { makeLicenseKey } = await import('../../offline/license-issuer.ts');
        const made = await makeLicenseKey(path.resolve(options.out));
        context.output.result(
          { ok: true, ...made },
          `Written: ${made.keyFile} (keep it secret) and ${made.publicKeyFile}\nNext: add ${made.publicKeyFile} to "licenseKeyFiles" of the provider.`,
        );
      }),
    );

  group
    .command('issue')
    .description('for distributors: sign a license file; needs no service')
    .requiredOption('--key <file>', 'private key of farkeep license new-key')
    .requiredOption('--organization <name>', 'name of the licensed organization')
    .option('--edition <edition>', 'standard or enterprise', 'standard')
    .option('--expires <date>', 'its last day, such as 2027-03-31 (default: never)')
    .requiredOption('--out <file>', 'the file to write')
    .addHelpText(
      'after',
      '\nExample:\n  $ farkeep license issue --key issuer.key --organization "Northwind Hosting" --expires 2027-03-31 --out northwind.license',
    )
    .action(
      action(
        async (
          context,
          options: { key: string; organization: string; edition: string; expires?: string; out: string },
        ) => {
          const { issueLicense } = await import('../../offline/license-issuer.ts');
          const { edition } = options;
          if (edition !== 'standard' && edition !== 'enterprise') {
            throw usageError(`"${edition}" is not an edition`, 'Use --edition standard or enterprise.', '--edition');
          }
          const expiresAt = options.expires === undefined ? null : parseDate(options.expires, '--expires');
          const text = await issueLicense(
            path.resolve(options.key),
            { organization: options.organization, edition, expiresAt },
            systemClock.now(),
          );
          const file = path.resolve(options.out);
          await writeFileAtomically(file, text, { mode: 0o644 });
          context.output.result({ ok: true, file, expiresAt }, `Written: ${file}`);
        },
      ),
    );
}

function formatLicense({ organization, edition, expiresAt, problem }: LicenseSummary): string {
  return formatFacts([
    ['Organization', organization],
    ['Edition', edition],
    ['Ends', expiresAt === null ? 'never' : formatInstant(expiresAt)],
    ...(problem === null ? [] : [['Problem', problem] as const]),
  ]);
}
