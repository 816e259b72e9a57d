// Owns `farkeep repository`: the provider's cloud repositories.
import path from 'node:path';
import type { Command } from 'commander';
import type { DomainClient } from '../../contracts/contract.ts';
import { exitCodes } from '../../contracts/errors.ts';
import type { Repository } from '../../contracts/models/provider.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { quoteForShell } from '../../host/carriers/admin-client.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findByName } from '../lookup.ts';
import { formatBytes, formatCount, formatCounted, formatInstant, usageError } from '../quantities.ts';
import { formatTable } from '../text-table.ts';
import { formatVerification } from '../verification-report.ts';

export function registerRepository(program: Command, action: DefineAction): void {
  const group = program.command('repository').description('cloud repositories of the provider');

  group
    .command('add <name> [folder]')
    .description("use a folder on the provider's machine as a repository")
    .option('--folder <dir>', 'the folder; created when it does not exist')
    .addHelpText('after', '\nExample:\n  $ farkeep repository add main --folder /srv/farkeep')
    .action(
      action(async (context, name: string, given: string | undefined, options: { folder?: string }) => {
        const folder = options.folder ?? given;
        if (folder === undefined) throw usageError('The folder is missing', 'Give it with --folder DIR.', '--folder');
        const repository = await (await connectProvider(context)).add({ name, folder: path.resolve(folder) });
        context.output.result(
          { ok: true, repository },
          `Repository "${name}" in ${repository.folder}. Next: farkeep tenant add NAME --quota ${quoteForShell(name)}=SIZE`,
        );
      }),
    );

  group
    .command('set <name>')
    .description('change the name, or the folder after you moved it; options that are not given stay as they are')
    .option('--name <name>', 'a new name; jobs of tenants keep working with the former name')
    .option('--folder <dir>', 'the folder to which you moved the repository; no session may use the repository')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep repository set main --name vault\n  $ farkeep repository set main --folder /mnt/new/farkeep',
    )
    .action(
      action(async (context, wanted: string, options: { name?: string; folder?: string }) => {
        const { name, folder } = options;
        if (name === undefined && folder === undefined)
          throw usageError('Nothing to change', 'Give --name NAME or --folder DIR.', '--name');
        const client = await connectProvider(context);
        const before = await find(client, wanted);
        const repository = await client.set({
          repositoryId: before.id,
          ...(name === undefined ? {} : { name }),
          ...(folder === undefined ? {} : { folder: path.resolve(folder) }),
        });
        context.output.result(
          { ok: true, repository },
          `Repository "${before.name}" is now "${repository.name}" in ${repository.folder}.`,
        );
      }),
    );

  group
    .command('list')
    .description('all repositories')
    .addHelpText('after', '\nExample:\n  $ farkeep repository list')
    .action(
      action(async (context, _options: object) => {
        const { repositories } = await (await connectProvider(context)).list({});
        context.output.result({ repositories }, () => formatList(repositories));
      }),
    );

  group
    .command('verify [name]')
    .description(
      'read every pack and manifest; the next backup sends damaged blocks again; exit code 1 when something is damaged',
    )
    .option('--deep', 'also unpack every block and compare it with its identifier; slower')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep repository verify\n  $ farkeep repository verify main --deep --json',
    )
    .action(
      action(async (context, wanted: string | undefined, options: { deep?: true }) => {
        const client = await connectProvider(context);
        const input = {
          isDeep: options.deep === true,
          ...(wanted === undefined ? {} : { repositoryId: (await find(client, wanted)).id }),
        };
        context.output.note('Reading all stored data ...');
        const report = await client.verify(input, { signal: context.signal });
        context.output.result(report, () => formatVerification(report));
        return report.ok ? exitCodes.done : exitCodes.failed;
      }),
    );

  group
    .command('rebuild-catalogue <name>')
    .description('rebuild the catalog from packs and restore points')
    .addHelpText('after', '\nExample:\n  $ farkeep repository rebuild-catalogue main')
    .action(
      action(async (context, wanted: string, _options: object) => {
        const client = await connectProvider(context);
        const { id } = await find(client, wanted);
        const counts = await client.rebuildCatalogue({ repositoryId: id }, { signal: context.signal });
        context.output.result(
          { ok: true, ...counts },
          `Rebuilt: ${formatCounted(counts.tenants, 'tenant')}, ${formatCounted(counts.packs, 'pack')}, ${formatCounted(counts.points, 'restore point')}.`,
        );
      }),
    );

  group
    .command('remove <name>')
    .description('remove a repository that no tenant uses from the list; its folder is kept')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep repository remove old')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await connectProvider(context);
        const { id, name, folder, usedBytes, points } = await find(client, wanted);
        await confirmRemoval(
          context,
          {
            what: `repository "${name}"`,
            consequences: [
              'It is removed from the list. Tenants can no longer back up to it or restore from it.',
              `What is kept: ${folder} with ${formatBytes(usedBytes)} and ${formatCounted(points, 'restore point')}; add the folder again to use it again.`,
            ],
          },
          { isSure: options.yes === true },
        );
        await client.remove({ repositoryId: id });
        context.output.result(
          { ok: true, id },
          `Repository "${name}" was removed from the list; its files are kept in ${folder}.`,
        );
      }),
    );
}

async function connectProvider(context: CommandContext): Promise<DomainClient<typeof repositoriesDomain>> {
  return (await context.connect('provider')).domain(repositoriesDomain);
}

async function find(client: DomainClient<typeof repositoriesDomain>, wanted: string): Promise<Repository> {
  const { repositories } = await client.list({});
  return findByName(repositories, wanted, { what: 'repository', listCommand: 'farkeep repository list' });
}

function problemText({ problem, verification }: Repository): string {
  if (problem !== null) return problem;
  const findings = verification?.findings ?? 0;
  return findings === 0 ? '' : `damaged: ${formatCounted(findings, 'finding')}; see farkeep repository verify`;
}

function formatList(repositories: readonly Repository[]): string {
  return formatTable(
    repositories,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'FOLDER', value: ({ folder }) => folder },
      { title: 'USED', value: ({ usedBytes }) => formatBytes(usedBytes), align: 'right' },
      { title: 'FREE', value: ({ freeBytes }) => (freeBytes === null ? '-' : formatBytes(freeBytes)), align: 'right' },
      { title: 'TENANTS', value: ({ tenants }) => formatCount(tenants), align: 'right' },
      { title: 'POINTS', value: ({ points }) => formatCount(points), align: 'right' },
      { title: 'VERIFIED', value: ({ verification }) => formatInstant(verification?.at ?? null) },
      { title: 'PROBLEM', value: problemText },
    ],
    'There is no repository. Next: farkeep repository add NAME --folder DIR',
  );
}
