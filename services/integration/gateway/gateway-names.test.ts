// Gateways and the names in the provider certificate, with real services: which gateways are used, who reports the others, and what a job
// does.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

/** In the order in which the stack starts the gateways. */
const names = ['gw1.a.test', 'gw.b.test', 'x.gw.a.test'] as const;

describe('gateways and the names of the certificate', () => {
  let folder: string;
  let openssl: OpenSsl;
  let stack: Stack;
  let root: TestCertificate;
  let provider: ServiceProvider;
  let jobId: string;

  const install = async (certificate: TestCertificate): Promise<void> => {
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.importFile({
      slot: 'provider',
      file: certificate.certFile,
      keyFile: certificate.keyFile,
    });
    await certificates.install({ slot: 'provider', candidateId });
  };
  const usable = async (): Promise<Record<string, boolean>> => {
    const { gateways } = await stack.tenant.domain(serviceProvidersDomain).rescan({ providerId: provider.id });
    return Object.fromEntries(gateways.map(({ host, isUsable }) => [host, isUsable]));
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-names-'));
    openssl = await OpenSsl.create();
    root = await openssl.authority('Names Root');
    stack = await Stack.start({
      folder,
      gateways: 3,
      addressOf: (index, { port }) => Promise.resolve({ host: names[index] ?? '', port }),
      tenant: {
        extraRoots: [root.certFile],
        hostAddresses: Object.fromEntries(names.map((name) => [name, '127.0.0.1'])),
        checkInIntervalMs: 0,
      },
    });
    await install(await openssl.server(['DNS:*.a.test'], { issuer: root }));
    provider = await stack.tenant.domain(serviceProvidersDomain).add({
      name: stackNames.provider,
      ...stack.addressOf(0),
      userName: stackNames.account,
      password: stackNames.password,
    });
    await mkdir(path.join(folder, 'source'));
    await writeFile(path.join(folder, 'source', 'letter.txt'), 'dear reader');
    jobId = await stack.addJob(provider.id, path.join(folder, 'source'));
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await openssl[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('uses only the gateway that the wildcard covers, and gives the reason for the others', async () => {
    expect(provider.trust).toBe('trusted');
    expect(await usable()).toEqual({ 'gw1.a.test': true, 'gw.b.test': false, 'x.gw.a.test': false });
    const { providers } = await stack.tenant.domain(serviceProvidersDomain).list({});
    for (const { host, isUsable, reason } of providers[0]?.gateways ?? []) {
      if (isUsable) expect(reason).toBeNull();
      else expect(reason).toContain(`does not cover "${host}"`);
    }
    const session = await stack.runJob(jobId);
    expect(session).toMatchObject({ state: 'succeeded', gateway: 'gw0' });
    const warnings = session.actions.filter(({ level }) => level === 'warning').map(({ text }) => text);
    expect(warnings).toEqual([
      expect.stringContaining('gw1 is not used: The certificate does not cover "gw.b.test"'),
      expect.stringContaining('gw2 is not used: The certificate does not cover "x.gw.a.test"'),
    ]);
  }, 30_000);

  it('are reported in the same way by the doctor and by the list of certificate users', async () => {
    const { checks } = await stack.provider.domain(gatewaysDomain).doctor({});
    const covered = checks.filter(({ check }) => check === 'name-covered');
    expect(covered.map(({ gateway, outcome }) => [gateway, outcome])).toEqual([
      ['gw0', 'ok'],
      ['gw1', 'warning'],
      ['gw2', 'warning'],
    ]);
    expect(covered[1]).toMatchObject({ message: expect.stringContaining('"gw.b.test"') as string });
    expect(covered[1]?.help).not.toBe('');
    const { users } = await stack.provider.domain(certificateDomain).usage({ slot: 'provider' });
    expect(users.filter(({ kind }) => kind === 'gateway')).toMatchObject([
      { name: 'gw0', state: 'updated', note: null },
      { name: 'gw1', state: 'failed', note: expect.stringContaining('"gw.b.test"') as string },
      { name: 'gw2', state: 'failed', note: expect.stringContaining('"x.gw.a.test"') as string },
    ]);
  });

  it('are checked before a new certificate is installed: the wizard shows which gateways it would exclude', async () => {
    const other = await openssl.server(['DNS:gw.b.test', 'DNS:x.gw.a.test'], { issuer: root });
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.importFile({
      slot: 'provider',
      file: other.certFile,
      keyFile: other.keyFile,
    });
    const { users } = await certificates.usage({ slot: 'provider', candidateId });
    const notes = users.filter(({ kind }) => kind === 'gateway').map(({ name, note }) => [name, note]);
    expect(notes[0]).toEqual(['gw0', expect.stringContaining('The new certificate does not cover "gw1.a.test"')]);
  });

  it('fail a job whose only reachable gateways are excluded; the error names each with its reason', async () => {
    const [covered] = stack.gateways;
    await covered?.stop(0);
    const session = await stack.runJob(jobId);
    expect(session).toMatchObject({ state: 'failed', error: { code: 'gateway.excluded' } });
    const message = session.error?.message ?? '';
    expect(message).toContain('gw1: The certificate does not cover "gw.b.test"');
    expect(message).toContain('gw2: The certificate does not cover "x.gw.a.test"');
    expect(message).toMatch(/gw0: Gateway gw1\.a\.test:\d+: ECONNREFUSED|gw0: .*ECONNREFUSED/);
    expect(session.error?.hint).not.toBe('');
  }, 30_000);

  it('uses every gateway whose name is in a certificate with several names', async () => {
    const several = await openssl.server(['DNS:gw1.a.test', 'DNS:gw.b.test'], { issuer: root });
    await install(several);
    // The usable gateway still cannot be reached. The excluded ones are checked again: the new certificate covers one of them.
    expect(await usable()).toEqual({ 'gw1.a.test': true, 'gw.b.test': true, 'x.gw.a.test': false });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded', gateway: 'gw1' });
  }, 30_000);

  it('follow a changed address of a gateway at the next login', async () => {
    const gateways = stack.provider.domain(gatewaysDomain);
    const second = (await gateways.list({})).gateways.find(({ name }) => name === 'gw1');
    const { port } = stack.addressOf(1);
    const address = { host: 'gw.b.test', port };
    const gatewayId = second?.id ?? '';
    await gateways.set({ gatewayId, name: 'moved', addresses: [address, { host: '127.0.0.1', port }] });
    expect(await usable()).toEqual({ 'gw1.a.test': true, 'gw.b.test': true, '127.0.0.1': false, 'x.gw.a.test': false });
    await gateways.set({ gatewayId, name: 'gw1', addresses: [address] });
    expect(Object.keys(await usable())).not.toContain('127.0.0.1');
  });

  it('of a pinned certificate without names allow every gateway', async () => {
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName: 'Pinned', keyBits: 2048 });
    await certificates.install({ slot: 'provider', candidateId });
    for (const address of stack.gatewayAddresses.slice(1)) {
      const { prompt } = await stack.tenant.domain(serviceProvidersDomain).probe(address);
      if (prompt !== null) {
        await stack.tenant
          .domain(trustDomain)
          .answerPrompt({ promptId: prompt.id, answer: 'accept', isCompared: true });
      }
      expect(await stack.tenant.domain(serviceProvidersDomain).probe(address)).toMatchObject({ decision: 'pinned' });
    }
    const { users } = await certificates.usage({ slot: 'provider' });
    expect(users.filter(({ kind, state }) => kind === 'gateway' && state === 'failed')).toEqual([]);
  });
});
