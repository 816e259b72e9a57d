// The additions of a tenant's admin to the trust rules, with real services: authorities, revocation lists as files and by HTTP, trusted
// hosts.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrustSettings } from '../../contracts/models/trust.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { mint, mintList } from '../../testing/certificates/minted-certificates.ts';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

describe('trust settings of a tenant', () => {
  let folder: string;
  let openssl: OpenSsl;
  let root: TestCertificate;
  let stack: Stack;
  let lists: Server;
  let listUrl: string;
  /** The answer of the web server for revocation lists. */
  let answer: Buffer | 'hang';
  let requests = 0;

  beforeAll(async () => {
    openssl = await OpenSsl.create();
    root = await openssl.authority('Settings Root');
    lists = createServer((_request, response) => {
      requests += 1;
      if (answer !== 'hang') response.end(answer);
    });
    await new Promise<void>((resolve) => lists.listen(0, '127.0.0.1', resolve));
    listUrl = `http://127.0.0.1:${(lists.address() as AddressInfo).port}/root.crl`;
  }, 60_000);

  afterAll(async () => {
    lists.closeAllConnections();
    lists.close();
    await openssl[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-trust-settings-'));
    stack = await Stack.start({
      folder,
      tenant: { checkInIntervalMs: 0, crlFetchTimeoutMs: 400, hostAddresses: { 'gw.a.test': '127.0.0.1' } },
    });
    answer = 'hang';
    requests = 0;
  }, 60_000);

  afterEach(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const install = async (certificate: TestCertificate): Promise<void> => {
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.importFile({
      slot: 'provider',
      file: certificate.certFile,
      keyFile: certificate.keyFile,
    });
    await certificates.install({ slot: 'provider', candidateId });
  };
  const server = (): Promise<TestCertificate> => openssl.server(['IP:127.0.0.1'], { issuer: root });
  const set = (changes: Partial<TrustSettings>) =>
    stack.tenant.domain(trustDomain).setSettings({
      crlFiles: [],
      canFetchCrl: false,
      isRevocationRequired: false,
      canTrustFirstUse: false,
      rootFiles: [root.certFile],
      ...changes,
    });
  const add = () =>
    stack.tenant.domain(serviceProvidersDomain).add({
      name: stackNames.provider,
      ...stack.addressOf(0),
      userName: stackNames.account,
      password: stackNames.password,
    });
  const probe = () => stack.tenant.domain(serviceProvidersDomain).probe(stack.addressOf(0));

  it('trust an added authority, from the next connection on and after a restart', async () => {
    await install(await server());
    expect(await failureOf(add())).toMatchObject({ code: 'trust.untrusted' });
    await set({});
    expect((await add()).trust).toBe('trusted');
    await stack.restartTenant();
    expect(await stack.tenant.domain(trustDomain).getSettings({})).toEqual({
      crlFiles: [],
      canFetchCrl: false,
      isRevocationRequired: false,
      canTrustFirstUse: false,
      rootFiles: [root.certFile],
      problems: [],
    });
    expect(await probe()).toMatchObject({ decision: 'trusted' });
    const { entries } = await stack.tenant.domain(trustDomain).journal({});
    expect(entries.at(-1)).toMatchObject({ action: 'configured', who: 'tester (command line)' });
    expect(entries.at(-1)?.note).toContain(root.certFile);
  }, 30_000);

  it('refuse a revoked certificate in the wizard and in a job, without a prompt, as soon as the list names it', async () => {
    const certificate = await server();
    const list = path.join(folder, 'root.crl');
    await writeFile(list, await openssl.crl(root, []));
    await install(certificate);
    await set({ crlFiles: [list] });
    const { id: providerId } = await add();
    expect(await probe()).toMatchObject({ decision: 'trusted' });
    expect((await probe()).reasons).toContain('revocation.good');
    await mkdir(path.join(folder, 'source'));
    const jobId = await stack.addJob(providerId, path.join(folder, 'source'));

    await writeFile(list, await openssl.crl(root, [certificate]));
    const seen = await probe();
    expect(seen).toMatchObject({ decision: 'refused', prompt: null });
    expect(seen.reasons).toContain('revocation.revoked');
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'failed', error: { code: 'trust.refused' } });
    expect((await stack.tenant.domain(trustDomain).listPrompts({})).prompts).toEqual([]);
    // The list file is removed: its entries are still used, and the loss is reported.
    await rm(list);
    expect((await probe()).reasons).toContain('revocation.revoked');
    const { problems } = await stack.tenant.domain(trustDomain).getSettings({});
    expect(problems).toMatchObject([{ file: list, message: expect.stringContaining('ENOENT') as string }]);
  }, 30_000);

  it('refuse a peer before the login when it hides a revoked certificate behind other certificates', async () => {
    const trusted = mint({ subject: 'Minted root', isAuthority: true });
    const authority = mint({ subject: 'Minted authority', isAuthority: true, issuer: trusted });
    const leaf = mint({ names: ['127.0.0.1'], issuer: authority });
    const foreign = Array.from({ length: 20 }, (_, index) => mint({ subject: `Foreign ${index}`, isAuthority: true }));
    const sent = [leaf, ...foreign, authority].map(({ certPem }) => certPem).join('');
    let receivedBytes = 0;
    const gateway = createTlsServer({ cert: sent, key: leaf.keyPem, ALPNProtocols: ['farkeep/1'] }, (socket) => {
      socket.on('data', (chunk: Buffer) => (receivedBytes += chunk.length));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    try {
      const rootFile = path.join(folder, 'minted-root.pem');
      await writeFile(rootFile, trusted.certPem);
      const list = path.join(folder, 'minted.crl');
      const account = { userName: stackNames.account, password: stackNames.password };
      const { port } = gateway.address() as AddressInfo;
      for (const [issuer, revoked] of [
        [authority, leaf],
        [trusted, authority],
      ] as const) {
        await writeFile(list, mintList({ issuer, revoked: [revoked.serial] }));
        await set({ rootFiles: [rootFile], crlFiles: [list] });
        const providers = stack.tenant.domain(serviceProvidersDomain);
        const failure = await failureOf(providers.add({ name: 'Hidden', host: '127.0.0.1', port, ...account }));
        expect(failure).toMatchObject({ code: 'trust.refused', message: expect.stringContaining('revoked') as string });
      }
      expect(receivedBytes).toBe(0);
    } finally {
      gateway.close();
    }
  }, 30_000);

  it('refuse the certificate when a list is missing at the start, whether revocation checks are required or not', async () => {
    const list = path.join(folder, 'root.crl');
    await writeFile(list, await openssl.crl(root, []));
    await install(await server());
    await set({ crlFiles: [list], isRevocationRequired: true });
    await add();
    await rm(list);
    await stack.restartTenant();
    const seen = await probe();
    // A person may still pin the certificate, because a pin needs no authority.
    expect(seen).toMatchObject({ decision: 'refused', prompt: { kind: 'untrusted' } });
    expect(seen.reasons).toContain('revocation.unknown');
    await set({ rootFiles: [root.certFile] });
    expect((await probe()).decision).toBe('trusted');
    await writeFile(list, await openssl.crl(root, []));
    await set({ crlFiles: [list] });
    await rm(list);
    await stack.restartTenant();
    expect((await probe()).decision).toBe('refused');
    await writeFile(list, await openssl.crl(root, []));
    expect(await probe()).toMatchObject({ decision: 'trusted' });
    expect((await stack.tenant.domain(trustDomain).listPrompts({})).prompts).toEqual([]);
  }, 30_000);

  it('fetch a list only when allowed, within the time limit, and follow the policy when there is no answer', async () => {
    const certificate = await openssl.server(['IP:127.0.0.1'], {
      issuer: root,
      extensions: [`crlDistributionPoints=URI:${listUrl}`],
    });
    await install(certificate);
    await set({});
    await add();
    expect(requests).toBe(0);

    await set({ canFetchCrl: true });
    const startedAt = performance.now();
    const unanswered = await probe();
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(requests).toBe(1);
    expect(unanswered.decision).toBe('trusted');
    expect(unanswered.reasons).toContain('revocation.unknown');

    await set({ canFetchCrl: true, isRevocationRequired: true });
    expect((await probe()).decision).toBe('refused');

    answer = Buffer.from(await openssl.crl(root, []));
    await set({ canFetchCrl: true, isRevocationRequired: true });
    expect((await probe()).reasons).toContain('revocation.good');

    answer = Buffer.from(await openssl.crl(root, [certificate]));
    await set({ canFetchCrl: true });
    expect((await probe()).reasons).toContain('revocation.revoked');
  }, 30_000);

  it('never use first-use trust for a provider that was accepted by its chain, in any spelling of its host', async () => {
    await install(await openssl.server(['DNS:gw.a.test'], { issuer: root }));
    await set({});
    const { port } = stack.addressOf(0);
    const providers = stack.tenant.domain(serviceProvidersDomain);
    const account = { userName: stackNames.account, password: stackNames.password };
    expect(await providers.add({ name: stackNames.provider, host: 'gw.a.test', port, ...account })).toMatchObject({
      trust: 'trusted',
    });
    // An attacker in between now shows another certificate.
    await install(await openssl.server(['DNS:gw.a.test']));
    await set({ rootFiles: [], canTrustFirstUse: true });
    for (const host of ['gw.a.test', 'GW.a.test']) {
      expect((await providers.probe({ host, port })).decision).toBe('refused');
      expect(await failureOf(providers.add({ name: 'Again', host, port, ...account }))).toMatchObject({
        code: 'trust.untrusted',
      });
    }
  }, 30_000);

  it('name an unusable file and change nothing', async () => {
    const garbage = path.join(folder, 'garbage');
    await writeFile(garbage, 'no certificate');
    await set({});
    for (const wrong of [
      { rootFiles: [garbage] },
      { crlFiles: [garbage] },
      { crlFiles: [path.join(folder, 'none')] },
      // Does not wait, as for a pipe, and does not read without end, as from a device.
      { rootFiles: [folder] },
      { crlFiles: [process.platform === 'win32' ? folder : '/dev/zero'] },
    ]) {
      const { code, message } = await failureOf(set(wrong));
      expect(['certificate.malformed', 'call.invalid']).toContain(code);
      expect(message).toContain((wrong.rootFiles ?? wrong.crlFiles)[0]);
    }
    expect(await failureOf(set({ isRevocationRequired: true }))).toMatchObject({ code: 'call.invalid' });
    expect(await stack.tenant.domain(trustDomain).getSettings({})).toMatchObject({
      rootFiles: [root.certFile],
      crlFiles: [],
    });
  }, 30_000);

  it('move trusted hosts to another machine, and overwrite nothing there', async () => {
    await stack.addProvider();
    const { text, count } = await stack.tenant.domain(trustDomain).exportHosts({});
    expect(count).toBe(1);
    expect(text).not.toContain('PRIVATE');
    const other = await stack.startAnotherTenant('tenant-other');
    try {
      const trust = other.domain(trustDomain);
      expect(await trust.importHosts({ text })).toEqual({ added: [stackNames.provider], known: [], conflicts: [] });
      expect(await trust.importHosts({ text })).toEqual({ added: [], known: [stackNames.provider], conflicts: [] });
      const { pins } = await trust.listPins({});
      await trust.revokePin({ pinId: pins[0]?.id ?? '' });
      expect(await trust.importHosts({ text })).toEqual({ added: [], known: [], conflicts: [stackNames.provider] });
      expect(await failureOf(trust.importHosts({ text: '{}' }))).toMatchObject({ code: 'call.invalid' });
      const { entries, isIntact } = await trust.journal({});
      expect(isIntact).toBe(true);
      expect(entries.map(({ action }) => action)).toEqual(['imported', 'revoked']);
    } finally {
      await other.service.stop(2000);
    }
  }, 30_000);
});
