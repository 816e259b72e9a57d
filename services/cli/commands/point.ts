// Owns `farkeep point`: the tenant's restore points; and extracting one from a repository folder without any service.
import type { Command } from 'commander';
import { exitCodes } from '../../contracts/errors.ts';
import type { PointEntry, RestorePoint, UnreadablePoint } from '../../contracts/models/tenant.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import type { DefineAction } from '../command-context.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findAnyPoint, findPoint } from '../point-lookup.ts';
import { formatBytes, formatCount, formatCounted, formatDuration, formatInstant } from '../quantities.ts';
import { formatTable, printable } from '../text-table.ts';

export function registerPoint(program: Command, action: DefineAction): void {
  const group = program.command('point').description('restore points');

  group
    .command('list')
    .description('all restore points, oldest first')
    .addHelpText('after', '\nExample:\n  $ farkeep point list')
    .action(
      action(async (context, _options: object) => {
        const client = await context.connect('tenant');
        const { points, unreachable, unreadable } = await client
          .domain(pointsDomain)
          .list({}, { signal: context.signal });
        for (const { provider, message } of unreachable) {
          context.output.note(`No answer from ${printable(provider)} (${printable(message)})`);
        }
        context.output.result({ points, unreachable, unreadable }, () =>
          [formatList(points), ...formatUnreadable(unreadable)].join('\n'),
        );
        return unreachable.length > 0 ? exitCodes.warnings : exitCodes.done;
      }),
    );

  group
    .command('delete <point>')
    .description('delete a restore point; this version does not free its space')
    .option(...yesOption)
    .addHelpText(
      'after',
      `
POINT is an identifier or its first digits. A point that "point list" shows as not readable can be deleted as well. The point disappears from every
list at once. This version of the provider does not free its space yet: the space still counts against the quota.

Example:
  $ farkeep point delete 8c1d1f0e`,
    )
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await context.connect('tenant');
        const { id, what } = await findAnyPoint(context, client, wanted);
        await confirmRemoval(
          context,
          {
            what,
            consequences: [
              'Its files cannot be restored from this point any more.',
              'Other restore points keep their data. This version does not free the space yet; it still counts against the quota.',
            ],
          },
          { isSure: options.yes === true },
        );
        const deleted = await client.domain(pointsDomain).delete({ pointId: id }, { signal: context.signal });
        context.output.result(
          { ok: true, ...deleted },
          () =>
            `Restore point ${id} is deleted. Its space is not freed in this version and still counts against the quota.`,
        );
      }),
    );

  group
    .command('ls <point> [path]')
    .description('one folder of a restore point')
    .addHelpText(
      'after',
      '\nPOINT is an identifier, its start, "latest" or "latest:JOB".\n\nExample:\n  $ farkeep point ls latest reports/2026',
    )
    .action(
      action(async (context, wanted: string, folder: string | undefined, _options: object) => {
        const client = await context.connect('tenant');
        const { id } = await findPoint(context, client, wanted);
        const input = { pointId: id, path: folder ?? '' };
        const listing = await client.domain(pointsDomain).listFolder(input, { signal: context.signal });
        if (listing.isTruncated) context.output.note('There are more entries than the list can hold.');
        context.output.result(listing, () => formatEntries(listing.entries, ({ name }) => name));
      }),
    );

  group
    .command('find <point> <text>')
    .description('entries of a restore point whose name contains a text')
    .addHelpText('after', '\nExample:\n  $ farkeep point find latest invoice')
    .action(
      action(async (context, wanted: string, text: string, _options: object) => {
        const client = await context.connect('tenant');
        const { id } = await findPoint(context, client, wanted);
        const found = await client.domain(pointsDomain).find({ pointId: id, text }, { signal: context.signal });
        if (found.isTruncated) context.output.note('There are more; type more of the name.');
        context.output.result(found, () => formatEntries(found.entries, ({ path }) => path));
      }),
    );

  group
    .command('extract <point>')
    .description('extract a restore point from a repository folder; needs no service and no network')
    .requiredOption('--folder <dir>', 'folder of the tenant inside the repository: REPOSITORY/TENANT_ID')
    .requiredOption('--to <dir>', 'destination folder; created when it does not exist')
    .addHelpText(
      'after',
      '\nEvery block is checked against its identifier. POINT is the name of its manifest in FOLDER/points.\n\nExample:\n  $ farkeep point extract 8c1d... --folder /srv/farkeep/5f0e... --to /tmp/restored',
    )
    .action(
      action(async (context, pointId: string, options: { folder: string; to: string }) => {
        const { extractRestorePoint } = await import('../../offline/point-extraction.ts');
        const startedAt = performance.now();
        const result = await extractRestorePoint({
          tenantFolder: options.folder,
          pointId,
          to: options.to,
          signal: context.signal,
        });
        const seconds = (performance.now() - startedAt) / 1000;
        for (const remark of result.remarks) context.output.note(printable(remark));
        for (const { path, reason } of result.problems) context.output.note(`${printable(path)}: ${printable(reason)}`);
        // Warnings are not failures, as with farkeep restore. The exit code shows the difference.
        context.output.result({ ok: result.error === undefined, ...result, seconds }, () =>
          [
            `${formatCounted(result.files, 'file')}, ${formatBytes(result.bytes)} in ${formatDuration(seconds * 1000)}` +
              (result.skipped === 0
                ? '.'
                : `; ${formatCounted(result.skipped, 'file')} skipped: already correct, or kept by the overwrite rule.`),
            ...(result.problemCount === 0 ? [] : [`${formatCounted(result.problemCount, 'warning')}, named above.`]),
            ...(result.error === undefined
              ? []
              : [`Error: ${printable(result.error.message)}`, `Next: ${printable(result.error.hint)}`]),
          ].join('\n'),
        );
        if (result.error !== undefined) return exitCodes.failed;
        return result.problemCount === 0 ? exitCodes.done : exitCodes.warnings;
      }),
    );
}

