// Owns what the commands about certificates share: the slot, the client, and printing a certificate.
import {
  certificateSlots,
  type CertificateCandidate,
  type CertificateSlot,
  type StoredCertificate,
} from '../../../contracts/models/certificate.ts';
import type { DomainClient } from '../../../contracts/contract.ts';
import { certificateDomain } from '../../../contracts/rpc/certificate.ts';
import type { CommandContext } from '../../command-context.ts';
import { formatInstant, usageError } from '../../quantities.ts';
import { formatFacts } from '../../text-table.ts';

export type CertificateClient = DomainClient<typeof certificateDomain>;
export interface SlotOption {
  readonly slot: string;
}

export const slotOption = [
  '--slot <slot>',
  'server (consoles, protected computers) or provider (tenants)',
  'provider',
] as const;

export async function connectProvider(context: CommandContext): Promise<CertificateClient> {
  return (await context.connect('provider')).domain(certificateDomain);
}

export function parseSlot(text: string): CertificateSlot {
  const slot = certificateSlots.find((each) => each === text);
  if (slot === undefined)
    throw usageError(`"${text}" is not a slot`, 'Use --slot server or --slot provider.', '--slot');
  return slot;
}

/** Stores a candidate, installs it if requested, and prints the result. */
export async function finish(
  context: CommandContext,
  client: CertificateClient,
  slot: CertificateSlot,
  { candidateId, warnings }: CertificateCandidate,
  isInstalled: boolean,
): Promise<void> {
  for (const warning of warnings) context.output.note(`Warning: ${warning}`);
  const stored = isInstalled ? await client.install({ slot, candidateId }) : await client.store({ candidateId });
  context.output.result({ ok: true, ...describe(stored, isInstalled), warnings }, () =>
    [
      isInstalled ? `In service (slot ${slot}):` : 'Stored:',
      formatCertificate(stored),
      ...(isInstalled ? [] : [`Next: farkeep certificate install ${stored.id.slice(0, 12)} --slot ${slot}`]),
    ].join('\n'),
  );
}

/** The stable JSON form for scripts (docs/cli.md). */
export function describe(
  { id, friendlyName, summary }: StoredCertificate,
  isInstalled: boolean,
): Record<string, unknown> {
  const { sha256, sha1, subject, issuer, notBefore, notAfter } = summary;
  return { id, friendlyName, sha256, sha1, subject, issuer, notBefore, notAfter, installed: isInstalled };
}

export function formatCertificate({
  friendlyName,
  summary,
  keyProtection,
  installedInSlots,
}: StoredCertificate): string {
  return formatFacts([
    ['Name', friendlyName],
    ['Issued to', summary.subject],
    ['Issued by', summary.isSelfSigned ? `${summary.issuer} (self-signed)` : summary.issuer],
    ['Valid from', formatInstant(summary.notBefore)],
    ['Expiration date', formatInstant(summary.notAfter)],
    ['Thumbprint (SHA-256)', summary.sha256],
    ['Thumbprint (SHA-1)', summary.sha1],
    ['Serial number', summary.serialNumber],
    ['Names', [...summary.dnsNames, ...summary.ipAddresses].join(', ') || '-'],
    ['Key', summary.keyType],
    ['Private key', `${keyProtection.description}; may be read by ${keyProtection.readers.join(', ')}`],
    ...keyProtection.warnings.map((warning) => ['Warning', warning] as const),
    ['In service', installedInSlots.join(', ') || 'no'],
  ]);
}
