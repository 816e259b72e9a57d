// Owns `farkeep demo`: prints on the terminal what services/demo/demo.ts does.
import type { Command } from 'commander';
import { exitCodes } from '../../contracts/errors.ts';
import type { DemoResult } from '../../demo/demo.ts';
import type { DemoSite } from '../../demo/demo-site.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { formatBytes, formatDuration, formatRate, parseWholeNumber } from '../quantities.ts';
import { sessionJson } from '../session-report.ts';
import { formatFacts, printable } from '../text-table.ts';

interface DemoCommandOptions {
  readonly source?: string;
  readonly keep?: string;
  readonly hold?: true;
  readonly gateways: string;
}

const shownDifferences = 20;

export function registerDemo(program: Command, action: DefineAction): void {
  program
    .command('demo')
    .description('provider, gateway and tenant on this machine; one real backup and restore, compared byte by byte')
    .option('--source <dir>', 'the folder to back up (default: a small sample that the demo makes)')
    .option('--keep <dir>', 'do everything in this new folder and keep it')
    .option('--hold', 'only set up, then run until Ctrl-C, for trying commands')
    .option('--gateways <n>', 'number of gateways', '1')
    .addHelpText(
      'after',
      `
Real processes, real TLS, real keys, on free ports of the loopback address. Removes everything at the end, also on Ctrl-C.

Examples:
  $ farkeep demo
  $ farkeep demo --source ~/Documents
  $ farkeep demo --hold --gateways 2 --json`,
    )
    .action(
      action(async (context, options: DemoCommandOptions) => {
        const { holdDemo, runDemo } = await import('../../demo/demo.ts');
        const { output, signal } = context;
        const gatewayCount = parseWholeNumber(options.gateways, '--gateways', { min: 1, max: 16 });
        const settings = {
          ...(options.source === undefined ? {} : { source: options.source }),
          ...(options.keep === undefined ? {} : { keep: options.keep }),
          gatewayCount,
          signal,
          report: (title: string, detail: string, durationMs: number) => reportStep(context, title, detail, durationMs),
          onProgress: ({ progress, kind }: DemoResult['backup']) => output.progress.show(progress, kind),
        };
        if (options.hold === true) {
          await holdDemo(settings, (site) => output.result(holdJson(site), () => formatHold(site)));
          return exitCodes.done;
        }
        const result = await runDemo(settings);
        for (const { path, what } of result.excused)
          output.note(`Changed during the demo, or unreadable: ${printable(path)} ${what}`);
        output.result(demoJson(result), () => formatResult(result));
        return result.isVerified ? exitCodes.done : exitCodes.failed;
      }),
    );
}

function reportStep({ output }: CommandContext, title: string, detail: string, durationMs: number): void {
  output.text(`${formatDuration(durationMs).padStart(8)}  ${title.padEnd(28)}  ${printable(detail)}`);
}

/** The stable JSON form (docs/cli.md). */
function demoJson(result: DemoResult): Record<string, unknown> {
  const { backup, restore, certificate, comparison } = result;
  return {
    ok: result.isVerified,
    verified: result.isVerified,
    sourceBytes: comparison.bytes,
    sourceFiles: comparison.files,
    transferredBytes: backup.progress.transferredBytes,
    storedBytes: result.storedBytes,
    backupSeconds: result.backupSeconds,
    restoreSeconds: result.restoreSeconds,
    sessions: [backup, restore].map((session) => ({ ...sessionJson(session), keys: session.keys, tls: session.tls })),
    certificate: { sha256: certificate.summary.sha256, sha1: certificate.summary.sha1 },
    differences: result.differences.slice(0, shownDifferences).map(({ path, what }) => `${path} ${what}`),
    excused: result.excused.length,
  };
}

function formatResult(result: DemoResult): string {
  const { comparison, backup, backupSeconds, restoreSeconds, storedBytes, differences } = result;
  const rate = (seconds: number): string => formatRate(comparison.bytes / Math.max(seconds, 0.001));
  const facts = formatFacts([
    ['Backup', `${formatBytes(comparison.bytes)} in ${formatDuration(backupSeconds * 1000)}, ${rate(backupSeconds)}`],
    ['Sent', `${formatBytes(backup.progress.transferredBytes)}; stored ${formatBytes(storedBytes)}`],
    ['Restore', `in ${formatDuration(restoreSeconds * 1000)}, ${rate(restoreSeconds)}`],
  ]);
  const differing = differences.slice(0, shownDifferences).map(({ path, what }) => `  ${printable(path)} ${what}`);
  return ['', facts, '', ...differing, result.isVerified ? 'verified' : 'NOT verified'].join('\n');
}

/** The stable JSON form (docs/cli.md): everything that a script needs to use the set-up from another terminal. */
function holdJson(site: DemoSite): Record<string, unknown> {
  return {
    ready: true,
    homes: { provider: site.provider.home, gateways: site.gateways.map(({ home }) => home), tenant: site.tenant.home },
    gatewayAddresses: site.gatewayAddresses,
    fingerprint: site.certificate.summary.sha256,
    tenantUser: site.tenantUser,
    passwordFile: site.passwordFile,
    providerName: site.serviceProvider.name,
    repository: site.repository,
    pids: {
      provider: site.provider.process.pid,
      gateways: site.gateways.map(({ process: { pid } }) => pid),
      tenant: site.tenant.process.pid,
    },
  };
}

function formatHold(site: DemoSite): string {
  const { name } = site.serviceProvider;
  return [
    '',
    formatFacts([
      ['Provider', `--home ${site.provider.home}`],
      ...site.gateways.map(
        ({ home }, index) => [`Gateway ${index + 1}`, `${site.gatewayAddresses[index] ?? ''}  --home ${home}`] as const,
      ),
      ['Tenant', `--home ${site.tenant.home}`],
      ['Account', `${site.tenantUser}, password in ${site.passwordFile}`],
      ['Thumbprint (SHA-256)', site.certificate.summary.sha256],
    ]),
    '',
    'Try from another terminal:',
    `  farkeep --home ${site.tenant.home} job add first --source DIR --provider ${name} --repository ${site.repository}`,
    `  farkeep --home ${site.tenant.home} job run first`,
    `  farkeep --home ${site.provider.home} session list`,
    '',
    'Running until Ctrl-C.',
  ].join('\n');
}
