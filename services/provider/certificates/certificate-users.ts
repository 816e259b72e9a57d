// Owns who relies on a certificate: which one each tenant and console met last, what tenants reported about the announced one, the state made of it.
// Must not guess: whoever has not been heard of is pending.
import type { CertificateSlot, CertificateUser } from '../../contracts/models/certificate.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Row } from '../../kernel/state/database.ts';

/** Why a tenant accepted the certificate that it met. */
export type AcceptedBy = 'chain' | 'rollover' | 'person' | 'thumbprint';

export interface TenantReport {
  readonly acceptedBy: AcceptedBy;
  /** Thumbprint of the announced certificate that the tenant has stored. */
  readonly nextSha256: string | null;
  readonly refused: { readonly nextSha256: string; readonly reason: string } | null;
}

/** What the states are measured by. */
export interface InService {
  readonly sha256: string;
  /** Thumbprint of the announced certificate. */
  readonly nextSha256: string | undefined;
}

type Kind = 'tenant' | 'console';

export class CertificateUsers {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Somebody has met this certificate and went on. @returns whether that is news */
  noteSeen(slot: CertificateSlot, kind: Kind, name: string, sha256: string): boolean {
    const before = this.#find(slot, kind, name)?.['sha256'];
    this.#database.note(
      `INSERT INTO identity_users (slot, kind, name, sha256, last_seen_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (slot, kind, name) DO UPDATE SET
         previous_sha256 = iif(sha256 = excluded.sha256, previous_sha256, sha256),
         accepted_by = iif(sha256 = excluded.sha256, accepted_by, NULL),
         sha256 = excluded.sha256, last_seen_at = excluded.last_seen_at`,
      slot,
      kind,
      name,
      sha256,
      new Date(this.#clock.now()).toISOString(),
    );
    return before !== sha256;
  }

  /** The tenant's own word about the provider identity. @returns whether that is news */
  noteReport(name: string, { acceptedBy, nextSha256, refused }: TenantReport): boolean {
    const noted = this.#database.note(
      `UPDATE identity_users SET accepted_by = ?1, next_sha256 = ?2, refused_sha256 = ?3, refused_reason = ?4
       WHERE slot = 'provider' AND kind = 'tenant' AND name = ?5 AND (accepted_by IS NOT ?1 OR next_sha256 IS NOT ?2
         OR refused_sha256 IS NOT ?3 OR refused_reason IS NOT ?4)`,
      acceptedBy,
      nextSha256,
      refused?.nextSha256 ?? null,
      refused?.reason ?? null,
      name,
    );
    return (noted?.changes ?? 0) > 0;
  }

  /** Another announcement is made: what tenants have stored is about an earlier one, perhaps of the same certificate for another date. */
  forgetAnnounced(): void {
    this.#database.run('UPDATE identity_users SET next_sha256 = NULL, refused_sha256 = NULL, refused_reason = NULL');
  }

  forget(kind: Kind, name: string): void {
    this.#database.run('DELETE FROM identity_users WHERE kind = ? AND name = ?', kind, name);
  }

  /** Tenants and consoles that were ever seen, by name. */
  list(slot: CertificateSlot, inService: InService): CertificateUser[] {
    return this.#database
      .all('SELECT * FROM identity_users WHERE slot = ? ORDER BY kind DESC, name', slot)
      .map((row) => ({
        kind: row['kind'] === 'console' ? 'console' : 'tenant',
        name: String(row['name']),
        ...judge(row, inService),
        lastSeenAt: String(row['last_seen_at']),
        seenSha256: String(row['sha256']),
      }));
  }

  #find(slot: CertificateSlot, kind: Kind, name: string): Row | undefined {
    return this.#database.get(
      'SELECT * FROM identity_users WHERE slot = ? AND kind = ? AND name = ?',
      slot,
      kind,
      name,
    );
  }
}

function judge(row: Row, { sha256, nextSha256 }: InService): Pick<CertificateUser, 'state' | 'note'> {
  const isConsole = row['kind'] === 'console';
  if (row['sha256'] !== sha256) {
    if (isConsole) return { state: 'pending', note: 'Is shown the new certificate when it asks the next time' };
    if (row['next_sha256'] === sha256) {
      return { state: 'informed', note: 'Knew of it before the change; takes it without a prompt' };
    }
    return row['refused_sha256'] === sha256
      ? { state: 'failed', note: `Did not believe the announcement: ${String(row['refused_reason'])}` }
      : {
          state: 'pending',
          note: 'Will be asked to compare the certificates when it connects, unless its chain is trusted',
        };
  }
  if (isConsole) return { state: 'updated', note: 'On this machine, over a local connection' };
  if (nextSha256 !== undefined) {
    if (row['next_sha256'] === nextSha256) return { state: 'informed', note: 'Has stored the announced certificate' };
    return row['refused_sha256'] === nextSha256
      ? { state: 'failed', note: `Did not believe the announcement: ${String(row['refused_reason'])}` }
      : { state: 'pending', note: 'Does not know of the announced certificate yet; learns it when it connects' };
  }
  if (row['previous_sha256'] === null) return { state: 'updated', note: null };
  switch (row['accepted_by']) {
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
