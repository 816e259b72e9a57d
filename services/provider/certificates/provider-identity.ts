// Owns the provider identity in service: the certificate that tenants see now, and replacing it while the service runs.
// Private keys stay in the certificate store; a copy exists only while the TLS context is created.
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

  /** Requires an installed certificate. @throws certificate.none, certificate.key-unreadable */
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

  /** False if the certificate does not have the name, also when tenants that pinned it can still use the gateway. */
  names(host: string): boolean {
    return gatewayNameMatch(this.#current.certificate, host, false) !== 'not-covered';
  }

  /** Loads the installed certificate. @param putInService must fail without effect when the certificate is unusable */
  async reload(putInService: (serving: ServerIdentity) => void): Promise<StoredCertificate> {
    const { stored, serving } = await loadServing(this.#store);
    putInService(serving);
    this.#current = { stored, certificate: readCertificate(stored.summary.pem) };
    return stored;
  }
}

/**
 * Whether tenants use a gateway of this name. For a certificate of an authority, the rules for names apply. A self-signed certificate can
 * only be pinned, so the rules for pins apply (docs/protocol.md, section 3).
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
