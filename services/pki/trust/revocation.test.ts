import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { readCertificate } from '../certificate/certificate-summary.ts';
import { readCrls } from './crl.ts';
import { RevocationChecker, type RevocationPolicy } from './revocation.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let intermediate: TestCertificate;
let good: TestCertificate;
let bad: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  root = await openssl.authority('Root');
  intermediate = await openssl.authority('Intermediate', { issuer: root });
  [good, bad] = await Promise.all([
    openssl.server(['DNS:gw.a.test'], { issuer: intermediate }),
    openssl.server(['DNS:gw.a.test'], { issuer: intermediate }),
  ]);
});
afterAll(() => openssl[Symbol.asyncDispose]());

const der = (certificate: TestCertificate): Buffer => readCertificate(certificate.certPem).der;
const chainOf = (leaf: TestCertificate, ...issuers: TestCertificate[]) => ({
  leafDer: der(leaf),
  chainDer: issuers.map(der),
  isAuthorizedByOpenSsl: true,
});
const withFiles = (...crls: string[]): RevocationChecker =>
  new RevocationChecker({ crlFiles: crls.map((text) => Buffer.from(text)) });

describe('lists from the admin', () => {
  it('distinguish revoked, good and unknown', async () => {
    const crl = await openssl.crl(intermediate, [bad]);
    expect(await withFiles(crl).check(chainOf(bad, intermediate, root))).toMatchObject({ status: 'revoked' });
    expect(await withFiles(crl).check(chainOf(good, intermediate, root))).toMatchObject({ status: 'good' });
    expect(await withFiles(await openssl.crl(root, [])).check(chainOf(good, intermediate, root))).toMatchObject({
      status: 'unknown',
    });
    expect(await withFiles(crl).check(chainOf(good))).toMatchObject({ status: 'unknown' });
    expect(await new RevocationChecker().check(chainOf(good, intermediate))).toBeUndefined();
  });

  it('give an answer when one is required and there is no list, and none for a self-signed certificate', async () => {
    const policy = { canFetch: false, isRequired: true, fetchTimeoutMs: 300 };
    const strict = new RevocationChecker({ policy });
    expect(await strict.check(chainOf(good, intermediate, root))).toMatchObject({
      status: 'unknown',
      isRequired: true,
    });
    expect(await strict.check({ ...chainOf(good, intermediate, root), isAuthorizedByOpenSsl: false })).toBeUndefined();
    const lists = [Buffer.from(await openssl.crl(root, []))];
    expect(await strict.check(chainOf(root))).toBeUndefined();
    expect(await new RevocationChecker({ crlFiles: lists, policy }).check(chainOf(root))).toBeUndefined();
  });

  it('revoke an intermediate', async () => {
    const lists = [await openssl.crl(intermediate, []), await openssl.crl(root, [intermediate])];
    expect(await withFiles(...lists).check(chainOf(good, intermediate, root))).toMatchObject({
      status: 'revoked',
      detail: expect.stringContaining('Intermediate') as string,
    });
  });

  it('are refused when another key signed them, and prove nothing good when they are out of date', async () => {
    const impostor = await openssl.authority('Intermediate');
    const forged = await openssl.crl(impostor, [good]);
    expect(await withFiles(forged).check(chainOf(good, intermediate, root))).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining('not signed') as string,
    });
    const crl = await openssl.crl(intermediate, [bad], { days: 1 });
    const clock = { now: () => Date.now() + 3 * 86_400_000, sleep: () => Promise.resolve() };
    const later = new RevocationChecker({ crlFiles: [Buffer.from(crl)], clock });
    expect(await later.check(chainOf(good, intermediate))).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining('out of date') as string,
    });
    expect(await later.check(chainOf(bad, intermediate))).toMatchObject({ status: 'revoked' });
  });

  it('are refused when the signing authority may not sign lists', async () => {
    const limited = await openssl.issue({
      subject: '/CN=Limited',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'],
    });
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: limited });
    const crl = await openssl.crl(limited, [leaf]);
    expect(await withFiles(crl).check(chainOf(leaf, limited, root))).toMatchObject({ status: 'unknown' });
  });

  it('are accepted from an authority with a key for RSASSA-PSS alone', async () => {
    const pss = await openssl.authority('PSS', { key: 'RSA-PSS' });
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: pss });
    const crl = await openssl.crl(pss, [leaf]);
    expect(await withFiles(crl).check(chainOf(leaf, pss))).toMatchObject({ status: 'revoked' });
  });

  it('are read from DER files and from files with several lists; other files are refused', async () => {
    const crl = await openssl.crl(intermediate, [bad]);
    const binary = Buffer.from(crl.split('\n').slice(1, -2).join(''), 'base64');
    expect(readCrls(binary)).toHaveLength(1);
    expect(readCrls(Buffer.from(crl + (await openssl.crl(root, []))))).toHaveLength(2);
    for (const file of [
      Buffer.alloc(0),
      Buffer.from('hello'),
      Buffer.from(root.certPem),
      binary.subarray(0, 100),
      Buffer.from('30ff', 'hex'),
    ]) {
      expect(() => readCrls(file)).toThrow(expect.objectContaining({ code: 'certificate.malformed' }));
    }
  });
});

