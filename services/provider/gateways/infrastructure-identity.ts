// Owns the provider's infrastructure authority and the certificate of its infrastructure port. They are created once and stored in files
// with the access rights and the encryption of the certificate store's private keys.
// Tenants do not trust them. Gateways trust them because their enrollment token contains the fingerprint.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AccessControl } from '../../certstore/access-control.ts';
import { PosixAccess } from '../../certstore/posix-access.ts';
import { type KeyCipher, StoreProtection } from '../../certstore/store-protection.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { KeychainKey } from '../../kernel/running-service.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { toPem } from '../../pki/certificate/certificate-summary.ts';
import { exportKey } from '../../pki/create/generate.ts';
import {
  createInfrastructureAuthority,
  InfrastructureAuthority,
  type KeyAndCertificate,
} from '../../pki/create/issue.ts';
import type { ServerIdentity } from '../../transport/server-identity.ts';

const commonName = 'Farkeep infrastructure';
/** The first byte of a key's DER. Earlier versions stored keys as unencrypted DER. */
const sequenceTag = 0x30;

export interface InfrastructureIdentity {
  readonly authority: InfrastructureAuthority;
  readonly server: ServerIdentity;
  /** The owner disposes it when the service ends. */
  readonly protection: StoreProtection;
}

export interface InfrastructureIdentityOptions {
  readonly home: string;
  /** Names and addresses of the infrastructure port. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keychainKey?: KeychainKey | undefined;
  readonly access?: AccessControl | undefined;
}

export async function openInfrastructureIdentity(
  options: InfrastructureIdentityOptions,
): Promise<InfrastructureIdentity> {
  const { home, keychainKey, logger, access = new PosixAccess() } = options;
  const folder = path.join(home, 'infrastructure');
  const isNew = (await mkdir(folder, { recursive: true, mode: access.folderMode })) !== undefined;
  if (isNew) await access.apply(folder, 'folder');
  const protection = await StoreProtection.open(folder, {
    access,
    logger,
    keychainKey,
    keyFiles: async () => {
      const files = ['authority', 'server'].map((name) => path.join(folder, `${name}.key`));
      // Keys that an earlier version wrote unencrypted are encrypted when they are opened.
      const contents = await Promise.all(files.map(readIfThere));
      return files.filter((_file, index) => contents[index]?.[0] !== sequenceTag);
    },
  });
  try {
    return { ...(await openKeys({ folder, access, cipher: protection.cipher }, options)), protection };
  } catch (error) {
    protection[Symbol.dispose]();
    throw error;
  }
}

interface KeyPlace {
  readonly folder: string;
  readonly access: AccessControl;
  readonly cipher: KeyCipher;
}

async function openKeys(
  place: KeyPlace,
  { names, clock }: InfrastructureIdentityOptions,
): Promise<Omit<InfrastructureIdentity, 'protection'>> {
  const made = await load(place, 'authority', () => createInfrastructureAuthority({ commonName, clock }));
  const authority = new InfrastructureAuthority(made, clock);
  const server = await load(place, 'server', () => authority.issueServerCertificate({ commonName, names }));
  const privateKeyPem = toPem(server.privateKey.bytes, 'PRIVATE KEY');
  made.privateKey.dispose();
  server.privateKey.dispose();
  return { authority, server: { certificatePem: server.certificatePem, privateKeyPem } };
}

async function load(place: KeyPlace, name: string, make: () => Promise<KeyAndCertificate>): Promise<KeyAndCertificate> {
  const { folder, access, cipher } = place;
  const certificateFile = path.join(folder, `${name}.pem`);
  const keyFile = path.join(folder, `${name}.key`);
  const certificatePem = await readIfThere(certificateFile);
  if (certificatePem !== undefined) {
    const key = await readIfThere(keyFile);
    if (key === undefined) {
      throw new FarkeepError('certificate.key-unreadable', `${keyFile} is missing`, {
        hint: 'Restore it from a copy; without it every gateway has to be enrolled again.',
      });
    }
    return {
      certificatePem: certificatePem.toString('utf8'),
      privateKey: exportKey(await openKey(keyFile, key, place)),
    };
  }
  const made = await make();
  // The key is written first: after a crash, a certificate without its key would prevent the next start.
  const privateKey = createPrivateKey({ key: made.privateKey.bytes, format: 'der', type: 'pkcs8' });
  await writeKey(keyFile, cipher.encrypt(privateKey), access);
  await writeFileAtomically(certificateFile, made.certificatePem, { mode: 0o644 });
  return made;
}

async function writeKey(keyFile: string, content: string, access: AccessControl): Promise<void> {
  await writeFileAtomically(keyFile, content, { mode: access.fileMode });
  await access.apply(keyFile, 'file');
}

async function openKey(keyFile: string, content: Buffer, { cipher, access }: KeyPlace): Promise<KeyObject> {
  const isPlain = content[0] === sequenceTag;
  let key: KeyObject;
  try {
    key = isPlain
      ? createPrivateKey({ key: content, format: 'der', type: 'pkcs8' })
      : cipher.decrypt(content.toString('utf8'));
  } catch (error) {
    throw new FarkeepError(
      'certificate.key-unreadable',
      `${keyFile} is damaged, or does not fit: ${cipher.description}`,
      {
        hint: 'Restore it and the key file or keychain entry from one copy; without them every gateway has to be enrolled again.',
        cause: error,
      },
    );
  }
  if (isPlain) await writeKey(keyFile, cipher.encrypt(key), access);
  content.fill(0);
  return key;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
