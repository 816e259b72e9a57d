// Owns `farkeep certificate pick`, which is the page Pick Certificate as a command. The service lists and reads the stores; a pick is never
// a path.
import type { Command } from 'commander';
import type { PickableCertificate, UnreadableStore } from '../../../contracts/models/certificate.ts';
import type { DefineAction } from '../../command-context.ts';
import { shortThumbprint } from '../../../contracts/models/thumbprint.ts';
import { formatInstant } from '../../quantities.ts';
import { formatTable } from '../../text-table.ts';
import { connectProvider, finish, parseSlot, slotOption, type SlotOption } from './certificate-shared.ts';

export function registerPick(group: Command, action: DefineAction): void {
  group
    .command('pick [pick]')
    .description("import a certificate from a store on the service's machine; without PICK: list the certificates")
    .option(...slotOption)
    .option('--install', 'put it in service immediately')
    .addHelpText(
      'after',
      "\nStores: Farkeep's own, /etc/letsencrypt/live, /etc/ssl/certs with /etc/ssl/private; on Windows Local Computer\\Personal.\n\nExamples:\n  $ farkeep certificate pick\n  $ farkeep certificate pick letsencrypt:gw1.example --install",
    )
    .action(
      action(async (context, pick: string | undefined, options: SlotOption & { install?: true }) => {
        const slot = parseSlot(options.slot);
        const client = await connectProvider(context);
        if (pick !== undefined) {
          const candidate = await client.pick({ slot, pickId: pick }, { signal: context.signal });
          await finish(context, client, slot, candidate, options.install === true);
          return;
        }
        const { certificates, unreadableStores } = await client.listPickable({ slot }, { signal: context.signal });
        context.output.result({ certificates, unreadableStores }, () => formatPickable(certificates, unreadableStores));
      }),
    );
}

function formatPickable(certificates: readonly PickableCertificate[], unreadable: readonly UnreadableStore[]): string {
  const table = formatTable(
    certificates,
    [
      { title: 'PICK', value: ({ pickId }) => pickId },
      { title: 'ISSUED TO', value: ({ issuedTo }) => issuedTo },
      { title: 'EXPIRES', value: ({ notAfter }) => formatInstant(notAfter).slice(0, 10) },
      { title: 'NAME', value: ({ friendlyName }) => friendlyName },
      { title: 'ISSUED BY', value: ({ issuedBy }) => issuedBy },
      { title: 'SHA-256', value: ({ sha256 }) => (sha256 === undefined ? '-' : shortThumbprint(sha256)) },
      { title: 'IN SERVICE', value: ({ installedInSlots = [] }) => installedInSlots.join(', ') || '-' },
      { title: 'WARNING', value: ({ warning }) => warning ?? '-' },
      { title: 'CANNOT BE USED', value: ({ unusableReason }) => unusableReason ?? '-' },
    ],
    'No store of this machine has a certificate for servers. Next: farkeep certificate import --file FILE',
  );
  return [table, ...unreadable.map(({ store, reason }) => `${store} could not be read: ${reason}`)].join('\n\n');
}