describe('lists fetched by HTTP', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  let requests = 0;
  const serve = async (listener: RequestListener): Promise<string> => {
    requests = 0;
    server = createServer((request, response) => {
      requests += 1;
      listener(request, response);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.crl`;
  };
  const leafWith = (url: string): Promise<TestCertificate> =>
    openssl.server(['DNS:gw.a.test'], { issuer: intermediate, extensions: [`crlDistributionPoints=URI:${url}`] });
  const fetching = (policy: Partial<RevocationPolicy> = {}): RevocationChecker =>
    new RevocationChecker({ policy: { canFetch: true, isRequired: false, fetchTimeoutMs: 300, ...policy } });

  it('are fetched once and kept until they expire', async () => {
    let list = '';
    const leaf = await leafWith(await serve((_, response) => response.end(list)));
    list = await openssl.crl(intermediate, [leaf]);
    const checker = fetching();
    expect(await checker.check(chainOf(leaf, intermediate, root))).toMatchObject({ status: 'revoked' });
    expect(await checker.check(chainOf(leaf, intermediate, root))).toMatchObject({ status: 'revoked' });
    expect(requests).toBe(1);
    list = await openssl.crl(intermediate, []);
    expect(await fetching().check(chainOf(leaf, intermediate, root))).toMatchObject({ status: 'good' });
  });

  it('are not fetched for an untrusted chain, nor when the policy forbids fetching', async () => {
    const leaf = await leafWith(await serve((_, response) => response.end()));
    expect(await fetching().check({ ...chainOf(leaf, intermediate), isAuthorizedByOpenSsl: false })).toBeUndefined();
    expect(await fetching({ canFetch: false }).check(chainOf(leaf, intermediate))).toBeUndefined();
    expect(requests).toBe(0);
  });

  it.each<[string, RequestListener]>([
    ['does not answer', () => undefined],
    ['answers 404', (_, response) => response.writeHead(404).end('no')],
    ['answers garbage', (_, response) => response.end('garbage')],
    ['redirects elsewhere', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'breaks off',
      (_, response) => response.writeHead(200, { 'content-length': '1000' }).write('x', () => response.destroy()),
    ],
    [
      'sends without end',
      (_, response) => {
        response.on('error', () => undefined);
        const more = (): void => {
          if (response.destroyed) return;
          if (response.write(Buffer.alloc(1 << 20))) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      },
    ],
  ])('a server that %s: unknown in time, refused only by policy', async (_, listener) => {
    const leaf = await leafWith(await serve(listener));
    const started = performance.now();
    const answer = await fetching().check(chainOf(leaf, intermediate, root));
    expect(answer).toMatchObject({
      status: 'unknown',
      isRequired: false,
      detail: expect.stringMatching(/could not be fetched/) as string,
    });
    expect(performance.now() - started).toBeLessThan(3000);
    expect(await fetching({ isRequired: true }).check(chainOf(leaf, intermediate, root))).toMatchObject({
      status: 'unknown',
      isRequired: true,
    });
  });

  it('are not fetched by protocols other than HTTP', async () => {
    const leaf = await leafWith('ldap://127.0.0.1/cn=x');
    expect(await fetching().check(chainOf(leaf, intermediate))).toMatchObject({ status: 'unknown' });
  });

  it('stop fetching when the check is canceled', async () => {
    const leaf = await leafWith(await serve(() => undefined));
    const controller = new AbortController();
    const running = fetching({ fetchTimeoutMs: 10_000 }).check(chainOf(leaf, intermediate), controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});
