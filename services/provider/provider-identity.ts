// Owns the provider identity in service: what tenants see now, putting another one in service live, who has seen which.
// Private keys stay in the certificate store; a copy lives only as long as the TLS context is made.
import type { StoredCertificate } from '../contracts/models/certificate.ts';
import type { CertificateStore } from '../certstore/certificate-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Database } from '../kernel/database.ts';
import { readCertificate, type ReadCertificate } from '../pki/certificate-summary.ts';
import { matchName } from '../pki/names.ts';
import type { ServerIdentity } from '../transport/server-identity.ts';

export class ProviderIdentity {
  readonly #store: CertificateStore;
  readonly #database: Database;
  readonly #clock: Clock;
  #current: { readonly stored: StoredCertificate; readonly certificate: ReadCertificate };

  private constructor(store: CertificateStore, database: Database, clock: Clock, stored: StoredCertificate) {
    this.#store = store;
    this.#database = database;
    this.#clock = clock;
    this.#current = { stored, certificate: readCertificate(stored.summary.pem) };
  }

  /** The slot has a certificate already. @throws certificate.none, certificate.key-unreadable */
  static async open(
    store: CertificateStore,
    database: Database,
    clock: Clock,
  ): Promise<{ identity: ProviderIdentity; serving: ServerIdentity }> {
    const { stored, serving } = await loadServing(store);
    return { identity: new ProviderIdentity(store, database, clock, stored), serving };
  }

  get stored(): StoredCertificate {
    return this.#current.stored;
  }

  get sha256(): string {
    return this.#current.stored.summary.sha256;
  }

  /** Whether a tenant that trusts by chain would use a gateway of this name. A self-signed one without names limits nothing once pinned. */
  covers(host: string): boolean {
    const { structure } = this.#current.certificate;
    const hasNames = structure.dnsNames.length > 0 || structure.ipAddresses.length > 0;
    if (this.#current.stored.summary.isSelfSigned && !hasNames) return true;
    return matchName(structure, host) !== 'not-covered';
  }

  /** What is installed now, for the listener. @param putInService fails without effect when it cannot be used */
  async reload(putInService: (serving: ServerIdentity) => void): Promise<StoredCertificate> {
    const { stored, serving } = await loadServing(this.#store);
    putInService(serving);
    this.#current = { stored, certificate: readCertificate(stored.summary.pem) };
    return stored;
  }

  /** A tenant has accepted the certificate in service by logging in over it. @returns whether that is news */
  noteSeen(kind: 'tenant', name: string): boolean {
    const before = this.#database.get(
      "SELECT sha256 FROM identity_users WHERE slot = 'provider' AND kind = ? AND name = ?",
      kind,
      name,
    );
    this.#database.run(
      `INSERT INTO identity_users (slot, kind, name, sha256, last_seen_at) VALUES ('provider', ?, ?, ?, ?)
       ON CONFLICT (slot, kind, name) DO UPDATE SET sha256 = excluded.sha256, last_seen_at = excluded.last_seen_at`,
      kind,
      name,
      this.sha256,
      new Date(this.#clock.now()).toISOString(),
    );
    return before?.['sha256'] !== this.sha256;
  }

  forgetUser(kind: 'tenant', name: string): void {
    this.#database.run("DELETE FROM identity_users WHERE slot = 'provider' AND kind = ? AND name = ?", kind, name);
  }

  /** Tenants that have ever logged in, with the certificate that they accepted last. */
  users(): { name: string; sha256: string; lastSeenAt: string }[] {
    return this.#database
      .all("SELECT * FROM identity_users WHERE slot = 'provider' AND kind = 'tenant' ORDER BY name")
      .map((row) => ({
        name: String(row['name']),
        sha256: String(row['sha256']),
        lastSeenAt: String(row['last_seen_at']),
      }));
  }
}

async function loadServing(store: CertificateStore): Promise<{ stored: StoredCertificate; serving: ServerIdentity }> {
  const { certPem, keyPem, stored } = await store.loadForServing('provider');
  try {
    const [leaf = certPem, ...chain] =
      certPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*/g) ?? [];
    return {
      stored,
      serving: { certificatePem: leaf, chainPem: chain.join(''), privateKeyPem: keyPem.bytes.toString('utf8') },
    };
  } finally {
    keyPem.dispose();
  }
}
