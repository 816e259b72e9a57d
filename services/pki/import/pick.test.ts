import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { listPickable, pickCertificate, type PickRoots } from './pick.ts';
import { summarize } from '../certificate/certificate-summary.ts';

let openssl: OpenSsl;
let roots: PickRoots;
let ours: TestCertificate;
let intermediate: TestCertificate;

beforeAll(async () => {
  openssl = await OpenSsl.create();
  roots = {
    letsEncrypt: openssl.path('live'),
    privateKeys: openssl.path('private'),
    certificates: openssl.path('certs'),
  };
  const root = await openssl.authority('Root');
  intermediate = await openssl.authority('R11', { issuer: root });
  ours = await openssl.server(['DNS:backup.a.test'], { issuer: intermediate, subject: '/CN=backup.a.test' });
  const expired = await openssl.server(['DNS:old.a.test'], {
    subject: '/CN=old.a.test',
    notBeforeDays: -9,
    notAfterDays: -1,
  });
  const client = await openssl.issue({ subject: '/CN=client', extensions: ['extendedKeyUsage=clientAuth'] });
  const snakeoil = await openssl.server(['DNS:machine'], { subject: '/CN=snakeoil', key: 'RSA:2048' });
  const bundle = await openssl.server(['DNS:bundle'], { subject: '/CN=bundle' });
  const keyless = await openssl.server(['DNS:keyless'], { subject: '/CN=keyless' });
  const locked = await openssl.server(['DNS:locked'], { subject: '/CN=locked' });

  const live = async (name: string, certificate: string, key: string): Promise<void> => {
    const folder = path.join(roots.letsEncrypt, name);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'fullchain.pem'), certificate);
    await writeFile(path.join(folder, 'privkey.pem'), key);
  };
  await live('backup.a.test', ours.certPem + intermediate.certPem, ours.keyPem);
  await live('old.a.test', expired.certPem, expired.keyPem);
  await live('client', client.certPem, client.keyPem);
  await live('mixed-up', ours.certPem, client.keyPem);
  await writeFile(path.join(roots.letsEncrypt, 'README'), 'This directory contains your keys');

  await mkdir(roots.privateKeys);
  await mkdir(roots.certificates);
  await writeFile(path.join(roots.privateKeys, 'ssl-cert-snakeoil.key'), snakeoil.keyPem);
  await writeFile(path.join(roots.privateKeys, 'bundle.pem'), bundle.certPem + bundle.keyPem);
  const encrypted = path.join(roots.privateKeys, 'locked.key');
  await openssl.run('pkcs8', '-topk8', '-in', locked.keyFile, '-out', encrypted, '-passout', 'pass:secret');
  for (const [name, { certPem }] of Object.entries({
    'snakeoil.pem': snakeoil,
    'keyless.crt': keyless,
    'locked.pem': locked,
    'Root.pem': root,
  })) {
    await writeFile(path.join(roots.certificates, name), certPem);
  }
  await symlink('Root.pem', path.join(roots.certificates, '12345678.0'));
  await writeFile(
    path.join(roots.certificates, 'garbage.pem'),
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  );
});
afterAll(() => openssl[Symbol.asyncDispose]());

describe('listPickable', () => {
  it('lists usable certificates first and gives the reason for each unusable one', async () => {
    const rows = await listPickable(roots);
    expect(rows.map(({ pickId, unusableReason }) => [pickId, unusableReason])).toEqual([
      ['letsencrypt:backup.a.test', null],
      ['system:bundle.pem', null],
      ['system:snakeoil.pem', null],
      ['letsencrypt:mixed-up', 'The private key in the same folder belongs to another certificate'],
      ['letsencrypt:client', 'The certificate is not intended for servers'],
      ['system:keyless.crt', expect.stringMatching(/^No private key for this certificate was found/)],
      [
        'system:locked.pem',
        expect.stringMatching(/No private key .*locked\.key is protected by a password; import the file instead/),
      ],
      ['letsencrypt:old.a.test', expect.stringMatching(/^The certificate expired on /)],
    ]);
    expect(rows[0]).toMatchObject({
      store: "Let's Encrypt",
      issuedTo: 'backup.a.test',
      issuedBy: 'R11',
      friendlyName: 'backup.a.test',
    });
  });

  it('is empty where the folders do not exist', async () => {
    const nowhere = { letsEncrypt: '/nonexistent/a', privateKeys: '/nonexistent/b', certificates: '/nonexistent/c' };
    expect(await listPickable(nowhere)).toEqual([]);
  });

  it.runIf(process.geteuid?.() !== undefined)('names the account and the file when a key cannot be read', async () => {
    const key = path.join(roots.letsEncrypt, 'client', 'privkey.pem');
    const isRoot = process.geteuid?.() === 0;
    await chmod(openssl.folder, 0o755);
    await chmod(key, 0o000);
    if (isRoot) process.seteuid?.(65534);
    try {
      const reason = (await listPickable(roots)).find(({ pickId }) => pickId === 'letsencrypt:client')?.unusableReason;
      expect(reason).toMatch(/^The account ".+" cannot read .*client\/privkey\.pem$/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(key, 0o600);
    }
  });
});

describe('pickCertificate', () => {
  it('reads certificate, chain and key', async () => {
    using picked = await pickCertificate('letsencrypt:backup.a.test', roots);
    expect(picked.summary.sha256).toBe(summarize(ours.certPem).sha256);
    expect(picked.chainLength).toBe(1);
    using bundle = await pickCertificate('system:bundle.pem', roots);
    expect(bundle.summary.commonName).toBe('bundle');
  });

  it('refuses a certificate that is not in the list or cannot be used', async () => {
    for (const id of ['letsencrypt:../private', 'system:../../etc/passwd', 'nothing', '']) {
      await expect(pickCertificate(id, roots)).rejects.toMatchObject({ code: 'call.not-found' });
    }
    await expect(pickCertificate('system:keyless.crt', roots)).rejects.toMatchObject({
      code: 'certificate.no-private-key',
    });
    await expect(pickCertificate('letsencrypt:old.a.test', roots)).rejects.toMatchObject({
      code: 'certificate.expired',
    });
    await expect(pickCertificate('letsencrypt:mixed-up', roots)).rejects.toMatchObject({
      code: 'certificate.key-mismatch',
    });
  });
});