function formatList(points: readonly RestorePoint[]): string {
  return formatTable(
    points,
    [
      { title: 'ID', value: ({ id }) => id.slice(0, 12) },
      { title: 'CREATED', value: ({ createdAt }) => formatInstant(createdAt) },
      { title: 'JOB', value: ({ job }) => job },
      { title: 'AT', value: ({ providerName, repository }) => `${providerName} / ${repository}` },
      { title: 'FILES', value: ({ files }) => formatCount(files), align: 'right' },
      { title: 'SIZE', value: ({ sourceBytes }) => formatBytes(sourceBytes), align: 'right' },
      { title: 'WARNINGS', value: ({ warnings }) => formatCount(warnings), align: 'right' },
      { title: 'REMARK', value: ({ isShrunk }) => (isShrunk === true ? 'much less data than before' : '') },
    ],
    'There is no restore point. Next: farkeep job run NAME',
  );
}

function formatUnreadable(points: readonly UnreadablePoint[]): string[] {
  if (points.length === 0) return [];
  return [
    `\n${formatCounted(points.length, 'restore point')} cannot be read:`,
    ...points.map(({ id, providerName, repository, reason }) => {
      const place = repository === null ? providerName : `${providerName} / ${repository}`;
      return `  ${id ?? 'unknown'}  ${printable(place)}: ${printable(reason)}`;
    }),
    'Next: farkeep point delete ID',
  ];
}

function formatEntries(entries: readonly PointEntry[], nameOf: (entry: PointEntry) => string): string {
  return formatTable(
    entries,
    [
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'SIZE', value: ({ sizeBytes }) => (sizeBytes === null ? '-' : formatBytes(sizeBytes)), align: 'right' },
      { title: 'MODIFIED', value: ({ modifiedAt }) => formatInstant(modifiedAt) },
      { title: 'NAME', value: (entry) => `${nameOf(entry)}${entry.hasWarning ? '  (saved with a warning)' : ''}` },
    ],
    'Nothing.',
  );
}
