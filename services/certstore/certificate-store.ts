// Owns stored certificates with their private keys, and which one is installed in each slot. One folder for each certificate. Must never
// return a private key except for serving and signing, and must never write one unencrypted.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import {
  type CertificateSlot,
  certificateSlots,
  type KeyProtection,
  type StoredCertificate,
} from '../contracts/models/certificate.ts';
import { idSchema } from '../contracts/models/values.ts';
import { SerialQueue } from '../kernel/serial-queue.ts';
import { syncFolder, writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { Secret } from '../kernel/secret.ts';
import { isMissing } from '../kernel/system-error.ts';
import type { SubjectName } from '../pki/create/certificate-builder.ts';
import { type ReadCertificate, readCertificate, summarize, toPem } from '../pki/certificate/certificate-summary.ts';
import { generateSelfSigned, type RsaKeySize } from '../pki/create/generate.ts';
import { splitPemCertificates } from '../pki/certificate/pem.ts';
import { untrustedChain } from '../pki/import/import.ts';
import { tryServing } from '../pki/trust/trial-handshake.ts';
import type { AccessControl } from './access-control.ts';
import { CertificateFolder } from './certificate-folder.ts';
import { PosixAccess } from './posix-access.ts';
import { type ProtectionKind, StoreProtection } from './store-protection.ts';
import { parseJsonFile, unreadable } from './stored-file.ts';

const slotsFileName = 'slots.json';
const slotsSchema = z.object({
  formatVersion: z.literal(1),
  slots: z.partialRecord(z.enum(certificateSlots), idSchema),
});

export interface CertificateStoreOptions {
  readonly logger: Logger;
  /** A key from the keychain of the operating system. Without it, the store uses a key file. */
  readonly keychainKey?: KeychainKey | undefined;
  /** Who may read the files. Default on Linux and macOS: only the owner (0600, folders 0700). On Windows pass a `WindowsAccess`. */
  readonly access?: AccessControl | undefined;
  readonly clock?: Clock;
}

export interface NewCertificate {
  readonly certificatePem: string;
  /** Intermediates, the issuer of the leaf first; may be empty. */
  readonly chainPem: string;
  /** PKCS#8 DER. The store does not dispose it. */
  readonly privateKey: Secret;
  readonly friendlyName: string;
  readonly origin: StoredCertificate['origin'];
}

export interface ServingCertificate {
  readonly id: string;
  /** The leaf, then the intermediates. */
  readonly certPem: string;
  /** PKCS#8 PEM, not encrypted. Dispose it as soon as the TLS context exists. */
  readonly keyPem: Secret;
  readonly stored: StoredCertificate;
}

export class CertificateStore implements Disposable {
  readonly folder: string;
  readonly #access: AccessControl;
  readonly #protection: StoreProtection;
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Runs changes one after the other: two wizards may finish at the same time. */
  readonly #writes = new SerialQueue();

  private constructor(
    folder: string,
    {
      access,
      protection,
      logger,
      clock,
    }: { access: AccessControl; protection: StoreProtection; logger: Logger; clock: Clock },
  ) {
    this.folder = folder;
    this.#access = access;
    this.#protection = protection;
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * Opens or creates the store and checks its access rights. Rights that are too wide cause a warning in the log, an unreadable key an
   * error.
   * @throws FarkeepError 'certificate.key-unreadable' when a keychain protects the keys and its key was not passed
   */
  static async open(folder: string, options: CertificateStoreOptions): Promise<CertificateStore> {
    const access = options.access ?? new PosixAccess();
    const isNew = (await mkdir(folder, { recursive: true, mode: access.folderMode })) !== undefined;
    if (isNew) await access.apply(folder, 'folder');
    const { logger, keychainKey } = options;
    const protection = await StoreProtection.open(folder, {
      access,
      logger,
      keychainKey,
      keyFiles: async () => (await certificateIds(folder)).map((id) => path.join(folder, id, 'key.pem')),
    });
    const store = new CertificateStore(folder, { access, protection, logger, clock: options.clock ?? systemClock });
    await store.#removeLeftovers();
    for (const warning of await store.checkAccess()) logger.warn('Access rights are too wide', { warning });
    return store;
  }

  async list(): Promise<StoredCertificate[]> {
    const slots = await this.#readSlots();
    const result: StoredCertificate[] = [];
    for (const id of await certificateIds(this.folder)) {
      try {
        result.push(await this.#read(id, slots));
      } catch (error) {
        // One damaged entry must not hide the other entries.
        this.#logger.error('A stored certificate cannot be read', { id, error });
      }
    }
    return result.sort((a, b) => a.storedAt.localeCompare(b.storedAt));
  }

  /** @throws FarkeepError 'call.not-found' | 'storage.damaged' */
  async get(id: string): Promise<StoredCertificate> {
    return this.#read(id, await this.#readSlots());
  }

  /**
   * Stores a certificate with its key but does not install it. Storing the same certificate again replaces its name and chain.
   * @throws FarkeepError 'certificate.malformed' | 'certificate.key-mismatch'
   */
  async put(certificate: NewCertificate): Promise<StoredCertificate> {
    const leaf = readCertificate(certificate.certificatePem);
    const key = createPrivateKey({ key: certificate.privateKey.bytes, format: 'der', type: 'pkcs8' });
    if (!leaf.x509.checkPrivateKey(key)) throw new FarkeepError('certificate.key-mismatch');
    const chainPem = splitPemCertificates(certificate.chainPem)
      .map((pem) => toPem(readCertificate(pem).der))
      .join('');
    const id = certificateId(leaf);
    return this.#write(async () => {
      await this.#folderOf(id).write(
        {
          certificatePem: toPem(leaf.der),
          chainPem,
          friendlyName: certificate.friendlyName,
          origin: certificate.origin,
          storedAt: new Date(this.#clock.now()).toISOString(),
        },
        key,
      );
      return this.get(id);
    });
  }

  /** Changes the friendly name. @throws FarkeepError 'call.not-found' */
  async rename(id: string, friendlyName: string): Promise<StoredCertificate> {
    return this.#write(async () => {
      await this.#folderOf(id).rename(friendlyName);
      return this.get(id);
    });
  }

  /** @throws FarkeepError 'call.not-found' | 'call.conflict' when the certificate is installed */
  async remove(id: string): Promise<void> {
    await this.#write(async () => {
      const stored = await this.get(id);
      if (stored.installedInSlots.length > 0) {
        throw new FarkeepError('call.conflict', `"${stored.friendlyName}" is in service`, {
          hint: 'Install another certificate first.',
        });
      }
      const grave = path.join(this.folder, `.${id}.removed`);
      await rename(path.join(this.folder, id), grave);
      await syncFolder(this.folder);
      await rm(grave, { recursive: true, force: true });
    });
  }

  /**
   * Installs a stored certificate in a slot and notifies listeners at once, so that new connections use it.
   * @throws FarkeepError 'call.not-found' | 'certificate.key-unreadable'
   */
  async install(slot: CertificateSlot, id: string): Promise<StoredCertificate> {
    const stored = await this.#write(async () => {
      await this.get(id);
      // Reads the key now. Otherwise an unreadable key would be found only at the connection of the first tenant.
      await this.#folderOf(id).readKey();
      const slots = await this.#readSlots();
      await this.#writeFile(
        slotsFileName,
        `${JSON.stringify({ formatVersion: 1, slots: { ...slots, [slot]: id } } satisfies z.infer<typeof slotsSchema>, null, 2)}\n`,
      );
      return this.get(id);
    });
    return stored;
  }

  async installed(slot: CertificateSlot): Promise<StoredCertificate | undefined> {
    const id = (await this.#readSlots())[slot];
    return id === undefined ? undefined : this.get(id);
  }

  /** Makes and installs a self-signed certificate unless the slot has a certificate (first start). */
  async ensureSelfSigned(
    slot: CertificateSlot,
    { subject, keyBits }: { subject: SubjectName; keyBits?: RsaKeySize },
  ): Promise<StoredCertificate> {
    const existing = await this.installed(slot);
    if (existing !== undefined) return existing;
    const generated = await generateSelfSigned({
      subject,
      clock: this.#clock,
      ...(keyBits === undefined ? {} : { keyBits }),
    });
    using privateKey = generated.privateKey;
    const stored = await this.put({
      certificatePem: generated.certificatePem,
      chainPem: '',
      privateKey,
      friendlyName: slot === 'provider' ? 'Provider identity' : 'Server identity',
      origin: 'generated-at-first-start',
    });
    return await this.install(slot, stored.id);
  }

  /** @throws FarkeepError 'certificate.none' | 'certificate.key-unreadable' | 'storage.damaged' */
  async loadForServing(slot: CertificateSlot): Promise<ServingCertificate> {
    const stored = await this.installed(slot);
    if (stored === undefined)
      throw new FarkeepError('certificate.none', `No certificate is installed as ${slot} identity`);
    const key = await this.#folderOf(stored.id).readKey();
    const { chainPem } = await this.#folderOf(stored.id).read();
    return {
      id: stored.id,
      certPem: stored.summary.pem + chainPem,
      keyPem: Secret.take(Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }))),
      stored,
    };
  }

  /** The private key of an installed certificate, for signatures (session evidence, rollover announcements). */
  async loadSigningKey(slot: CertificateSlot): Promise<KeyObject> {
    const stored = await this.installed(slot);
    if (stored === undefined)
      throw new FarkeepError('certificate.none', `No certificate is installed as ${slot} identity`);
    return this.#folderOf(stored.id).readKey();
  }

  /** Checks that a stored certificate can be installed. @throws FarkeepError 'certificate.no-private-key' | 'certificate.key-unreadable' */
  async checkKey(id: string): Promise<void> {
    await this.#folderOf(id).readKey();
  }

  /**
   * The warning of an import, for a stored certificate; null when there is none. A self-signed certificate has no chain.
   * @throws FarkeepError 'certificate.malformed' | 'certificate.key-unreadable'
   */
  async chainWarning(id: string): Promise<string | null> {
    const folder = this.#folderOf(id);
    const { certificatePem, chainPem } = await folder.read();
    if (summarize(certificatePem).isSelfSigned) return null;
    using privateKey = Secret.take((await folder.readKey()).export({ type: 'pkcs8', format: 'der' }));
    const { isChainTrusted } = await tryServing({ certificatePem, chainPem, privateKey });
    return isChainTrusted ? null : untrustedChain;
  }

  /** How the private key of a stored certificate is protected; without an id, how a new key would be protected. */
  async describeProtection(id?: string): Promise<KeyProtection> {
    if (id !== undefined) return this.#folderOf(id).describeProtection();
    const { kind, description } = this.#protection.cipher;
    return { kind, description, readers: await this.#access.readers(this.folder), warnings: [] };
  }

  /** Name of the keychain whose key was passed, in use or not; undefined when no key was passed. */
  get keychain(): string | undefined {
    return this.#protection.keychain;
  }

  /**
   * Encrypts all private keys with another key; installed certificates stay in service. @throws FarkeepError 'call.refused' without a
   * keychain
   */
  async changeProtection(kind: ProtectionKind): Promise<KeyProtection> {
    await this.#write(() => this.#protection.change(kind));
    return this.describeProtection();
  }

  /** Returns sentences about all files that too many accounts may read. */
  async checkAccess(): Promise<string[]> {
    const own = [await this.#access.findTooWide(this.folder, 'folder')];
    const { keyFile } = this.#protection;
    if (keyFile !== undefined) own.push(await this.#access.findTooWide(keyFile, 'file'));
    const stored = await Promise.all((await this.list()).map(({ id }) => this.#folderOf(id).checkAccess()));
    return [...own.filter((warning) => warning !== undefined), ...stored.flat()];
  }

  [Symbol.dispose](): void {
    this.#protection[Symbol.dispose]();
  }

  /** Checks the form of the id, so that an attacker cannot use it as a path. @throws FarkeepError 'call.not-found' */
  #folderOf(id: string): CertificateFolder {
    if (!idSchema.safeParse(id).success) throw new FarkeepError('call.not-found', 'There is no such certificate');
    return new CertificateFolder(path.join(this.folder, id), this.#access, this.#protection.cipher);
  }

  async #read(id: string, slots: Partial<Record<CertificateSlot, string>>): Promise<StoredCertificate> {
    const folder = this.#folderOf(id);
    const { certificatePem, chainPem, friendlyName, origin, storedAt } = await folder.read();
    return {
      id,
      friendlyName,
      origin,
      storedAt,
      summary: summarize(certificatePem),
      chainLength: splitPemCertificates(chainPem).length,
      installedInSlots: certificateSlots.filter((slot) => slots[slot] === id),
      keyProtection: await folder.describeProtection(),
    };
  }

  async #readSlots(): Promise<Partial<Record<CertificateSlot, string>>> {
    const file = path.join(this.folder, slotsFileName);
    try {
      return parseJsonFile(slotsSchema, await readFile(file, 'utf8'), file).slots;
    } catch (error) {
      if (isMissing(error)) return {};
      throw await unreadable(error, file, this.#access);
    }
  }

  async #writeFile(name: string, content: string): Promise<void> {
    const file = path.join(this.folder, name);
    await writeFileAtomically(file, content, { mode: this.#access.fileMode });
    await this.#access.apply(file, 'file');
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (/^\.[0-9a-f]{32}\.(new|removed)$/.test(name)) {
        await rm(path.join(this.folder, name), { recursive: true, force: true });
      }
    }
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    return this.#writes.run(work);
  }
}

async function certificateIds(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && idSchema.safeParse(entry.name).success)
    .map((entry) => entry.name);
}

/** The id of a certificate: the first 16 bytes of its SHA-256. So the same certificate is stored once. */
function certificateId({ x509 }: ReadCertificate): string {
  return x509.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 32);
}
