// Owns the users of a certificate: the last certificate that each tenant and console has seen, tenants' reports about the announced one,
// and the resulting state.
// Must not guess: a user without a report is pending.
import type { CertificateSlot, CertificateUser } from '../../contracts/models/certificate.ts';
import type { Clock } from '../../kernel/clock.ts';
import type {
  CertificateUserStore,
  StoredCertificateUser,
  TenantReport,
  UserKind,
} from '../state/certificate-user-store.ts';

/** The current and the announced certificate, to which the records are compared. */
export interface InService {
  readonly sha256: string;
  /** Thumbprint of the announced certificate. */
  readonly nextSha256: string | undefined;
}

export class CertificateUsers {
  readonly #store: CertificateUserStore;
  readonly #clock: Clock;

  constructor(store: CertificateUserStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Records that a tenant or console has seen this certificate and continued. @returns whether the certificate differs from the last
   * recorded certificate
   */
  async noteSeen(slot: CertificateSlot, kind: UserKind, name: string, sha256: string): Promise<boolean> {
    const at = new Date(this.#clock.now()).toISOString();
    return (await this.#store.noteSeen({ slot, kind, name, sha256, at })) !== sha256;
  }

  /** Records a tenant's report about the provider identity. @returns whether the report differs from the last recorded report */
  noteReport(name: string, report: TenantReport): Promise<boolean> {
    return this.#store.noteReport(name, report);
  }

  /**
   * Called for a new announcement. The stored reports are about an earlier announcement, perhaps of the same certificate with a different
   * date.
   */
  forgetAnnounced(): Promise<void> {
    return this.#store.forgetReports();
  }

  forget(kind: UserKind, name: string): Promise<void> {
    return this.#store.remove(kind, name);
  }

  /** All recorded tenants and consoles, by name. */
  async list(slot: CertificateSlot, inService: InService): Promise<CertificateUser[]> {
    return (await this.#store.list(slot)).map((user) => ({
      kind: user.kind,
      name: user.name,
      ...judge(user, inService),
      lastSeenAt: user.lastSeenAt,
      seenSha256: user.sha256,
    }));
  }
}

function judge(
  user: StoredCertificateUser,
  { sha256, nextSha256 }: InService,
): Pick<CertificateUser, 'state' | 'note'> {
  const isConsole = user.kind === 'console';
  if (user.sha256 !== sha256) {
    if (isConsole) return { state: 'pending', note: 'Will see the new certificate at its next request' };
    if (user.nextSha256 === sha256) {
      return {
        state: 'informed',
        note: 'Knew of the certificate before the change; will accept the certificate without a prompt',
      };
    }
    return user.refusedSha256 === sha256
      ? { state: 'failed', note: `Refused the announcement: ${user.refusedReason ?? ''}` }
      : {
          state: 'pending',
          note: 'Will be asked to compare the certificates when it connects, unless its chain is trusted',
        };
  }
  if (isConsole) return { state: 'updated', note: 'On this machine, over a local connection' };
  if (nextSha256 !== undefined) {
    if (user.nextSha256 === nextSha256) return { state: 'informed', note: 'Has stored the announced certificate' };
    return user.refusedSha256 === nextSha256
      ? { state: 'failed', note: `Refused the announcement: ${user.refusedReason ?? ''}` }
      : { state: 'pending', note: 'Does not know of the announced certificate yet; learns it when it connects' };
  }
  if (user.previousSha256 === null) return { state: 'updated', note: null };
  switch (user.acceptedBy) {
    case 'person':
      return { state: 're-accepted', note: 'A person at the tenant compared and accepted the certificate' };
    case 'rollover':
      return { state: 'updated', note: 'Accepted the announced certificate without a prompt' };
    case 'chain':
      return { state: 'updated', note: 'Trusts the certificate by its chain' };
    case 'thumbprint':
      return { state: 're-accepted', note: 'A person at the tenant entered the thumbprint of the certificate' };
    default:
      return { state: 'updated', note: null };
  }
}
