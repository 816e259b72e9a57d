// Owns the rows about the users of the provider's certificates: the last certificate that each tenant and console has seen, and a tenant's
// report.
// Must not draw conclusions.
import type { CertificateSlot } from '../../contracts/models/certificate.ts';
import type { Database, Row } from '../../kernel/state/database.ts';

/** Why a tenant accepted the certificate that it was shown. */
export type AcceptedBy = 'chain' | 'rollover' | 'person' | 'thumbprint';

export interface TenantReport {
  readonly acceptedBy: AcceptedBy;
  /** Thumbprint of the announced certificate that the tenant has stored. */
  readonly nextSha256: string | null;
  readonly refused: { readonly nextSha256: string; readonly reason: string } | null;
}

export type UserKind = 'tenant' | 'console';

export interface StoredCertificateUser {
  readonly kind: UserKind;
  readonly name: string;
  /** Thumbprint of the last certificate that the user has seen. */
  readonly sha256: string;
  /** Thumbprint of the certificate that the user has seen before; null for the first one. */
  readonly previousSha256: string | null;
  readonly lastSeenAt: string;
  readonly acceptedBy: AcceptedBy | null;
  readonly nextSha256: string | null;
  readonly refusedSha256: string | null;
  readonly refusedReason: string | null;
}

export interface SeenCertificate {
  readonly slot: CertificateSlot;
  readonly kind: UserKind;
  readonly name: string;
  readonly sha256: string;
  readonly at: string;
}

export interface CertificateUserStore {
  /** @returns the thumbprint that was stored before */
  noteSeen(seen: SeenCertificate): Promise<string | undefined>;
  /** @returns whether the report differs from the stored one */
  noteReport(name: string, report: TenantReport): Promise<boolean>;
  forgetReports(): Promise<void>;
  remove(kind: UserKind, name: string): Promise<void>;
  /** Tenants first, by name. */
  list(slot: CertificateSlot): Promise<StoredCertificateUser[]>;
}

export class SqliteCertificateUserStore implements CertificateUserStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async noteSeen({ slot, kind, name, sha256, at }: SeenCertificate): Promise<string | undefined> {
    const before = this.#database.get(
      'SELECT sha256 FROM identity_users WHERE slot = ? AND kind = ? AND name = ?',
      slot,
      kind,
      name,
    )?.['sha256'];
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
      at,
    );
    return before === undefined ? undefined : String(before);
  }

  async noteReport(name: string, { acceptedBy, nextSha256, refused }: TenantReport): Promise<boolean> {
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

  async forgetReports(): Promise<void> {
    this.#database.run('UPDATE identity_users SET next_sha256 = NULL, refused_sha256 = NULL, refused_reason = NULL');
  }

  async remove(kind: UserKind, name: string): Promise<void> {
    this.#database.run('DELETE FROM identity_users WHERE kind = ? AND name = ?', kind, name);
  }

  async list(slot: CertificateSlot): Promise<StoredCertificateUser[]> {
    return this.#database.all('SELECT * FROM identity_users WHERE slot = ? ORDER BY kind DESC, name', slot).map(read);
  }
}

function read(row: Row): StoredCertificateUser {
  return {
    kind: row['kind'] === 'console' ? 'console' : 'tenant',
    name: String(row['name']),
    sha256: String(row['sha256']),
    previousSha256: textOf(row['previous_sha256']),
    lastSeenAt: String(row['last_seen_at']),
    acceptedBy: textOf(row['accepted_by']) as AcceptedBy | null,
    nextSha256: textOf(row['next_sha256']),
    refusedSha256: textOf(row['refused_sha256']),
    refusedReason: textOf(row['refused_reason']),
  };
}

function textOf(value: Row[string] | undefined): string | null {
  return value == null ? null : String(value);
}
