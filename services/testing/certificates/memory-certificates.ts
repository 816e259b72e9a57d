// Owns a certificate store in memory, with the refusals of the real one. For tests of what uses the store only.
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import type { CertificateSlot, KeyProtection, StoredCertificate } from '../../contracts/models/certificate.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { standIn } from '../handler-calls.ts';
import type { Minted } from './minted-certificates.ts';

const storedAt = '2027-03-01T12:00:00.000Z';

interface Row {
  readonly certificatePem: string;
  readonly friendlyName: string;
  readonly origin: StoredCertificate['origin'];
  readonly key: KeyObject;
}

export class MemoryCertificates {
  readonly #rows = new Map<string, Row>();
  readonly #slots = new Map<CertificateSlot, string>();
  /** Warnings about chains, by the identifier of the certificate. */
  readonly warnings = new Map<string, string>();
  protection: KeyProtection = { kind: 'key-file', description: 'A key file', readers: [], warnings: [] };
  readonly store: CertificateStore = standIn<CertificateStore>({
    list: async () => [...this.#rows.keys()].map((id) => this.#get(id)),
    get: async (id) => this.#get(id),
    put: async ({ certificatePem, friendlyName, origin, privateKey }) => {
      const key = createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' });
      return this.#put({ certificatePem, friendlyName, origin, key });
    },
    rename: async (id, friendlyName) => {
      const row = this.#rows.get(id);
      if (row !== undefined) this.#rows.set(id, { ...row, friendlyName });
      return this.#get(id);
    },
    chainWarning: async (id) => this.warnings.get(id) ?? null,
    remove: async (id) => {
      if (this.#get(id).installedInSlots.length > 0) throw new FarkeepError('call.conflict', 'It is in service');
      this.#rows.delete(id);
    },
    install: async (slot, id) => {
      this.#get(id);
      this.#slots.set(slot, id);
      return this.#get(id);
    },
    installed: async (slot) => {
      const id = this.#slots.get(slot);
      return id === undefined ? undefined : this.#get(id);
    },
    loadSigningKey: async (slot) => {
      const row = this.#rows.get(this.#slots.get(slot) ?? '');
      if (row === undefined) throw new FarkeepError('certificate.none');
      return row.key;
    },
    checkKey: async () => undefined,
    describeProtection: async () => this.protection,
  });

  /** @returns the identifier of the stored certificate */
  add({ certPem, key }: Minted, friendlyName = 'A certificate'): string {
    return this.#put({ certificatePem: certPem, friendlyName, origin: 'imported', key }).id;
  }

  install(slot: CertificateSlot, minted: Minted): string {
    const id = this.add(minted);
    this.#slots.set(slot, id);
    return id;
  }

  #put(row: Row): StoredCertificate {
    const { raw } = new X509Certificate(row.certificatePem);
    const id = createHash('sha256').update(raw).digest('hex').slice(0, 32);
    this.#rows.set(id, row);
    return this.#get(id);
  }

  #get(id: string): StoredCertificate {
    const row = this.#rows.get(id);
    if (row === undefined) throw new FarkeepError('call.not-found', 'There is no such certificate');
    const { certificatePem, friendlyName, origin } = row;
    return {
      id,
      friendlyName,
      origin,
      storedAt,
      summary: summarize(certificatePem),
      chainLength: 0,
      installedInSlots: [...this.#slots].filter(([, installed]) => installed === id).map(([slot]) => slot),
      keyProtection: this.protection,
    };
  }
}
