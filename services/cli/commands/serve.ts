// Owns `farkeep serve`: one service in the foreground, for systemd and for observing it.
import type { Command } from 'commander';
import type { ReadyMessage } from '../../contracts/carrier.ts';
import { roleTable } from '../../host/role-table.ts';
import { flagsToConfig } from '../../host/serve-flags.ts';
import { parseDuration } from '../quantities.ts';
import type { DefineAction } from '../command-context.ts';
import { addFlags, byFlagName } from './serve-options.ts';

export function registerServe(program: Command, action: DefineAction): void {
  const serve = program.command('serve').description('run one service in the foreground until SIGTERM or Ctrl-C');
  for (const { name: role, summary, examples, flags } of Object.values(roleTable)) {
    const command = serve
      .command(role)
      .description(summary)
      .option('--config <file>', 'JSON configuration; flags win over it')
      .option('--stop-deadline <duration>', 'how long sessions may take to end after SIGTERM', '20s');
    addFlags(command, flags);
    command.addHelpText('after', `\nExamples:${examples.map((line) => `\n  $ ${line}`).join('')}`).action(
      action(async ({ output }, options: Record<string, string | boolean | string[]>) => {
        const { serveRole } = await import('../../host/serve-role.ts');
        const home = command.optsWithGlobals<{ home?: string }>().home;
        const text = (name: string): string | undefined =>
          typeof options[name] === 'string' ? options[name] : undefined;
        // The service handles signals itself.
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
        // If the reader of the ready line exits, the pipe on stdout closes. A closed pipe ends other commands, but must not end a service.
        process.stdout.removeAllListeners('error');
        process.stdout.on('error', () => undefined);
        return serveRole({
          role,
          home,
          configFile: text('config'),
          overrides: flagsToConfig(flags, byFlagName(options)),
          stopDeadlineMs: parseDuration(text('stopDeadline') ?? '20s', '--stop-deadline'),
          onReady: (ready) => output.result(ready, () => formatReady(ready)),
          onStartFailed: (error) => output.failure(error.toInfo()),
        });
      }),
    );
  }
}

function formatReady({ role, pid, listeners }: ReadyMessage): string {
  const addresses = Object.entries(listeners).map(([purpose, address]) => `${purpose} ${address}`);
  return `ready: ${role}${addresses.length === 0 ? '' : `, ${addresses.join(', ')}`} (process ${pid})`;
}
