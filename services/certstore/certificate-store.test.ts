import { createPrivateKey } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { generateSelfSigned } from '../pki/create/generate.ts';
import { CertificateStore, type NewCertificate } from './certificate-store.ts';
import { PosixAccess } from './posix-access.ts';

let folder: string;
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(os.tmpdir(), 'farkeep-store-')), 'certificates');
});
afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true, force: true });
});

const open = (): Promise<CertificateStore> => CertificateStore.open(folder, { logger: silentLogger });

async function newCertificate(commonName: string): Promise<NewCertificate> {
  const { certificatePem, privateKey } = await generateSelfSigned({ subject: { commonName }, keyBits: 2048 });
  return { certificatePem, privateKey, chainPem: '', friendlyName: commonName, origin: 'generated' };
}

describe('CertificateStore', () => {
  it('makes a self-signed certificate once for each slot and serves it', async () => {
    const store = await open();
    const first = await store.ensureSelfSigned('provider', { subject: { commonName: 'backup01' }, keyBits: 2048 });
    const again = await store.ensureSelfSigned('provider', { subject: { commonName: 'other' } });
    expect(again.id).toBe(first.id);
    expect(first).toMatchObject({ origin: 'generated-at-first-start', installedInSlots: ['provider'], chainLength: 0 });
    const serving = await store.loadForServing('provider');
    expect(() => tls.createSecureContext({ cert: serving.certPem, key: serving.keyPem.bytes })).not.toThrow();
    await expect(store.loadForServing('server')).rejects.toMatchObject({ code: 'certificate.none' });
  });

  it('keeps certificates, slots and keys after a restart', async () => {
    const before = await open();
    const stored = await before.put(await newCertificate('one'));
    await before.install('server', stored.id);
    before[Symbol.dispose]();
    const after = await open();
    expect(await after.list()).toEqual([{ ...stored, installedInSlots: ['server'] }]);
    const { keyPem } = await after.loadForServing('server');
    expect(createPrivateKey(keyPem.bytes).asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('writes private keys only encrypted, with modes for one user', async () => {
    const store = await open();
    const { id } = await store.put(await newCertificate('one'));
    const key = await readFile(path.join(folder, id, 'key.pem'), 'utf8');
    expect(key).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const modes = async (file: string): Promise<number> => (await stat(path.join(folder, file))).mode & 0o777;
    expect(await modes('.')).toBe(0o700);
    expect(await modes(id)).toBe(0o700);
    for (const name of ['certificate.pem', 'chain.pem', 'key.pem', 'meta.json'])
      expect(await modes(`${id}/${name}`)).toBe(0o600);
    expect(await modes('store.key')).toBe(0o600);
    expect(await store.describeProtection(id)).toMatchObject({ kind: 'key-file', warnings: [] });
  });

  it('uses 0640 and 0750 for a service group, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const store = await CertificateStore.open(folder, {
        logger: silentLogger,
        access: new PosixAccess(process.getgid?.() ?? 0),
      });
      const { id } = await store.put(await newCertificate('one'));
      expect((await stat(path.join(folder, id, 'key.pem'))).mode & 0o777).toBe(0o640);
      expect((await stat(path.join(folder, id))).mode & 0o777).toBe(0o750);
      expect((await store.describeProtection(id)).readers.some((reader) => reader.startsWith('group '))).toBe(true);
    } finally {
      process.umask(before);
    }
  });

  it('warns about rights that are too wide, when it opens and in the description of the protection', async () => {
    const { id } = await (await open()).put(await newCertificate('one'));
    await chmod(path.join(folder, id, 'key.pem'), 0o644);
    const warnings: unknown[] = [];
    const logger = {
      ...silentLogger,
      warn: (_: string, fields?: Record<string, unknown>) => void warnings.push(fields?.['warning']),
    };
    const store = await CertificateStore.open(folder, { logger });
    expect(warnings).toEqual([`${path.join(folder, id, 'key.pem')} has mode 0644, wider than 0600`]);
    const protection = await store.describeProtection(id);
    expect(protection.readers).toContain('everybody');
    expect(protection.warnings).toHaveLength(1);
  });

  it('names account and file when the key cannot be read, when a certificate is installed and at start', async () => {
    const store = await open();
    const { id } = await store.put(await newCertificate('one'));
    const file = path.join(folder, id, 'key.pem');
    await chmod(file, 0o000);
    await chmod(path.dirname(folder), 0o755);
    await chmod(folder, 0o755);
    await chmod(path.join(folder, id), 0o755);
    for (const name of ['certificate.pem', 'chain.pem', 'meta.json']) await chmod(path.join(folder, id, name), 0o644);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      const account = isRoot ? 'nobody' : os.userInfo().username;
      await expect(store.install('provider', id)).rejects.toMatchObject({
        code: 'certificate.key-unreadable',
        message: `The account "${account}" cannot read ${file}`,
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    expect(await store.installed('provider')).toBeUndefined();
  });

  it('refuses to remove an installed certificate, and removes others', async () => {
    const store = await open();
    const one = await store.put(await newCertificate('one'));
    const two = await store.put(await newCertificate('two'));
    await store.install('provider', one.id);
    await expect(store.remove(one.id)).rejects.toMatchObject({ code: 'call.conflict' });
    await store.remove(two.id);
    expect((await store.list()).map(({ id }) => id)).toEqual([one.id]);
    await expect(store.get('../../etc')).rejects.toMatchObject({ code: 'call.not-found' });
  });

  it('renames a certificate, and changes nothing else', async () => {
    const store = await open();
    const before = await store.put(await newCertificate('one'));
    await store.install('provider', before.id);
    const renamed = await store.rename(before.id, 'Another name');
    expect(renamed).toEqual({ ...before, friendlyName: 'Another name', installedInSlots: ['provider'] });
    using serving = (await (await open()).loadForServing('provider')).keyPem;
    expect(serving.bytes.length).toBeGreaterThan(0);
    await expect(store.rename('f'.repeat(32), 'x')).rejects.toMatchObject({ code: 'call.not-found' });
    expect(await store.chainWarning(before.id)).toBeNull();
  });

  it('refuses a key that belongs to another certificate and stores nothing', async () => {
    const store = await open();
    const one = await newCertificate('one');
    const two = await newCertificate('two');
    await expect(store.put({ ...one, privateKey: two.privateKey })).rejects.toMatchObject({
      code: 'certificate.key-mismatch',
    });
    expect(await store.list()).toEqual([]);
  });

  it('removes what a crash left, and lists the intact certificates when one is damaged', async () => {
    const store = await open();
    const one = await store.put(await newCertificate('one'));
    const two = await store.put(await newCertificate('two'));
    await writeFile(path.join(folder, two.id, 'meta.json'), 'not json');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(path.join(folder, `.${'a'.repeat(32)}.new`));
    const again = await open();
    expect((await again.list()).map(({ id }) => id)).toEqual([one.id]);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
