// Owns the provider identity in service: what tenants see now, and putting another one in service live.
// Private keys stay in the certificate store; a copy lives only as long as the TLS context is made.
import type { StoredCertificate } from '../../contracts/models/certificate.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { isSelfSigned, readCertificate, type ReadCertificate } from '../../pki/certificate/certificate-summary.ts';
import { gatewayNameMatch } from '../../pki/trust/trust.ts';
import type { ServerIdentity } from '../../transport/server-identity.ts';

export class ProviderIdentity {
  readonly #store: CertificateStore;
  #current: { readonly stored: StoredCertificate; readonly certificate: ReadCertificate };

  private constructor(store: CertificateStore, stored: StoredCertificate) {
    this.#store = store;
    this.#current = { stored, certificate: readCertificate(stored.summary.pem) };
  }

  /** The slot has a certificate already. @throws certificate.none, certificate.key-unreadable */
  static async open(store: CertificateStore): Promise<{ identity: ProviderIdentity; serving: ServerIdentity }> {
    const { stored, serving } = await loadServing(store);
    return { identity: new ProviderIdentity(store, stored), serving };
  }

  get stored(): StoredCertificate {
    return this.#current.stored;
  }

  get sha256(): string {
    return this.#current.stored.summary.sha256;
  }

  covers(host: string): boolean {
    return coversGateway(this.#current.certificate, host);
  }

  /** What is installed now, for the listener. @param putInService fails without effect when it cannot be used */
  async reload(putInService: (serving: ServerIdentity) => void): Promise<StoredCertificate> {
    const { stored, serving } = await loadServing(this.#store);
    putInService(serving);
    this.#current = { stored, certificate: readCertificate(stored.summary.pem) };
    return stored;
  }
}

/**
 * Whether tenants use a gateway of this name: a certificate of an authority by the rules for names, a self-signed one, which can only be
 * pinned, by the rules for pins (docs/protocol.md, section 3).
 */
export function coversGateway(certificate: ReadCertificate, host: string): boolean {
  return gatewayNameMatch(certificate, host, isSelfSigned(certificate)) !== 'not-covered';
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
