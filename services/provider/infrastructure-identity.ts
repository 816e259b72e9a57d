// Owns the provider's infrastructure authority and the certificate of its infrastructure port: made once, kept in files with
// mode 0600, the private keys encrypted as in the certificate store.
// Nothing here is trusted by tenants; gateways trust it because their enrolment token carried its fingerprint.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { KeyEncryption } from '../certstore/key-encryption.ts';
import { writeFileAtomically } from '../kernel/atomic-file.ts';
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { toPem } from '../pki/certificate-summary.ts';
import { exportKey } from '../pki/generate.ts';
import { createInfrastructureAuthority, InfrastructureAuthority, type KeyAndCertificate } from '../pki/issue.ts';
import type { ServerIdentity } from '../transport/server-identity.ts';

const commonName = 'Farkeep infrastructure';

export interface InfrastructureIdentity {
  readonly authority: InfrastructureAuthority;
  readonly server: ServerIdentity;
}

export async function openInfrastructureIdentity(
  home: string,
  names: readonly string[],
  clock: Clock,
): Promise<InfrastructureIdentity> {
  const folder = path.join(home, 'infrastructure');
  using encryption = await KeyEncryption.fromFile(path.join(folder, 'store.key'), 0o600);
  const made = await load(folder, 'authority', encryption, () => createInfrastructureAuthority({ commonName, clock }));
  const authority = new InfrastructureAuthority(made, clock);
  const server = await load(folder, 'server', encryption, () =>
    authority.issueServerCertificate({ commonName, names }),
  );
  const privateKeyPem = toPem(server.privateKey.bytes, 'PRIVATE KEY');
  made.privateKey.dispose();
  server.privateKey.dispose();
  return { authority, server: { certificatePem: server.certificatePem, privateKeyPem } };
}

async function load(
  folder: string,
  name: string,
  encryption: KeyEncryption,
  make: () => Promise<KeyAndCertificate>,
): Promise<KeyAndCertificate> {
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
      privateKey: exportKey(await openKey(keyFile, key, encryption)),
    };
  }
  const made = await make();
  // The key first: a certificate without its key would stop the next start.
  const privateKey = createPrivateKey({ key: made.privateKey.bytes, format: 'der', type: 'pkcs8' });
  await writeFileAtomically(keyFile, encryption.encrypt(privateKey), { mode: 0o600 });
  await writeFileAtomically(certificateFile, made.certificatePem, { mode: 0o644 });
  return made;
}

async function openKey(keyFile: string, content: Buffer, encryption: KeyEncryption): Promise<KeyObject> {
  // DER starts with a SEQUENCE: earlier versions kept the key so.
  const isPlain = content[0] === 0x30;
  let key: KeyObject;
  try {
    key = isPlain
      ? createPrivateKey({ key: content, format: 'der', type: 'pkcs8' })
      : encryption.decrypt(content.toString('utf8'));
  } catch (error) {
    throw new FarkeepError('certificate.key-unreadable', `${keyFile} is damaged, or store.key beside it does not fit`, {
      hint: 'Restore both from one copy; without them every gateway has to be enrolled again.',
      cause: error,
    });
  }
  if (isPlain) await writeFileAtomically(keyFile, encryption.encrypt(key), { mode: 0o600 });
  content.fill(0);
  return key;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
