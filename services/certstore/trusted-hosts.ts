// Owns the file by which an admin moves trusted hosts (current pins) from one machine to another. It contains certificates, never a secret.
// Must not overwrite a pin: only a person decides about another certificate for a known identity.
import { notableText } from '../contracts/notable-events.ts';
import { z } from 'zod';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { readCertificate } from '../pki/certificate/certificate-summary.ts';
import { isStrongKey } from '../pki/certificate/strength.ts';
import { thumbprintOf } from '../pki/certificate/thumbprint.ts';
import type { PinStore } from './pin-store.ts';
import type { TrustJournal } from './trust-journal.ts';

const maxHosts = 10_000;

/** The file of trusted hosts; docs/certificates.md, section 7, lists its fields. */
export const trustedHostsFileSchema = z.strictObject({
  format: z.literal('farkeep/trusted-hosts'),
  formatVersion: z.literal(1),
  exportedAt: z.iso.datetime(),
  hosts: z
    .array(
      z.strictObject({
        identity: z.string().min(1).max(255),
        sha256: z.string(),
        certificatePem: z.string().max(32_000),
      }),
    )
    .max(maxHosts),
});

export interface TrustedHostsImport {
  /** Identities that were pinned by this import. */
  readonly added: string[];
  /** Identities that already had the pin of the file. */
  readonly known: string[];
  /**
   * Identities for which this machine has a different pin, or has revoked the certificate that the file names. The import does not change
   * them.
   */
  readonly conflicts: string[];
}

/** @param who account and user interface, for the journal */
export function exportTrustedHosts(
  pins: PinStore,
  journal: TrustJournal,
  who: string,
  clock: Clock = systemClock,
): string {
  const hosts = pins
    .list()
    .filter((pin) => pin.state === 'current')
    .map(({ identity, certificate }) => ({ identity, sha256: certificate.sha256, certificatePem: certificate.pem }));
  for (const { identity, sha256 } of hosts) {
    journal.append({ who, action: 'exported', identity, address: '', sha256, note: notableText('trust.exported') });
  }
  const exportedAt = new Date(clock.now()).toISOString();
  return `${JSON.stringify({ format: 'farkeep/trusted-hosts', formatVersion: 1, exportedAt, hosts } satisfies z.infer<typeof trustedHostsFileSchema>, null, 2)}\n`;
}

/**
 * Pins the hosts of an exported file. Checks everything before the first change.
 * @throws FarkeepError 'call.invalid' for another file, 'certificate.malformed' | 'certificate.weak' for a host in the file
 */
export function importTrustedHosts(
  text: string,
  pins: PinStore,
  journal: TrustJournal,
  who: string,
): TrustedHostsImport {
  const hosts = parse(text).map(({ identity, sha256, certificatePem }) => {
    const { der, x509 } = readCertificate(certificatePem);
    if (thumbprintOf(der) !== sha256) throw notAFile(`the thumbprint of "${identity}" does not match its certificate`);
    if (!isStrongKey(x509.publicKey))
      throw new FarkeepError('certificate.weak', `The certificate of "${identity}" has a weak key`);
    return { identity, sha256, der };
  });
  const result: TrustedHostsImport = { added: [], known: [], conflicts: [] };
  for (const { identity, sha256, der } of hosts) {
    const existing = pins.list(identity);
    const current = existing.find((pin) => pin.state === 'current');
    if (current?.certificate.sha256 === sha256) {
      result.known.push(identity);
    } else if (
      current !== undefined ||
      existing.some((pin) => pin.state === 'revoked' && pin.certificate.sha256 === sha256)
    ) {
      result.conflicts.push(identity);
    } else {
      pins.accept(identity, der);
      journal.append({ who, action: 'imported', identity, address: '', sha256, note: notableText('trust.imported') });
      result.added.push(identity);
    }
  }
  return result;
}

function parse(text: string): z.infer<typeof trustedHostsFileSchema>['hosts'] {
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw notAFile('it is no JSON', error);
  }
  const parsed = trustedHostsFileSchema.safeParse(content);
  if (!parsed.success) throw notAFile('it does not have the expected form');
  return parsed.data.hosts;
}

function notAFile(reason: string, cause?: unknown): FarkeepError {
  return new FarkeepError('call.invalid', `This is not a file of trusted hosts: ${reason}`, {
    hint: 'Export it again on the other machine.',
    field: 'file',
    cause,
  });
}
