// Owns making license files, for distributors of the program: a signing key once, a signed file for each provider. Needs no service. Must
// not print or log a private key; it is only written to its file.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { newId } from '../kernel/identifier.ts';
import { isTaken } from '../kernel/system-error.ts';
import { writeLicense, type License } from '../pki/create/license.ts';

/**
 * @param file gets the private key (PKCS#8 PEM, 0600); `file`.pub gets the public key for `licenseKeyFiles` or license-keys.ts
 * @throws FarkeepError 'restore.exists' because a key is never overwritten
 */
export async function makeLicenseKey(file: string): Promise<{ keyFile: string; publicKeyFile: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicKeyFile = `${file}.pub`;
  await writeNew(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  await writeNew(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  return { keyFile: file, publicKeyFile };
}

/** @throws FarkeepError 'call.invalid' for an unusable key file or organization */
export async function issueLicense(
  keyFile: string,
  wanted: Pick<License, 'organization' | 'edition' | 'expiresAt'>,
  now: number,
): Promise<string> {
  let key: KeyObject;
  try {
    key = createPrivateKey(await readFile(keyFile, 'utf8'));
  } catch (error) {
    throw new FarkeepError('call.invalid', `The signing key ${keyFile} cannot be read`, {
      field: 'key',
      cause: error,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new FarkeepError('call.invalid', `${keyFile} contains no Ed25519 key`, {
      field: 'key',
      hint: 'Make one: farkeep license new-key --out FILE',
    });
  }
  try {
    return writeLicense({ formatVersion: 1, id: newId(), issuedAt: new Date(now).toISOString(), ...wanted }, key);
  } catch (error) {
    throw new FarkeepError('call.invalid', 'The organization must have 1 to 64 characters, no control characters', {
      field: 'organization',
      cause: error,
    });
  }
}

async function writeNew(file: string, content: string | Buffer, mode: number): Promise<void> {
  try {
    const handle = await open(file, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new FarkeepError('restore.exists', `${file} exists already`, {
      hint: 'Choose another name. A signing key that is overwritten cannot be recovered.',
      cause: error,
    });
  }
}
