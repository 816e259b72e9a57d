// Owns `farkeep trust revoke` and `farkeep trust reinstate`, which change existing pins. Must not connect to a provider.
import type { Command } from 'commander';
import type { DomainClient } from '../../contracts/contract.ts';
import { shortThumbprint, thumbprintDigits } from '../../contracts/models/thumbprint.ts';
import type { Pin } from '../../contracts/models/trust.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';

export function registerPins(group: Command, action: DefineAction): void {
  group
    .command('revoke <pin>')
    .description('stop trusting a pinned certificate')
    .addHelpText(
      'after',
      '\nPIN is the name of the provider, or an identifier or thumbprint (or its start) of farkeep trust list.\n\nExample:\n  $ farkeep trust revoke northwind',
    )
    .action(
      action(async (context, wanted: string, _options: object) => {
        const client = await connectTenant(context);
        const pin = findPin((await client.listPins({})).pins, wanted, ['current', 'next']);
        await client.revokePin({ pinId: pin.id });
        context.output.result(
          { ok: true, id: pin.id },
          `Revoked the pin of "${pin.identity}" (${pin.certificate.sha256}).`,
        );
      }),
    );

  group
    .command('reinstate <pin>')
    .description('end the revocation of a pinned certificate; its thumbprint must be given again')
    .requiredOption('--fingerprint <thumbprint>', 'the thumbprint that your provider gave you, for example by phone')
    .addHelpText(
      'after',
      '\nPIN is the name of the provider, or an identifier or thumbprint (or its start) of farkeep trust list.\n\nExample:\n  $ farkeep trust reinstate northwind --fingerprint AB:CD:...',
    )
    .action(
      action(async (context, wanted: string, options: { fingerprint: string }) => {
        const client = await connectTenant(context);
        const { id } = findPin((await client.listPins({})).pins, wanted, ['revoked']);
        const pin = await client.reinstatePin({ pinId: id, pasted: options.fingerprint });
        const { identity, state, certificate } = pin;
        context.output.result({ ok: true, id: pin.id, identity, state, sha256: certificate.sha256 }, () =>
          state === 'current'
            ? `Trusted again and pinned: ${identity}`
            : `Not revoked any more: ${identity}. Another certificate is pinned; you are asked to compare when this one is shown.`,
        );
      }),
    );
}

async function connectTenant(context: CommandContext): Promise<DomainClient<typeof trustDomain>> {
  return (await context.connect('tenant')).domain(trustDomain);
}

/** Finds a pin by its name among the pins in one of the states, else by the start of an identifier or thumbprint. */
function findPin(pins: readonly Pin[], wanted: string, states: readonly Pin['state'][]): Pin {
  const start = wanted.toLowerCase().replaceAll(':', '');
  const found = pins.filter(
    ({ id, identity, state, certificate }) =>
      (identity === wanted && states.includes(state)) ||
      (start.length >= 4 &&
        (id.startsWith(start) || thumbprintDigits(certificate.sha256).startsWith(start.toUpperCase()))) ||
      shortThumbprint(certificate.sha256) === wanted,
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new FarkeepError(
    'call.not-found',
    found.length > 1 ? `Several pins match "${wanted}"` : `There is no pin "${wanted}"`,
    {
      hint: 'List them: farkeep trust list',
    },
  );
}
