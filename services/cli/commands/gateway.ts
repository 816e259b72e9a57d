// Owns `farkeep gateway`: a provider's gateways, and enrolling the gateway of this machine.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from '../../contracts/errors.ts';
import type { DomainClient } from '../../contracts/contract.ts';
import type { Gateway } from '../../contracts/models/provider.ts';
import { gatewayNodeDomain } from '../../contracts/rpc/gateway-node.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { parseHostPort } from '../host-port.ts';
import { confirmRemoval, yesOption } from '../confirm-removal.ts';
import { findByName } from '../lookup.ts';
import { formatBytes, formatCount, formatInstant, parseDuration, usageError } from '../quantities.ts';
import { readSecretFile } from '../secret-input.ts';
import { formatTable } from '../text-table.ts';

interface EnrollTokenOptions {
  readonly address?: string[];
  readonly here?: true;
  readonly valid: string;
  readonly out?: string;
}

export function registerGateway(program: Command, action: DefineAction): void {
  const group = program.command('gateway').description('gateways of the provider, and enrollment of the gateway here');

  group
    .command('enroll-token <name>')
    .description(
      'create a gateway and its one-time enrollment token; without --address, a new token for a known gateway',
    )
    .option('--address <host:port>', 'address to which tenants connect; repeatable', collect)
    .option('--here', 'the gateway runs on the computer of the provider')
    .option('--valid <duration>', 'how long the token is valid', '24h')
    .option('--out <file>', 'write the token to a file (0600) instead of printing it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep gateway enroll-token gw1 --address gw1.example:6180 --out gw1.token\n  $ farkeep gateway enroll-token gw1 --out gw1.token            a new token for gw1\n  then, on the gateway:  $ farkeep serve gateway --token-file gw1.token',
    )
    .action(
      action(async (context, name: string, options: EnrollTokenOptions) => {
        const addresses = options.address?.map((text) => parseHostPort(text, '--address'));
        const validMs = parseDuration(options.valid, '--valid', { min: '1m', max: '30d' });
        const client = await connectProvider(context);
        const isOnThisComputer = options.here === true;
        const { gateway, token, expiresAt } =
          addresses === undefined
            ? await client.renewEnrollToken({ gatewayId: (await find(client, name)).id, validMs })
            : await client.createEnrollToken({ name, addresses, validMs, isOnThisComputer });
        const file = options.out === undefined ? null : path.resolve(options.out);
        if (file !== null) await writeFile(file, `${token}\n`, { mode: 0o600 });
        context.output.note(`The token works once, until ${formatInstant(expiresAt)}.`);
        context.output.result(
          file === null ? { ok: true, gateway, token, expiresAt } : { ok: true, gateway, file, expiresAt },
          file ?? token,
        );
      }),
    );

  group
    .command('set <gateway>')
    .description('rename a gateway, or change the addresses to which tenants connect')
    .option('--name <name>', 'the new name')
    .option('--address <host:port>', 'replaces all addresses; repeatable', collect)
    .addHelpText(
      'after',
      '\nExample:\n  $ farkeep gateway set gw1 --address gw1.example:443 --address gw1.example:6180',
    )
    .action(
      action(async (context, wanted: string, options: { name?: string; address?: string[] }) => {
        if (options.name === undefined && options.address === undefined) {
          throw usageError('No change is given', 'Add --name or --address.', '--name');
        }
        const addresses = options.address?.map((text) => parseHostPort(text, '--address'));
        const client = await connectProvider(context);
        const { id } = await find(client, wanted);
        const gateway = await client.set({ gatewayId: id, name: options.name, addresses });
        context.output.result({ ok: true, gateway }, () => formatList([gateway]));
      }),
    );

  group
    .command('enroll')
    .description('enroll the gateway that runs in this home')
    .requiredOption('--token-file <file>', 'the token; "-" reads standard input')
    .option('--replace', 'leave the current provider')
    .addHelpText('after', '\nExample:\n  $ farkeep gateway enroll --token-file gw1.token')
    .action(
      action(async (context, options: { tokenFile: string; replace?: true }) => {
        const token = (await readSecretFile(options.tokenFile)).trim();
        const client = (await context.connect('gateway')).domain(gatewayNodeDomain);
        const status = await client.enroll({ token, replace: options.replace === true }, { signal: context.signal });
        context.output.result({ ok: true, status }, `Enrolled; link ${status.link}.`);
      }),
    );

  group
    .command('list')
    .description('the gateways of the provider')
    .addHelpText('after', '\nExample:\n  $ farkeep gateway list')
    .action(
      action(async (context, _options: object) => {
        const { gateways } = await (await connectProvider(context)).list({});
        context.output.result({ gateways }, () => formatList(gateways));
      }),
    );

  for (const [name, isEnabled, description] of [
    ['enable', true, 'let tenants use the gateway'],
    ['disable', false, 'no new connections through the gateway; running sessions continue through other gateways'],
  ] as const) {
    group
      .command(`${name} <gateway>`)
      .description(description)
      .addHelpText('after', `\nExample:\n  $ farkeep gateway ${name} gw1`)
      .action(
        action(async (context, wanted: string, _options: object) => {
          const client = await connectProvider(context);
          const { id } = await find(client, wanted);
          const gateway = await client.setEnabled({ gatewayId: id, isEnabled });
          context.output.result({ ok: true, gateway }, `${gateway.name}: ${gateway.state}`);
        }),
      );
  }

  group
    .command('remove <gateway>')
    .description('remove a gateway; its certificate is no longer accepted')
    .option(...yesOption)
    .addHelpText('after', '\nExample:\n  $ farkeep gateway remove gw1')
    .action(
      action(async (context, wanted: string, options: { yes?: true }) => {
        const client = await connectProvider(context);
        const { id, name } = await find(client, wanted);
        await confirmRemoval(
          context,
          {
            what: `gateway "${name}"`,
            consequences: [
              'Its certificate is no longer accepted, and tenants can no longer use it. To use it again, enroll it again.',
            ],
          },
          { isSure: options.yes === true },
        );
        await client.remove({ gatewayId: id });
        context.output.result({ ok: true, id }, `Removed "${name}".`);
      }),
    );

  group
    .command('doctor')
    .description(
      'check every gateway: enrollment, link, port, handshake, name; exit code 1 when something fails, 5 for warnings',
    )
    .addHelpText('after', '\nExample:\n  $ farkeep gateway doctor')
    .action(
      action(async (context, _options: object) => {
        const { checks } = await (await connectProvider(context)).doctor({}, { signal: context.signal });
        const isFailed = checks.some(({ outcome }) => outcome === 'failed');
        const hasWarning = checks.some(({ outcome }) => outcome === 'warning');
        context.output.result({ ok: !isFailed, checks }, () =>
          formatTable(
            checks,
            [
              { title: 'GATEWAY', value: ({ gateway }) => gateway },
              { title: 'CHECK', value: ({ check }) => check },
              { title: 'OUTCOME', value: ({ outcome }) => outcome },
              { title: 'FOUND', value: ({ message }) => message },
              { title: 'WHAT HELPS', value: ({ help }) => help },
            ],
            'There is no gateway. Next: farkeep gateway enroll-token NAME --address HOST:PORT',
          ),
        );
        return isFailed ? exitCodes.failed : hasWarning ? exitCodes.warnings : exitCodes.done;
      }),
    );
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

async function connectProvider(context: CommandContext): Promise<DomainClient<typeof gatewaysDomain>> {
  return (await context.connect('provider')).domain(gatewaysDomain);
}

async function find(client: DomainClient<typeof gatewaysDomain>, wanted: string): Promise<Gateway> {
  const { gateways } = await client.list({});
  return findByName(gateways, wanted, { what: 'gateway', listCommand: 'farkeep gateway list' });
}

function formatList(gateways: readonly Gateway[]): string {
  return formatTable(
    gateways,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'ADDRESSES', value: ({ addresses }) => addresses.map(({ host, port }) => `${host}:${port}`).join(', ') },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'COVERED', value: ({ isCoveredByCertificate }) => (isCoveredByCertificate ? 'yes' : 'no: see doctor') },
      { title: 'CONNECTIONS', value: ({ connections }) => formatCount(connections), align: 'right' },
      { title: 'RELAYED', value: ({ relayedBytes }) => formatBytes(relayedBytes), align: 'right' },
      { title: 'LAST SEEN', value: ({ lastSeenAt }) => formatInstant(lastSeenAt) },
    ],
    'There is no gateway. Next: farkeep gateway enroll-token NAME --address HOST:PORT',
  );
}
