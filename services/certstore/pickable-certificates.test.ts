import { createPrivateKey } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { Secret } from '../kernel/secret.ts';
import { generateSelfSigned } from '../pki/create/generate.ts';
import type { PickRoots } from '../pki/import/pick.ts';
import { OpenSsl, type TestCertificate } from '../testing/certificates/openssl.ts';
import { CertificateStore } from './certificate-store.ts';
import { listPickableCertificates } from './pickable-certificates.ts';
import { WindowsCertificates } from './windows-certificates.ts';

let openssl: OpenSsl;
let store: CertificateStore;
let roots: PickRoots;
let system: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  store = await CertificateStore.open(openssl.path('store'), { logger: silentLogger });
  system = await openssl.server(['DNS:gw.a.test'], { subject: '/CN=gw.a.test' });
  roots = { letsEncrypt: openssl.path('none'), privateKeys: openssl.path('both'), certificates: openssl.path('both') };
  const { mkdir } = await import('node:fs/promises');
  await mkdir(roots.privateKeys);
  await writeFile(path.join(roots.privateKeys, 'gw.key'), system.keyPem);
  await writeFile(path.join(roots.certificates, 'gw.pem'), system.certPem);
});
afterAll(async () => {
  store[Symbol.dispose]();
  await openssl[Symbol.asyncDispose]();
});

it('lists certificates of both stores and says why some cannot be used', async () => {
  const make = async (commonName: string): Promise<string> => {
    const { certificatePem, privateKey } = await generateSelfSigned({ subject: { commonName }, keyBits: 2048 });
    return (
      await store.put({
        certificatePem,
        privateKey,
        chainPem: '',
        friendlyName: `My ${commonName}`,
        origin: 'imported',
      })
    ).id;
  };
  const whole = await make('whole');
  const broken = await make('broken');
  await rm(path.join(store.folder, broken, 'key.pem'));

  const { certificates: rows } = await listPickableCertificates(store, { roots });
  expect(
    rows.map(({ pickId, store: name, friendlyName, unusableReason }) => [pickId, name, friendlyName, unusableReason]),
  ).toEqual([
    [`farkeep:${whole}`, 'Farkeep', 'My whole', null],
    [`farkeep:${broken}`, 'Farkeep', 'My broken', 'The private key of this certificate is missing'],
    ['system:gw.pem', 'System certificates', 'gw', null],
  ]);
  // A certificate is found again by what people compare: thumbprint, names, and whether it is in service.
  await store.install('provider', whole);
  const { summary } = await store.get(whole);
  const compared = (await listPickableCertificates(store, { roots })).certificates;
  expect(compared[0]).toMatchObject({ sha256: summary.sha256, installedInSlots: ['provider'], warning: null });
  expect(compared[2]).toMatchObject({ names: ['gw.a.test'] });
  // The chain of this one leads to an authority that this computer does not know.
  const authority = await openssl.authority('/CN=Unknown authority');
  const other = await openssl.server(['DNS:gw.b.test'], { subject: '/CN=gw.b.test', issuer: authority });
  const { id } = await store.put({
    certificatePem: other.certPem,
    privateKey: Secret.take(createPrivateKey(other.keyPem).export({ type: 'pkcs8', format: 'der' })),
    chainPem: '',
    friendlyName: 'Untrusted',
    origin: 'imported',
  });
  expect((await listPickableCertificates(store, { roots })).certificates).toContainEqual(
    expect.objectContaining({ pickId: `farkeep:${id}`, warning: expect.stringContaining('The chain does not lead') }),
  );
  const later = { now: () => Date.now() + 20 * 365 * 86_400_000, sleep: () => Promise.resolve() };
  const { certificates: expired } = await listPickableCertificates(store, { roots, clock: later });
  expect(expired.every(({ unusableReason }) => unusableReason !== null)).toBe(true);
});

it('lists the other stores when the Windows store cannot be read, and says so', async () => {
  const empty = new WindowsCertificates(() => Promise.resolve('{"certificates":[]}'));
  const absent = new WindowsCertificates(() => Promise.reject(new Error('powershell.exe failed: ENOENT')));
  const whole = await listPickableCertificates(store, { roots, windowsCertificates: empty });
  expect(whole.unreadableStores).toEqual([]);
  expect(whole.certificates.length).toBeGreaterThan(0);
  expect(await listPickableCertificates(store, { roots, windowsCertificates: absent })).toEqual({
    certificates: whole.certificates,
    unreadableStores: [
      {
        store: 'Local Computer\\Personal',
        reason: 'Local Computer\\Personal cannot be read: powershell.exe failed: ENOENT',
      },
    ],
  });
});
