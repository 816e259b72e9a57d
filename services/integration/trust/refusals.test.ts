// Connections that must fail, and their errors: gateway or provider not running, wrong secrets, wrong certificates, old TLS, another
// tenant's session.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorInfo } from '../../contracts/errors.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { toPem } from '../../pki/certificate/certificate-summary.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { connectControl } from '../../transport/control-client.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { ScramClient } from '../../wire/scram.ts';
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { TamperingProxy } from '../../testing/hostile/tampering-proxy.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

async function infoOf(work: Promise<unknown>): Promise<ErrorInfo | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return toFarkeepError(error).toInfo();
  }
}

describe('refusals before a session', () => {
  let folder: string;
  let stack: Stack;
  let fingerprint: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-refusals-'));
    stack = await Stack.start({ folder });
    fingerprint = await stack.fingerprint();
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const account = (): { name: string; host: string; port: number; userName: string; password: string } => ({
    name: 'northwind',
    ...stack.addressOf(0),
    userName: stackNames.account,
    password: stackNames.password,
  });

  it('refuses a certificate that nobody accepted, and asks once', async () => {
    const add = stack.tenant.domain(serviceProvidersDomain).add;
    expect(await codeOf(add(account()))).toBe('trust.untrusted');
    expect(await codeOf(add(account()))).toBe('trust.untrusted');
    const { prompts } = await stack.tenant.domain(trustDomain).listPrompts({});
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toMatchObject({ kind: 'untrusted', saved: null });
    // Not even the user name was sent.
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    expect(tenants[0]?.lastLoginAt).toBeNull();
  });

  it('stores nothing about a refused prompt except in the journal', async () => {
    const { prompt } = await stack.tenant.domain(serviceProvidersDomain).probe(stack.addressOf(0));
    await stack.tenant.domain(trustDomain).answerPrompt({ promptId: prompt?.id ?? '', answer: 'refuse' });
    expect(await codeOf(stack.tenant.domain(serviceProvidersDomain).add(account()))).toBe('trust.untrusted');
    const { entries, isIntact } = await stack.tenant.domain(trustDomain).journal({});
    expect(isIntact).toBe(true);
    expect(entries.at(-1)).toMatchObject({ action: 'refused', sha256: fingerprint });
    expect((await stack.tenant.domain(trustDomain).listPins({})).pins).toEqual([]);
  });

  it('says whether a pasted thumbprint matches', async () => {
    const { prompt } = await stack.tenant.domain(serviceProvidersDomain).probe(stack.addressOf(0));
    const verify = stack.tenant.domain(trustDomain).verifyThumbprint;
    const promptId = prompt?.id ?? '';
    const pasted = `\u200e ${fingerprint.toLowerCase().replaceAll(':', ' ')}`;
    expect(await verify({ promptId, pasted })).toEqual({ isMatch: true, algorithm: 'SHA-256' });
    expect(await verify({ promptId, pasted: fingerprint.replace(/^../, '00') })).toMatchObject({
      isMatch: fingerprint.startsWith('00'),
    });
    expect(await codeOf(verify({ promptId, pasted: 'AB:CD' }))).toBe('trust.thumbprint-malformed');
  });

  it('refuses a wrong thumbprint without a prompt', async () => {
    const wrong = fingerprint.replace(/^../, (pair) => (pair === '00' ? '01' : '00'));
    const add = stack.tenant.domain(serviceProvidersDomain).add({ ...account(), fingerprint: wrong });
    expect(await codeOf(add)).toBe('trust.thumbprint-mismatch');
    expect((await stack.tenant.domain(serviceProvidersDomain).list({})).providers).toEqual([]);
  });

  it('names the new provider in the error when its thumbprint is wrong', async () => {
    const wrong = fingerprint.replace(/^../, (pair) => (pair === '00' ? '01' : '00'));
    const add = stack.tenant.domain(serviceProvidersDomain).add({ ...account(), name: 'p5', fingerprint: wrong });
    expect((await infoOf(add))?.message).toMatch(/^p5: /);
  });

  it('gives the same message for a wrong password and an unknown user', async () => {
    const add = stack.tenant.domain(serviceProvidersDomain).add;
    const wrongPassword = add({ ...account(), password: 'not the password', fingerprint });
    const unknownUser = add({ ...account(), userName: 'nobody', fingerprint });
    const infos = await Promise.all([wrongPassword, unknownUser].map(infoOf));
    expect(infos[0]?.code).toBe('login.refused');
    // Without the typed name, which differs.
    const typed = (text: string | undefined): string | undefined => text?.replace(/"[^"]*"/, '"NAME"');
    expect(infos[0]?.message).toContain(`"${stackNames.account}"`);
    expect({ ...infos[1], message: typed(infos[1]?.message) }).toEqual({
      ...infos[0],
      message: typed(infos[0]?.message),
    });
  });

  it('refuses a peer that only supports TLS 1.2', async () => {
    const { certificatePem, privateKey } = await generateSelfSigned({ subject: { commonName: 'old' }, keyBits: 2048 });
    const server = createServer({
      cert: certificatePem,
      key: toPem(privateKey.bytes, 'PRIVATE KEY'),
      maxVersion: 'TLSv1.2',
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect(await codeOf(stack.tenant.domain(serviceProvidersDomain).probe({ host: '127.0.0.1', port }))).toBe(
        'tls.version',
      );
    } finally {
      server.close();
    }
  });

  it('accepts an invitation once', async () => {
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    const { invitation } = await stack.provider
      .domain(tenantsDomain)
      .invite({ tenantId: tenants[0]?.id ?? '', validMs: 3_600_000 });
    const accept = stack.tenant.domain(serviceProvidersDomain).accept;
    const provider = await accept({ invitation, name: 'invited' });
    expect(provider).toMatchObject({ name: 'invited', trust: 'pinned', userName: stackNames.account });
    expect(provider.repositories.map(({ name }) => name)).toEqual([stackNames.repository]);
    expect(await codeOf(accept({ invitation, name: 'again' }))).toBe('login.refused');
    // The password that the tenant chose is valid from now on, the former one is not.
    await stack.tenant.domain(serviceProvidersDomain).rescan({ providerId: provider.id });
    const old = stack.tenant.domain(serviceProvidersDomain).add({ ...account(), name: 'old', fingerprint });
    expect(await codeOf(old)).toBe('login.refused');
  });
});

describe('a second account behind the same gateway', () => {
  it('gets its own pin, by an accepted prompt and by a thumbprint, and keeps working when the first account is removed', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-second-account-'));
    const stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
    try {
      const { id: firstId } = await stack.addProvider();
      const { add, rescan, remove } = stack.tenant.domain(serviceProvidersDomain);
      const trust = stack.tenant.domain(trustDomain);
      const fingerprint = await stack.fingerprint();
      const account = { ...stack.addressOf(0), userName: stackNames.account, password: stackNames.password };
      const second = await add({ ...account, name: 'by-pin' });
      const third = await add({ ...account, name: 'by-thumbprint', fingerprint });
      const { pins } = await trust.listPins({});
      expect(new Map(pins.map(({ identity, certificate }) => [identity, certificate.sha256]))).toEqual(
        new Map([stackNames.provider, 'by-pin', 'by-thumbprint'].map((name) => [name, fingerprint])),
      );
      const { entries, isIntact } = await trust.journal({});
      expect(isIntact).toBe(true);
      for (const identity of ['by-pin', 'by-thumbprint']) {
        expect(entries).toContainEqual(expect.objectContaining({ identity, action: 'accepted', sha256: fingerprint }));
      }
      await remove({ providerId: firstId });
      expect(await rescan({ providerId: second.id })).toMatchObject({ trust: 'pinned', problem: null });
      expect(await rescan({ providerId: third.id })).toMatchObject({ trust: 'pinned', problem: null });

      // Only a person can end a revocation; a pin of another account does not.
      await remove({ providerId: second.id });
      await trust.revokePin({ pinId: pins.find(({ identity }) => identity === 'by-pin')?.id ?? '' });
      expect(await codeOf(add({ ...account, name: 'by-pin' }))).toBe('trust.refused');
    } finally {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('refusals of a job', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let jobId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-refusals-'));
    source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'a.txt'), 'a');
    stack = await Stack.start({ folder });
    const provider = await stack.addProvider();
    jobId = await stack.addJob(provider.id, source);
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('hides sessions and restore points of other tenants', async () => {
    const session = await stack.runJob(jobId);
    expect(session).toMatchObject({ error: null, state: 'succeeded' });
    const password = 'the other tenant';
    const quotas = [{ repository: stackNames.repository, limitBytes: 1e9 }];
    await stack.provider.domain(tenantsDomain).add({ name: 'fabrikam', password, quotas });
    const channel = await connectControl({
      ...stack.addressOf(0),
      serverName: 'localhost',
      decideTrust: () => Promise.resolve({ isAccepted: true }),
    });
    const { peer } = channel;
    await askProvider(peer, 'hello', { protocol: 1, software: 'test', features: [] });
    const scram = new ScramClient({ userName: 'fabrikam', password, channelBinding: channel.channelBinding() });
    const first = await askProvider(peer, 'login.start', {
      mechanism: 'SCRAM-SHA-256-PLUS',
      message: scram.first(),
    });
    await askProvider(peer, 'login.finish', { message: await scram.answer(first.message) });

    const sessionId = session.id;
    const pointId = session.pointId ?? '';
    expect((await askProvider(peer, 'points.list', { after: null, limit: 10 })).points).toEqual([]);
    const start = {
      sessionId: newId(),
      jobId: newId(),
      jobName: 'theft',
      repository: stackNames.repository,
      pointId,
      streams: 1,
      areNamesHidden: false,
    };
    for (const operation of ['restore', 'browse'] as const) {
      expect(await codeOf(askProvider(peer, 'session.start', { ...start, operation }))).toBe('call.not-found');
    }
    expect(await codeOf(askProvider(peer, 'session.resume', { sessionId, streams: 1 }))).toBe('call.not-found');
    expect(await codeOf(askProvider(peer, 'session.evidence', { sessionId }))).toBe('call.not-found');
    const unknownRepository = { ...start, operation: 'backup' as const, repository: 'not granted' };
    expect(await codeOf(askProvider(peer, 'session.start', unknownRepository))).toBe('call.not-found');
    // A session cannot be taken over by reusing its identifier either.
    const taken = { ...start, sessionId, operation: 'backup' as const, pointId: null };
    expect(await codeOf(askProvider(peer, 'session.start', taken))).toBe('call.conflict');
    await peer.close();
  });

  it('fails at once when the gateway is not running', async () => {
    await Promise.all(stack.gateways.splice(0).map((gateway) => gateway.stop(0)));
    const session = await stack.runJob(jobId);
    expect(session.state).toBe('failed');
    expect(session.error?.code).toBe('gateway.unreachable');
    expect(session.pointId).toBeNull();
    expect(session.steps.at(-1)).toMatchObject({ step: 'gateway-connect', outcome: 'failed' });
  });
});

describe('a first contact that is interrupted', () => {
  it('fails at once during the login, and does not announce another attempt', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-broken-login-'));
    const proxies: TamperingProxy[] = [];
    const stack = await Stack.start({
      folder,
      tenant: { checkInIntervalMs: 0 },
      addressOf: async (_index, real) => {
        const proxy = await TamperingProxy.start(real);
        proxies.push(proxy);
        return { host: '127.0.0.1', port: proxy.port };
      },
    });
    try {
      await writeFile(path.join(folder, 'a.txt'), 'a');
      const jobId = await stack.addJob((await stack.addProvider()).id, path.join(folder, 'a.txt'));
      const { events } = stack.tenant;
      for (const proxy of proxies) {
        proxy.interfere = () =>
          events.of(sessionsDomain, 'stepped').some(({ step: { step } }) => step === 'login') ? 'cut' : undefined;
      }
      const session = await stack.runJob(jobId);
      expect(session).toMatchObject({ state: 'failed', attempt: 1 });
      expect(session.steps.at(-1)).toMatchObject({ step: 'login', outcome: 'failed' });
      expect(session.error).toMatchObject({ code: 'connection.lost', hint: 'Run the job again.' });
    } finally {
      await stack.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('refusals after a change at the provider', () => {
  let folder: string;
  let stack: Stack;
  let jobId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-refusals-'));
    await mkdir(path.join(folder, 'source'));
    await writeFile(path.join(folder, 'source', 'a.txt'), 'a');
    stack = await Stack.start({ folder });
    const provider = await stack.addProvider();
    jobId = await stack.addJob(provider.id, path.join(folder, 'source'));
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  async function changeCertificate(): Promise<void> {
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName: 'next', keyBits: 2048 });
    await certificates.install({ slot: 'provider', candidateId });
  }

  it('lets a job wait for the answer to a changed certificate', async () => {
    const before = await stack.fingerprint();
    await changeCertificate();
    const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId });
    const prompt = await stack.tenant.events.waitFor(trustDomain, 'promptRaised');
    expect(prompt).toMatchObject({ kind: 'changed', waitingJob: 'documents', identity: stackNames.provider });
    expect(prompt.saved?.sha256).toBe(before);
    const answer = stack.tenant.domain(trustDomain).answerPrompt;
    expect(await codeOf(answer({ promptId: prompt.id, answer: 'accept' }))).toBe('call.refused');
    await stack.tenant.events.waitFor(
      sessionsDomain,
      'changed',
      ({ id, state }) => id === sessionId && state === 'waiting-to-resume',
    );
    await answer({ promptId: prompt.id, answer: 'accept', isCompared: true });
    const session = await stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded' });
    expect(session.certificateSha256).toBe(await stack.fingerprint());
  });

  it('fails the job when the changed certificate is refused', async () => {
    await changeCertificate();
    const presented = await stack.fingerprint();
    const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId });
    const { id } = await stack.tenant.events.waitFor(
      trustDomain,
      'promptRaised',
      (prompt) => prompt.presented.sha256 === presented,
    );
    await stack.tenant.domain(trustDomain).answerPrompt({ promptId: id, answer: 'refuse' });
    const session = await stack.untilEnded(sessionId);
    expect(session.state).toBe('failed');
    expect(session.error).toMatchObject({
      code: 'trust.refused',
      message: 'The certificate has changed and was refused; nothing was sent',
    });
    expect(session.actions.map(({ text }) => text).join()).toContain(
      'The certificate has changed: another one is pinned',
    );
    expect(JSON.stringify(session)).not.toContain('not pinned');
    expect(session.steps.find(({ step }) => step === 'certificate-checked')?.outcome).toBe('security-warning');
    await stack.acceptByPrompt();
  });

  it('reports a wrong password when the provider has set another one', async () => {
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    const tenantId = tenants[0]?.id ?? '';
    await stack.provider.domain(tenantsDomain).set({ tenantId, password: 'another password' });
    const session = await stack.runJob(jobId);
    expect(session.error?.code).toBe('login.refused');
    expect(session.steps.find(({ step }) => step === 'login')?.outcome).toBe('failed');
    // Each list asks every provider. A refused password is not sent again for lists; otherwise the provider would lock out the address.
    const lists = await Promise.all(Array.from({ length: 25 }, () => stack.tenant.domain(pointsDomain).list({})));
    for (const { unreachable } of lists) expect(unreachable).toMatchObject([{ message: session.error?.message }]);
    await stack.provider.domain(tenantsDomain).set({ tenantId, password: stackNames.password });
    const { providers } = await stack.tenant.domain(serviceProvidersDomain).list({});
    await stack.tenant.domain(serviceProvidersDomain).rescan({ providerId: providers[0]?.id ?? '' });
    expect((await stack.tenant.domain(pointsDomain).list({})).unreachable).toEqual([]);
    await stack.provider.domain(tenantsDomain).set({ tenantId, isEnabled: false });
    expect((await stack.runJob(jobId)).error?.code).toBe('login.disabled');
    await stack.provider.domain(tenantsDomain).set({ tenantId, isEnabled: true, leaseUntil: '2020-01-01T00:00:00Z' });
    expect((await stack.runJob(jobId)).error?.code).toBe('login.lease-expired');
    await stack.provider.domain(tenantsDomain).set({ tenantId, leaseUntil: null });
  });

  it('names a missing repository, and a quota that is used up', async () => {
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    const tenantId = tenants[0]?.id ?? '';
    const quotas = [{ repository: stackNames.repository, limitBytes: 10 }];
    await stack.provider.domain(tenantsDomain).set({ tenantId, quotas });
    expect((await stack.runJob(jobId)).error?.code).toBe('quota.exceeded');
    await stack.provider
      .domain(tenantsDomain)
      .set({ tenantId, quotas: [{ repository: stackNames.repository, limitBytes: 1e9 }] });
    await rm(path.join(stack.repositoryFolder, 'farkeep-repository.json'));
    expect((await stack.runJob(jobId)).error?.code).toBe('storage.io');
    expect((await stack.tenant.domain(pointsDomain).list({})).points).toHaveLength(1);
  });

  it('fails at once when the provider is not running', async () => {
    await stack.stopProvider();
    const session = await stack.runJob(jobId);
    expect(session.state).toBe('failed');
    expect(session.error?.code).toBe('gateway.provider-unreachable');
  });
});
