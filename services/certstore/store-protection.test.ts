// Tests moving private keys between a keychain and a key file, with a crash at every step.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { Secret } from '../kernel/secret.ts';
import { generateSelfSigned } from '../pki/create/generate.ts';
import { CertificateStore, type NewCertificate } from './certificate-store.ts';

const keychain: KeychainKey = { keychain: 'Test Keychain', key: Secret.random() };
let folder: string;
let certificate: NewCertificate;
const file = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  const made = await generateSelfSigned({ subject: { commonName: 'one' }, keyBits: 2048 });
  certificate = { ...made, chainPem: '', friendlyName: 'one', origin: 'generated' };
});
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(os.tmpdir(), 'farkeep-protection-')), 'certificates');
});
afterEach(async () => rm(path.dirname(folder), { recursive: true, force: true }));

const open = (keychainKey?: KeychainKey): Promise<CertificateStore> =>
  CertificateStore.open(folder, { logger: silentLogger, keychainKey });

/** Returns a store with one installed certificate. */
async function filled(keychainKey?: KeychainKey): Promise<CertificateStore> {
  const store = await open(keychainKey);
  const { id } = await store.put(certificate);
  await store.install('provider', id);
  return store;
}

async function canServe(store: CertificateStore): Promise<boolean> {
  const { keyPem } = await store.loadForServing('provider');
  using _key = keyPem;
  return keyPem.bytes.toString().includes('BEGIN PRIVATE KEY');
}

describe('a store with a keychain', () => {
  it('uses the keychain from the start, reports it, and writes no key file', async () => {
    const store = await filled(keychain);
    expect(await store.describeProtection()).toMatchObject({
      kind: 'os-keychain',
      description: 'Encrypted with a key from Test Keychain',
    });
    expect(await readdir(folder)).not.toContain('store.key');
    expect(await readFile(file('protection.json'), 'utf8')).not.toContain(keychain.key.bytes.toString('hex'));
    store[Symbol.dispose]();
    expect(await canServe(await open(keychain))).toBe(true);
  });

  it('says which keychain is missing when it is opened without the keychain, and what to do', async () => {
    await filled(keychain);
    await expect(open()).rejects.toMatchObject({
      code: 'certificate.key-unreadable',
      message: expect.stringContaining('Test Keychain') as string,
      hint: expect.stringContaining('farkeep certificate settings --protection key-file') as string,
    });
    expect(await readdir(folder)).not.toContain('store.key');
  });

  it('refuses another key of the same keychain, and changes nothing', async () => {
    await filled(keychain);
    await expect(open({ keychain: 'Test Keychain', key: Secret.random() })).rejects.toMatchObject({
      code: 'certificate.key-unreadable',
      message: expect.stringContaining('another key') as string,
    });
    expect(await canServe(await open(keychain))).toBe(true);
  });

  it('re-encrypts keys that a key file protected', async () => {
    await filled();
    const store = await open(keychain);
    expect(await readdir(folder)).not.toContain('store.key');
    expect(await canServe(store)).toBe(true);
  });

  it('changes to a key file on request, keeps using it, and changes back on request', async () => {
    const store = await filled(keychain);
    expect(await store.changeProtection('key-file')).toMatchObject({ kind: 'key-file' });
    expect(await canServe(store)).toBe(true);
    expect(await canServe(await open())).toBe(true);
    // The keychain is not used again by itself, because an admin chose to run without it.
    const chosen = await open(keychain);
    expect(await chosen.describeProtection()).toMatchObject({ kind: 'key-file' });
    expect(chosen.keychain).toBe('Test Keychain');
    expect(await chosen.changeProtection('os-keychain')).toMatchObject({ kind: 'os-keychain' });
    expect(await readdir(folder)).not.toContain('store.key');
    expect(await canServe(chosen)).toBe(true);
    await expect(open()).rejects.toMatchObject({ code: 'certificate.key-unreadable' });
  });

  it('refuses to change to a keychain that it does not have', async () => {
    const store = await filled();
    await expect(store.changeProtection('os-keychain')).rejects.toMatchObject({ code: 'call.refused' });
    expect(await canServe(store)).toBe(true);
  });

  it('continues after a crash during the change to the keychain', async () => {
    const store = await filled();
    const keyFile = await readFile(file('store.key'));
    const id = (await store.list())[0]?.id ?? '';
    const beforeMove = await readFile(file(`${id}/key.pem`));
    await open(keychain);
    // The files are as if the process had ended after it wrote the choice and before it re-encrypted the key.
    await writeFile(file('store.key'), keyFile);
    await writeFile(file(`${id}/key.pem`), beforeMove);
    await expect(open()).rejects.toMatchObject({ code: 'certificate.key-unreadable' });
    expect(await canServe(await open(keychain))).toBe(true);
    expect(await readdir(folder)).not.toContain('store.key');
  });

  it('continues after a crash during the change to the key file', async () => {
    const store = await filled(keychain);
    const choice = await readFile(file('protection.json'));
    await store.changeProtection('key-file');
    // Everything is encrypted with the key file, but the choice is not written yet.
    await writeFile(file('protection.json'), choice);
    const again = await open(keychain);
    expect(await again.describeProtection()).toMatchObject({ kind: 'os-keychain' });
    expect(await canServe(again)).toBe(true);
  });

  it('keeps the key file when a private key can be decrypted with neither key', async () => {
    const store = await filled();
    const id = (await store.list())[0]?.id ?? '';
    const key = await readFile(file(`${id}/key.pem`), 'utf8');
    await writeFile(
      file(`${id}/key.pem`),
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    await expect(canServe(await open(keychain))).rejects.toMatchObject({ code: 'certificate.key-unreadable' });
    expect(await readdir(folder)).toContain('store.key');
    await writeFile(file(`${id}/key.pem`), key);
    expect(await canServe(await open(keychain))).toBe(true);
    expect(await readdir(folder)).not.toContain('store.key');
  });

  it('serves while keys are re-encrypted', async () => {
    const store = await filled(keychain);
    const changing = store.changeProtection('key-file');
    const served = Promise.all(Array.from({ length: 5 }, () => canServe(store)));
    await changing;
    expect(await served).toEqual([true, true, true, true, true]);
  });
});
