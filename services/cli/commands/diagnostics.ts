// Owns `farkeep diagnostics`: the same archive as the console's Export diagnostics, from the services that run in this home.
import path from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from '../../contracts/errors.ts';
import { diagnosticsSteps } from '../../diagnostics/diagnostics-steps.ts';
import { writeDiagnostics } from '../../diagnostics/write-diagnostics.ts';
import { productVersion } from '../../host/product-version.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { DefineAction } from '../command-context.ts';
import { formatBytes } from '../quantities.ts';

export function registerDiagnostics(program: Command, action: DefineAction): void {
  program
    .command('diagnostics')
    .description('write a zip for support: versions, platform, configuration, states of services, trust journal, logs')
    .requiredOption('--out <file>', 'the file to write')
    .addHelpText(
      'after',
      '\nWithout passwords, keys and tokens; its lists name no jobs, tenants or files. Log lines may: read them first.' +
        '\n\nExample:\n  $ farkeep diagnostics --out farkeep-diagnostics.zip',
    )
    .action(
      action(async (context, options: { out: string }) => {
        const { home, signal, output } = context;
        const file = path.resolve(options.out);
        const { sizeBytes, failedSteps } = await writeDiagnostics({
          steps: diagnosticsSteps({
            home,
            logFolder: path.join(home, 'console', 'logs'),
            versions: { farkeep: productVersion() },
            ask: async (role, { domain, command, input }, within) => {
              const client = await context.connect(role);
              const result = await client.call(domain, command, input, { signal: within });
              if (!result.ok) throw FarkeepError.fromInfo(result.error);
              return result.value;
            },
          }),
          file,
          signal,
        });
        output.result({ ok: true, file, sizeBytes, failedSteps }, () =>
          [
            `Written: ${file} (${formatBytes(sizeBytes)})`,
            ...(failedSteps.length === 0
              ? []
              : [`Not complete: ${failedSteps.join(', ')}; the archive contains the reasons.`]),
          ].join('\n'),
        );
        return failedSteps.length === 0 ? exitCodes.done : exitCodes.warnings;
      }),
    );
}
