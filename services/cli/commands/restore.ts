// Owns `farkeep restore`: restores a restore point, folders or files through a session.
import path from 'node:path';
import type { Command } from 'commander';
import { overwriteRuleSchema } from '../../contracts/models/tenant.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import type { DefineAction } from '../command-context.ts';
import { findPoint } from '../point-lookup.ts';
import { usageError } from '../quantities.ts';
import { durationMsOf, exitCodeOf, formatOutcome, restoredOf, sessionJson } from '../session-report.ts';
import { watchSession } from '../session-watch.ts';

export function registerRestore(program: Command, action: DefineAction): void {
  program
    .command('restore <point> [paths...]')
    .description('restore a restore point, or folders and files of it')
    .requiredOption('--to <dir>', 'destination; the contents of the source folder appear directly below it')
    .option(
      '--overwrite <rule>',
      'which existing files to overwrite: never, older (than the saved one) or always',
      'never',
    )
    .option('--follow', 'print every step during the restore (with --json: one object a line)')
    .addHelpText(
      'after',
      `
POINT is an identifier of farkeep point list, its start, "latest" or "latest:JOB". Every byte is checked against its block.

Examples:
  $ farkeep restore latest --to ~/restored
  $ farkeep restore 8c1d reports/2026 notes.txt --to . --overwrite older`,
    )
    .action(
      action(
        async (context, wanted: string, paths: string[], options: { to: string; overwrite: string; follow?: true }) => {
          const overwrite = overwriteRuleSchema.safeParse(options.overwrite);
          if (!overwrite.success) {
            throw usageError(`"${options.overwrite}" is not a rule`, 'Use never, older or always.', '--overwrite');
          }
          const client = await context.connect('tenant');
          const { id } = await findPoint(context, client, wanted);
          const { sessionId } = await client.domain(pointsDomain).restore({
            pointId: id,
            paths,
            destination: path.resolve(options.to),
            overwrite: overwrite.data,
          });
          const session = await watchSession(context, client, sessionId, {
            isFollowed: options.follow === true,
            onInterrupt: 'cancel',
          });
          const exitCode = exitCodeOf(session);
          const { files, bytes, skipped } = restoredOf(session);
          context.output.result(
            {
              ok: session.state === 'succeeded' || session.state === 'warning',
              files,
              bytes,
              seconds: durationMsOf(session) / 1000,
              skipped,
              ...(session.error === null ? {} : { error: session.error }),
              session: sessionJson(session),
            },
            () => formatOutcome(session),
          );
          return exitCode;
        },
      ),
    );
}
