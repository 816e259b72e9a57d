// Owns `farkeep serve`: one service in the foreground, for systemd and for observing it.
import type { Command } from 'commander';
import type { ReadyMessage } from '../../contracts/carrier.ts';
import type { ServiceRole } from '../../contracts/contract.ts';
import { flagsToConfig, serveFlags } from '../../host/serve-flags.ts';
import { parseDuration } from '../quantities.ts';
import type { DefineAction } from '../command-context.ts';

const examples: Readonly<Record<ServiceRole, string>> = {
  provider: `
Examples:
  $ farkeep serve provider
  $ farkeep serve provider --config /etc/farkeep/provider.json
  $ farkeep serve provider --infrastructure 0.0.0.0:6169 --infrastructure-address provider.example`,
  gateway: `
Examples:
  $ farkeep serve gateway --token-file token.txt          the first time: enrolls, then runs
  $ farkeep serve gateway --listen 0.0.0.0:6180           from then on`,
  tenant: `
Examples:
  $ farkeep serve tenant
  $ farkeep serve tenant --home /srv/farkeep --log-level debug`,
};

const descriptions: Readonly<Record<ServiceRole, string>> = {
  provider: 'stores backups of tenants, authorizes sessions',
  gateway: 'accepts tenants on one port and relays their connections; holds no key',
  tenant: 'runs backup and restore jobs of this computer',
};

export function registerServe(program: Command, action: DefineAction): void {
  const serve = program.command('serve').description('run one service in the foreground until SIGTERM or Ctrl-C');
  for (const role of ['provider', 'gateway', 'tenant'] as const) {
    const command = serve
      .command(role)
      .description(descriptions[role])
      .option('--config <file>', 'JSON configuration; options have priority over it')
      .option('--stop-deadline <duration>', 'time limit for sessions to end after SIGTERM', '20s');
    for (const flag of serveFlags[role]) {
      const spelling = `--${flag.name}${flag.value === undefined ? '' : ` <${flag.value.toLowerCase()}>`}`;
      if (flag.isRepeatable === true) {
        command.option(spelling, flag.description, (value: string, earlier?: string[]) => [...(earlier ?? []), value]);
      } else command.option(spelling, flag.description);
    }
    command.addHelpText('after', examples[role]).action(
      action(async ({ output }, options: Record<string, string | boolean | string[]>) => {
        const { serveRole } = await import('../../host/serve-role.ts');
        const home = command.optsWithGlobals<{ home?: string }>().home;
        const text = (name: string): string | undefined =>
          typeof options[name] === 'string' ? options[name] : undefined;
        // The service handles signals itself.
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
        // A closed pipe on stdout (the reader of the ready line has exited) ends other commands, but must not end a service.
        process.stdout.removeAllListeners('error');
        process.stdout.on('error', () => undefined);
        return serveRole({
          role,
          home,
          configFile: text('config'),
          overrides: flagsToConfig(role, byFlagName(options)),
          stopDeadlineMs: parseDuration(text('stopDeadline') ?? '20s', '--stop-deadline'),
          onReady: (ready) => output.result(ready, () => formatReady(ready)),
          onStartFailed: (error) => output.failure(error.toInfo()),
        });
      }),
    );
  }
}

/** commander gives `logLevel` for `--log-level`. */
function byFlagName(
  options: Readonly<Record<string, string | boolean | string[]>>,
): Record<string, string | boolean | string[]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function formatReady({ role, pid, listeners }: ReadyMessage): string {
  const addresses = Object.entries(listeners).map(([purpose, address]) => `${purpose} ${address}`);
  return `ready: ${role}${addresses.length === 0 ? '' : `, ${addresses.join(', ')}`} (process ${pid})`;
}
