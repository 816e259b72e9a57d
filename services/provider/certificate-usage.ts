// Owns the list of who relies on a certificate, for the wizard before Finish and the board after it. Changes nothing.
import type { CertificateSlot, CertificateUser } from '../contracts/models/certificate.ts';
import type { CertificateStore } from '../certstore/certificate-store.ts';
import { readCertificate } from '../pki/certificate-summary.ts';
import type { CertificateUsers } from './certificate-users.ts';
import type { GatewayRow, Gateways } from './gateways.ts';
import { coversGateway, type ProviderIdentity } from './provider-identity.ts';

export interface CertificateUsageOptions {
  readonly store: CertificateStore;
  readonly identity: ProviderIdentity;
  readonly users: CertificateUsers;
  readonly gateways: Gateways;
  /** Thumbprint of the announced certificate. */
  readonly nextSha256: string | undefined;
}

/** @param candidatePem certificate that may be put in service; the notes then say what would change */
export async function certificateUsage(
  slot: CertificateSlot,
  candidatePem: string | undefined,
  { store, identity, users, gateways, nextSha256 }: CertificateUsageOptions,
): Promise<CertificateUser[]> {
  if (slot === 'server') {
    const stored = await store.installed(slot);
    return users.list(slot, { sha256: stored?.summary.sha256 ?? '', nextSha256: undefined });
  }
  const candidate = candidatePem === undefined ? undefined : readCertificate(candidatePem);
  const seen = users.list(slot, { sha256: identity.sha256, nextSha256 });
  const relays = gateways.rows().map((row): CertificateUser => {
    const isConnected = gateways.isConnected(row.id);
    const isExcluded = !row.addresses.some(({ host }) => identity.covers(host));
    return {
      kind: 'gateway',
      name: row.name,
      state: isExcluded ? 'failed' : isConnected ? 'updated' : 'pending',
      lastSeenAt: row.lastSeenAt,
      // It passes on whatever the provider shows.
      seenSha256: isConnected ? identity.sha256 : null,
      note:
        candidate !== undefined && !row.addresses.some(({ host }) => coversGateway(candidate, host))
          ? `The new certificate does not cover ${namesOf(row)}; tenants would not use this gateway`
          : isExcluded
            ? `The certificate does not cover ${namesOf(row)}; tenants do not use this gateway`
            : isConnected
              ? null
              : 'Not connected right now',
    };
  });
  return [...seen, ...relays];
}

function namesOf({ addresses }: GatewayRow): string {
  return addresses.map(({ host }) => `"${host}"`).join(', ');
}
