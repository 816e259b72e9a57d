// Owns `farkeep licence`: the licence of the provider, whose organisation is the subject of generated certificates.
import path from 'node:path';
import type { Command } from 'commander';
import type { LicenceSummary } from '../../contracts/models/licence.ts';
import { licenceDomain } from '../../contracts/rpc/licence.ts';
import type { DefineAction } from '../command-context.ts';
import { formatInstant } from '../quantities.ts';
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
}

function formatLicence({ organisation, edition, expiresAt, problem }: LicenceSummary): string {
  return formatFacts([
    ['Organisation', organisation],
    ['Edition', edition],
    ['Ends', expiresAt === null ? 'never' : formatInstant(expiresAt)],
    ...(problem === null ? [] : [['Problem', problem] as const]),
  ]);
}
