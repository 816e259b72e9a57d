// Owns the files of one stored certificate: certificate.pem, chain.pem, key.pem (encrypted), meta.json. Must not know about slots.
import type { KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { KeyProtection, StoredCertificate } from '../contracts/models/certificate.ts';
import { instantSchema } from '../contracts/models/values.ts';
import { syncFolder, writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { isMissing } from '../kernel/system-error.ts';
import type { AccessControl } from './access-control.ts';
import { parseJsonFile, unreadable } from './stored-file.ts';
import type { KeyCipher } from './store-protection.ts';

const fileNames = ['certificate.pem', 'chain.pem', 'key.pem', 'meta.json'] as const;

const metaSchema = z.object({
  formatVersion: z.literal(1),
  friendlyName: z.string(),
  origin: z.enum(['generated-at-first-start', 'generated', 'imported', 'picked']),
  storedAt: instantSchema,
});
export type CertificateMeta = Pick<StoredCertificate, 'friendlyName' | 'origin' | 'storedAt'>;

export interface FolderContent extends CertificateMeta {
  readonly certificatePem: string;
  readonly chainPem: string;
}

export class CertificateFolder {
  readonly #folder: string;
  readonly #access: AccessControl;
  readonly #encryption: KeyCipher;

  constructor(folder: string, access: AccessControl, encryption: KeyCipher) {
    this.#folder = folder;
    this.#access = access;
    this.#encryption = encryption;
  }

  /** @throws FarkeepError 'call.not-found' | 'storage.damaged' | 'certificate.key-unreadable' */
  async read(): Promise<FolderContent> {
    let texts: [string, string, string];
    try {
      texts = await Promise.all([
        readFile(this.#path('certificate.pem'), 'utf8'),
        readFile(this.#path('chain.pem'), 'utf8'),
        readFile(this.#path('meta.json'), 'utf8'),
      ]);
    } catch (error) {
      if (isMissing(error)) {
        throw new FarkeepError('call.not-found', 'There is no such certificate', { cause: error });
      }
      throw await unreadable(error, this.#folder, this.#access);
    }
    const [certificatePem, chainPem, meta] = texts;
    const { friendlyName, origin, storedAt } = parseJsonFile(metaSchema, meta, this.#path('meta.json'));
    return { certificatePem, chainPem, friendlyName, origin, storedAt };
  }

  /** @throws FarkeepError 'certificate.no-private-key' | 'certificate.key-unreadable' (names account and file) */
  async readKey(): Promise<KeyObject> {
    const file = this.#path('key.pem');
    let pem: string;
    try {
      pem = await readFile(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) {
        throw new FarkeepError('certificate.no-private-key', 'The private key of this certificate is missing', {
          hint: `Restore ${file}, or import the certificate again.`,
          cause: error,
        });
      }
      throw await unreadable(error, file, this.#access);
    }
    try {
      return this.#encryption.decrypt(pem);
    } catch (error) {
      throw new FarkeepError(
        'certificate.key-unreadable',
        `${file} cannot be decrypted: ${this.#encryption.description}, but this is the wrong key`,
        {
          hint: 'Restore the key file or the keychain entry that belongs to this store, or install the certificate again.',
          cause: error,
        },
      );
    }
  }

  /**
   * Writes all files. A new folder appears complete, by rename. In an existing folder certificate and key always match, since the id is
   * derived from the certificate.
   */
  async write(content: FolderContent, key: KeyObject): Promise<void> {
    const { certificatePem, chainPem, ...meta } = content;
    const texts = {
      'certificate.pem': certificatePem,
      'chain.pem': chainPem,
      'key.pem': this.#encryption.encrypt(key),
      'meta.json': metaText(meta),
    } satisfies Record<(typeof fileNames)[number], string>;
    const parent = path.dirname(this.#folder);
    const isNew = await stat(this.#folder).then(
      () => false,
      () => true,
    );
    const folder = isNew ? path.join(parent, `.${path.basename(this.#folder)}.new`) : this.#folder;
    if (isNew) {
      await mkdir(folder, { recursive: true, mode: this.#access.folderMode });
      await this.#access.apply(folder, 'folder');
    }
    for (const name of fileNames) await this.#writeFile(path.join(folder, name), texts[name]);
    if (isNew) {
      await rename(folder, this.#folder);
      await syncFolder(parent);
    }
  }

  /** Changes the name and nothing else. @throws FarkeepError 'call.not-found' | 'storage.damaged' */
  async rename(friendlyName: string): Promise<void> {
    const { origin, storedAt } = await this.read();
    await this.#writeFile(this.#path('meta.json'), metaText({ friendlyName, origin, storedAt }));
  }

  async describeProtection(): Promise<KeyProtection> {
    const { kind, description } = this.#encryption;
    try {
      const wide = await this.#access.findTooWide(this.#path('key.pem'), 'file');
      return {
        kind,
        description,
        readers: await this.#access.readers(this.#path('key.pem')),
        warnings: wide === undefined ? [] : [wide],
      };
    } catch (error) {
      if (!isMissing(error)) throw error;
      return { kind, description, readers: [], warnings: ['The private key is missing'] };
    }
  }

  /** Returns sentences about files that too many accounts may read, or that are missing. */
  async checkAccess(): Promise<string[]> {
    const checks = [
      this.#access.findTooWide(this.#folder, 'folder'),
      ...fileNames.map((name) => this.#access.findTooWide(this.#path(name), 'file')),
    ];
    return (await Promise.allSettled(checks)).flatMap((check) =>
      check.status === 'rejected'
        ? [
            `The rights cannot be checked: ${check.reason instanceof Error ? check.reason.message : String(check.reason)}`,
          ]
        : (check.value ?? []),
    );
  }

  #path(name: (typeof fileNames)[number]): string {
    return path.join(this.#folder, name);
  }

  async #writeFile(file: string, content: string): Promise<void> {
    await writeFileAtomically(file, content, { mode: this.#access.fileMode });
    await this.#access.apply(file, 'file');
  }
}

function metaText(meta: CertificateMeta): string {
  return `${JSON.stringify({ formatVersion: 1, ...meta } satisfies z.infer<typeof metaSchema>, null, 2)}\n`;
}
