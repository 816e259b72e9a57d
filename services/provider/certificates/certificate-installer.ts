// Owns putting a stored certificate in service, for an admin or for a planned change at its date. A failure leaves the previous certificate
// in service.
import { SerialQueue } from '../../kernel/serial-queue.ts';
import type { EventPublisher } from '../../contracts/contract.ts';
import type { CertificateSlot, StoredCertificate } from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import type { AuditLog } from '../state/audit-log.ts';

export interface CertificateInstallerOptions {
  readonly store: CertificateStore;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
  /** Passes the installed certificate to the listener. */
  readonly putInService: (slot: CertificateSlot) => Promise<void>;
}

type Listener = (slot: CertificateSlot, certificate: StoredCertificate) => Promise<void>;

export class CertificateInstaller {
  readonly #options: CertificateInstallerOptions;
  readonly #listeners = new Set<Listener>();
  /** One installation at a time: an admin may press Finish at the date of a planned change. */
  readonly #queue = new SerialQueue();

  constructor(options: CertificateInstallerOptions) {
    this.#options = options;
  }

  /** Called after each change. */
  onInstalled(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /**
   * New connections get the certificate at once; open connections are not affected.
   * @param who for the audit log
   * @throws call.not-found, certificate.key-unreadable, certificate.malformed; the previous certificate is then still in service
   */
  install(slot: CertificateSlot, certificateId: string, who: string): Promise<StoredCertificate> {
    return this.#queue.run(() => this.#install(slot, certificateId, who));
  }

  async #install(slot: CertificateSlot, certificateId: string, who: string): Promise<StoredCertificate> {
    const { store, audit, publish, putInService } = this.#options;
    const before = await store.installed(slot);
    const stored = await store.install(slot, certificateId);
    try {
      await putInService(slot);
    } catch (error) {
      // An unusable certificate must not stay installed: the next start of the service would fail.
      if (before !== undefined) await store.install(slot, before.id);
      throw error;
    }
    await audit.add(who, slot, notable('certificate.install', { sha256: stored.summary.sha256 }));
    for (const listener of this.#listeners) await listener(slot, stored);
    publish(certificateDomain, 'installed', { slot, certificate: stored });
    publish(certificateDomain, 'usageChanged', { slot });
    return stored;
  }
}
