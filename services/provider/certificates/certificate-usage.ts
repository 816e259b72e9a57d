// Owns the list of the users of a certificate, for the wizard before Finish and for the list after it. Must not change anything.
import type { CertificateSlot, CertificateUser } from '../../contracts/models/certificate.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { isSelfSigned, readCertificate, type ReadCertificate } from '../../pki/certificate/certificate-summary.ts';
import { thumbprintOf } from '../../pki/certificate/thumbprint.ts';
import type { CertificateUsers } from './certificate-users.ts';
import type { Gateways } from '../gateways/gateways.ts';
import { coversGateway, type ProviderIdentity } from './provider-identity.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { OpenInvitation } from '../state/account-store.ts';
import type { GatewayRow } from '../state/gateway-store.ts';

export interface CertificateUsageOptions {
  readonly store: Pick<CertificateStore, 'installed'>;
  readonly identity: Pick<ProviderIdentity, 'sha256' | 'covers'>;
  readonly users: CertificateUsers;
  readonly gateways: Gateways;
  readonly accounts: TenantAccounts;
  /** Thumbprint of the announced certificate. */
  readonly nextSha256: string | undefined;
}

/** @param candidatePem a certificate that may be put in service; the notes then describe the consequences */
export async function certificateUsage(
  slot: CertificateSlot,
  candidatePem: string | undefined,
  { store, identity, users, gateways, accounts, nextSha256 }: CertificateUsageOptions,
): Promise<CertificateUser[]> {
  if (slot === 'server') {
    const stored = await store.installed(slot);
    return users.list(slot, { sha256: stored?.summary.sha256 ?? '', nextSha256: undefined });
  }
  const candidate = candidatePem === undefined ? undefined : readCertificate(candidatePem);
  const isReplaced = candidate !== undefined && thumbprintOf(candidate.der) !== identity.sha256;
  const seen = (await users.list(slot, { sha256: identity.sha256, nextSha256 })).map((user) =>
    isReplaced && user.kind === 'tenant' ? { ...user, note: tenantNote(user, candidate) } : user,
  );
  const relays = gateways.rows().map((row): CertificateUser => {
    const isConnected = gateways.isConnected(row.id);
    const isExcluded = !row.addresses.some(({ host }) => identity.covers(host));
    return {
      kind: 'gateway',
      name: row.name,
      state: isExcluded ? 'failed' : isConnected ? 'updated' : 'pending',
      lastSeenAt: row.lastSeenAt,
      // A gateway passes on the provider's current certificate.
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
  return [
    ...seen,
    ...(await unheardOf(accounts, seen)),
    ...invitations(await accounts.openInvitations(), {
      sha256: identity.sha256,
      isReplaced,
      isAnnounced: nextSha256 !== undefined,
    }),
    ...relays,
  ];
}

/** The consequence of the wizard's certificate for a tenant that has seen the current or an earlier certificate. */
function tenantNote({ state, note }: CertificateUser, candidate: ReadCertificate): string | null {
  if (state !== 'updated' && state !== 're-accepted') return note;
  return isSelfSigned(candidate)
    ? 'Will be asked to compare the new certificate'
    : 'Will be asked to compare the new certificate, unless its chain is trusted there';
}

/**
 * Returns the tenants that logged in before certificates were recorded. Such a tenant may have a pin, so it counts as a user. A tenant that
 * never logged in has no pin.
 */
async function unheardOf(accounts: TenantAccounts, seen: readonly CertificateUser[]): Promise<CertificateUser[]> {
  const tenantsSeen = new Set(seen.filter(({ kind }) => kind === 'tenant').map(({ name }) => name));
  return (await accounts.list())
    .filter(({ name, lastLoginAt }) => lastLoginAt !== null && !tenantsSeen.has(name))
    .map(({ name, lastLoginAt }) => ({
      kind: 'tenant',
      name,
      state: 'pending',
      lastSeenAt: lastLoginAt,
      seenSha256: null,
      note: 'It is unknown which certificate the tenant saw last. The tenant may have to verify this one at the next connection',
    }));
}

/**
 * Returns one row for each account and thumbprint of open invitations. An invitation fails when the provider shows a certificate with a
 * different thumbprint.
 */
function invitations(
  open: readonly OpenInvitation[],
  { sha256, isReplaced, isAnnounced }: { sha256: string; isReplaced: boolean; isAnnounced: boolean },
): CertificateUser[] {
  const grouped = Map.groupBy(open, ({ tenant, fingerprint }) => `${tenant} ${fingerprint}`);
  return [...grouped.values()].flatMap(([newest]): CertificateUser[] => {
    if (newest === undefined) return [];
    const { tenant, fingerprint, expiresAt } = newest;
    const until = `Open until ${expiresAt.slice(0, 10)}`;
    const row = { kind: 'invitation' as const, name: tenant, lastSeenAt: null, seenSha256: fingerprint };
    if (fingerprint !== sha256) {
      return [{ ...row, state: 'failed', note: `${until}, but contains the old thumbprint. Send a new invitation` }];
    }
    return isReplaced || isAnnounced
      ? [
          {
            ...row,
            state: 'pending',
            note: `${until}; contains the current thumbprint. Send a new invitation after the change`,
          },
        ]
      : [{ ...row, state: 'updated', note: `${until}; contains the current thumbprint` }];
  });
}

function namesOf({ addresses }: GatewayRow): string {
  return addresses.map(({ host }) => `"${host}"`).join(', ');
}
