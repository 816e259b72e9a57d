// Owns who relies on a certificate: which one each tenant and console met last, what tenants reported about the announced one, the state made of it.
// Must not guess: whoever has not been heard of is pending.
import type { CertificateSlot, CertificateUser } from '../../contracts/models/certificate.ts';
import type { Clock } from '../../kernel/clock.ts';
import type {
  CertificateUserStore,
  StoredCertificateUser,
  TenantReport,
  UserKind,
} from '../state/certificate-user-store.ts';

/** What the states are measured by. */
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

  /** A tenant or a console has met this certificate and continued. @returns whether the certificate differs from the last one */
  async noteSeen(slot: CertificateSlot, kind: UserKind, name: string, sha256: string): Promise<boolean> {
    const at = new Date(this.#clock.now()).toISOString();
    return (await this.#store.noteSeen({ slot, kind, name, sha256, at })) !== sha256;
  }

  /** What a tenant reported about the provider identity. @returns whether the report differs from the last one */
  noteReport(name: string, report: TenantReport): Promise<boolean> {
    return this.#store.noteReport(name, report);
  }

  /** Another announcement is made. The reports are about an earlier one, perhaps of the same certificate for another date. */
  forgetAnnounced(): Promise<void> {
    return this.#store.forgetReports();
  }

  forget(kind: UserKind, name: string): Promise<void> {
    return this.#store.remove(kind, name);
  }

  /** Tenants and consoles that were ever seen, by name. */
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
    if (isConsole) return { state: 'pending', note: 'Is shown the new certificate when it asks the next time' };
    if (user.nextSha256 === sha256) {
      return { state: 'informed', note: 'Knew of it before the change; takes it without a prompt' };
    }
    return user.refusedSha256 === sha256
      ? { state: 'failed', note: `Did not believe the announcement: ${user.refusedReason ?? ''}` }
      : {
          state: 'pending',
          note: 'Will be asked to compare the certificates when it connects, unless its chain is trusted',
        };
  }
  if (isConsole) return { state: 'updated', note: 'On this machine, over a local connection' };
  if (nextSha256 !== undefined) {
    if (user.nextSha256 === nextSha256) return { state: 'informed', note: 'Has stored the announced certificate' };
    return user.refusedSha256 === nextSha256
      ? { state: 'failed', note: `Did not believe the announcement: ${user.refusedReason ?? ''}` }
      : { state: 'pending', note: 'Does not know of the announced certificate yet; learns it when it connects' };
  }
  if (user.previousSha256 === null) return { state: 'updated', note: null };
  switch (user.acceptedBy) {
    case 'person':
      return { state: 're-accepted', note: 'Somebody there compared the certificate and accepted it' };
    case 'rollover':
      return { state: 'updated', note: 'Took the announced certificate without a prompt' };
    case 'chain':
      return { state: 'updated', note: 'Trusts it by its chain' };
    case 'thumbprint':
      return { state: 're-accepted', note: 'Somebody there gave the thumbprint of the certificate' };
    default:
      return { state: 'updated', note: null };
  }
}
