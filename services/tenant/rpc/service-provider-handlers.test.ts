// The service providers domain of the tenant: looking at a certificate, adding by password or invitation, removal. The provider is in memory.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { mint } from '../../testing/certificates/minted-certificates.ts';
import { callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { sampleDetail } from '../../testing/session/sample-session.ts';
import { openTenantInMemory, type TenantInMemory } from '../../testing/tenant-in-memory.ts';
import type { connectControl, PresentedCertificate } from '../../transport/control-client.ts';
import type { ControlPeer } from '../../transport/control-peer.ts';
import { controlProtocolVersion } from '../../wire/control-messages.ts';
import { makeScramVerifier, ScramServer, type ScramVerifier } from '../../wire/scram.ts';
import type { ProviderDialer } from '../providers/provider-dialer.ts';
import { JobList } from '../jobs/job-list.ts';
import { openLink } from '../providers/provider-link.ts';
import { serviceProviderHandlers } from './service-provider-handlers.ts';

const [known, other] = [mint({ subject: 'northwind' }), mint({ subject: 'fabrikam' })];
const sha256 = summarize(other.certPem).sha256;
const password = 'a good password';
const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' } as const;
const channelBinding = Buffer.alloc(32, 7);
const address = { host: 'gw.fabrikam.test', port: 6180 };
const input = { name: 'fabrikam', ...address, userName: 'contoso', password, fingerprint: sha256 };
const invitation = {
  farkeepInvitation: 1 as const,
  provider: 'Fabrikam',
  gateways: [{ host: 'dead.test', port: 1 }, address],
  user: 'contoso',
  secret: `abc.${password}`,
  fingerprint: sha256,
  expiresAt: '2999-01-01T00:00:00.000Z',
};

describe('the service providers of a tenant', () => {
  /** To make a verifier takes as long as in the service. So all tests share one verifier. */
  let verifier: ScramVerifier;
  let memory: TenantInMemory;
  /** What the provider was asked, in order. */
  let asked: string[];
  let dialed: string[];
  let open: number;
  let isInvited: boolean;
  /** Request at which the provider fails. */
  let failing: string | undefined;
  let news: string[];
  let gone: string[];
  /** Providers whose new values the provider has accepted. */
  let proven: string[];
  let calls: DomainClient<typeof serviceProvidersDomain>;

  beforeAll(async () => {
    verifier = await makeScramVerifier(password);
  });
  beforeEach(async () => {
    const clock = new ManualClock(Date.now());
    memory = await openTenantInMemory(clock, known.certPem);
    const { providers, trustPrompts } = memory;
    asked = [];
    dialed = [];
    open = 0;
    isInvited = false;
    failing = undefined;
    news = [];
    gone = [];
    proven = [];
    const dialer: ProviderDialer = standIn<ProviderDialer>({
      linkOptions: (target) => ({
        ...target,
        trustPrompts,
        rules: { roots: async () => [], revocation: async () => undefined },
        addressOf: (host) => host,
        timeoutMs: 1000,
        software: 'test',
        clock,
        logger: silentLogger,
        connect,
      }),
      askForNews: async (_link, identity) => void news.push(identity),
      openKnown: async (provider, { signal, fingerprint }) => {
        const gateway = { name: provider.host, host: provider.host, port: provider.port };
        return openLink(
          dialer.linkOptions({ identity: provider.name, gateway, waitingJob: null, signal, fingerprint }),
        );
      },
      noteLogin: ({ name }) => void proven.push(name),
      withLink: async (provider) => {
        dialed.push(`known ${provider.name}`);
        if (failing === 'dial') throw new FarkeepError('gateway.unreachable');
        return undefined as never;
      },
    });
    const onNameGone = (name: string): void => void gone.push(name);
    calls = callHandlers(
      serviceProvidersDomain,
      serviceProviderHandlers({ providers, dialer, trustPrompts, onNameGone }),
    );
  });

  const presented: PresentedCertificate = {
    leafDer: other.certDer,
    chainDer: [other.certDer],
    isChainComplete: false,
    othersDer: [],
    isAuthorized: false,
    authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    tls,
  };
  const connect: typeof connectControl = async ({ host, port, decideTrust }) => {
    dialed.push(`${host}:${port}`);
    if (host === 'dead.test') throw new FarkeepError('gateway.unreachable');
    const answer = await decideTrust(presented);
    if (!answer.isAccepted) throw answer.error;
    open += 1;
    return { peer: newPeer(), presented, tls, channelBinding: () => channelBinding };
  };
  const newPeer = (): ControlPeer => {
    const scram = new ScramServer({
      channelBinding,
      unknownUserSecret: Secret.random(),
      findVerifier: async () => verifier,
    });
    let isOpen = true;
    const close = (): void => {
      if (isOpen) open -= 1;
      isOpen = false;
    };
    return standIn<ControlPeer>({
      request: async (name, payload) => {
        asked.push(name);
        if (failing === name) throw new FarkeepError(name.startsWith('login') ? 'login.refused' : 'connection.lost');
        const { message = '' } = payload as { message?: string };
        switch (name) {
          case 'hello':
            return { protocol: controlProtocolVersion, software: 'test', features: [], providerName: 'Fabrikam' };
          case 'login.start':
            return { message: await scram.first(message) };
          case 'login.finish': {
            const outcome = scram.final(message);
            if (!outcome.isAccepted) throw outcome.error;
            return { message: outcome.message, tenantId: 'a'.repeat(32), mustSetPassword: isInvited };
          }
          case 'login.set-password':
            asked.push(JSON.stringify(payload));
            return {};
          case 'gateways.list':
            return { gateways: [] };
          default:
            return { repositories: [{ name: 'main', limitBytes: 10, usedBytes: 1 }] };
        }
      },
      close: async () => close(),
      terminate: close,
    });
  };
  const names = async (): Promise<string[]> => (await calls.list({})).providers.map(({ name }) => name);
  const pinned = (identity: string): string | undefined => memory.pins.current(identity)?.certificate.sha256;

  it('shows the certificate at an address, asks a person, and sends nothing', async () => {
    const probe = await calls.probe(address);
    expect(probe).toMatchObject({ decision: 'refused', tls, certificate: { sha256 }, prompt: { kind: 'untrusted' } });
    expect(asked).toEqual([]);
    memory.pins.accept(address.host, other.certPem);
    expect(await calls.probe(address)).toMatchObject({ decision: 'pinned', prompt: null });
    expect([asked, open]).toEqual([['hello'], 0]);
    expect(await refusalOf(calls.probe({ host: 'dead.test', port: 1 }))).toMatchObject({ code: 'gateway.unreachable' });
  });

  it('adds a provider by its thumbprint and password, and closes the connection', async () => {
    const added = await calls.add({ ...input, host: 'GW.Fabrikam.test' });
    expect(added).toMatchObject({ name: 'fabrikam', ...address, trust: 'pinned', repositories: [{ name: 'main' }] });
    expect(await names()).toEqual(['fabrikam', 'northwind']);
    expect(memory.events.of(serviceProvidersDomain, 'changed')).toMatchObject([{ name: 'fabrikam' }]);
    expect(await memory.providers.credentials(added.id)).toEqual({ userName: 'contoso', password });
    expect(pinned('fabrikam')).toBe(sha256);
    expect([news, open]).toEqual([['fabrikam'], 0]);
    expect(JSON.stringify([asked, memory.events.all])).not.toContain(password);
  });

  it('accepts an invitation through the first gateway that answers, with a password that nobody knows', async () => {
    isInvited = true;
    const { id } = await calls.accept({ invitation });
    expect(dialed).toEqual(['dead.test:1', 'gw.fabrikam.test:6180']);
    const saved = await memory.providers.credentials(id);
    expect(saved.userName).toBe('contoso');
    expect(Buffer.from(saved.password, 'base64url')).toHaveLength(32);
    expect(asked.join()).not.toContain(saved.password);
    expect(await names()).toContain('Fabrikam');
    expect(open).toBe(0);
  });

  describe('changes a provider:', () => {
    let providerId: string;
    const current = async (): Promise<object> => ({
      ...memory.providers.get(providerId),
      ...(await memory.providers.credentials(providerId)),
    });
    beforeEach(() => {
      ({ providerId } = memory);
      memory.pins.accept('northwind', other.certPem);
    });

    it('a new password, after a login with it', async () => {
      const set = await calls.set({ providerId, password });
      expect(set).toMatchObject({ id: providerId, name: 'northwind', certificate: { sha256 }, problem: null });
      expect(await current()).toMatchObject({ password, host: 'gw.test' });
      expect([dialed, proven, news, open]).toEqual([['gw.test:6180'], ['northwind'], ['northwind'], 0]);
      expect(memory.events.of(serviceProvidersDomain, 'changed')).toMatchObject([{ id: providerId }]);
    });

    it('another account and address, with the name and its pins', async () => {
      const jobs = new JobList(memory.state.jobs, new ManualClock(0));
      await jobs.add({ name: 'a', sourcePaths: ['/'], excludes: [], streams: 1, providerId, repository: 'main' });
      memory.pins.announce('northwind', known.certPem, { usableFrom: 0, announcedAt: 1 });
      await calls.set({ providerId, name: 'fabrikam', ...address, userName: 'acme', password });
      expect(await current()).toMatchObject({ name: 'fabrikam', ...address, userName: 'acme', password });
      expect([dialed, gone, proven]).toEqual([['gw.fabrikam.test:6180'], ['northwind'], ['fabrikam']]);
      expect(memory.pins.list().map(({ identity, state }) => [identity, state])).toEqual([
        ['fabrikam', 'next'],
        ['fabrikam', 'current'],
      ]);
      expect(await jobs.all()).toMatchObject([{ providerId, providerName: 'fabrikam' }]);
    });

    it('only the name, without a connection, and in other letters', async () => {
      expect(await calls.set({ providerId, name: 'fabrikam' })).toMatchObject({ name: 'fabrikam' });
      expect(await calls.set({ providerId, name: 'FABRIKAM' })).toMatchObject({ name: 'FABRIKAM' });
      expect([dialed, pinned('FABRIKAM'), pinned('fabrikam'), pinned('northwind')]).toEqual([
        [],
        sha256,
        undefined,
        undefined,
      ]);
      expect(memory.journal.verify().isIntact).toBe(true);
      expect(memory.journal.list().at(-1)).toMatchObject({
        identity: 'FABRIKAM',
        note: expect.stringContaining('"fabrikam"'),
      });
    });

    it('a changed certificate only with its thumbprint; the question compares with the pin of this provider', async () => {
      memory.pins.accept('northwind', known.certPem);
      expect(await refusalOf(calls.set({ providerId, ...address, password }))).toMatchObject({ code: 'trust.changed' });
      expect(memory.trustPrompts.prompts()).toMatchObject([{ kind: 'changed', identity: 'northwind' }]);
      expect(await calls.probe({ ...address, providerId })).toMatchObject({ prompt: { kind: 'changed' } });
      expect([asked, open]).toEqual([[], 0]);
      await calls.set({ providerId, ...address, password, fingerprint: sha256 });
      expect([pinned('northwind'), memory.trustPrompts.prompts()]).toEqual([sha256, []]);
    });

    it('by a new invitation, which replaces account, address and password', async () => {
      isInvited = true;
      memory.pins.accept('northwind', known.certPem);
      const renewed = await calls.accept({ invitation, providerId });
      expect(renewed).toMatchObject({ id: providerId, name: 'northwind', ...address, userName: 'contoso' });
      const saved = await memory.providers.credentials(providerId);
      expect(Buffer.from(saved.password, 'base64url')).toHaveLength(32);
      expect([await names(), pinned('northwind'), proven]).toEqual([['northwind'], sha256, ['northwind']]);
    });

    it('keeps the password of a new invitation although the connection is lost then', async () => {
      isInvited = true;
      failing = 'repositories.list';
      const renewed = await calls.accept({ invitation, providerId });
      expect(renewed).toMatchObject({ problemCode: 'connection.lost', repositories: [{ name: 'main' }] });
      expect(Buffer.from((await memory.providers.credentials(providerId)).password, 'base64url')).toHaveLength(32);
    });

    it.each<[string, string, object, string]>([
      ['a refused login', 'login.finish', { password, name: 'fabrikam' }, 'login.refused'],
      ['a wrong password', '', { password: 'wrong' }, 'login.refused'],
      ['a lost connection', 'gateways.list', { ...address, password }, 'connection.lost'],
      ['a dead address', '', { host: 'dead.test' }, 'gateway.unreachable'],
      [
        'another thumbprint',
        '',
        { password, fingerprint: Array(32).fill('AB').join(':') },
        'trust.thumbprint-mismatch',
      ],
    ])('nothing after %s', async (_case, request, changes, code) => {
      failing = request;
      const before = await current();
      const pins = memory.pins.list();
      expect(await refusalOf(calls.set({ providerId, fingerprint: sha256, ...changes }))).toMatchObject({ code });
      expect(await current()).toEqual(before);
      expect([memory.pins.list(), open, proven, gone, memory.events.all]).toEqual([pins, 0, [], [], []]);
    });

    it('no name that is taken, or whose certificate was revoked', async () => {
      await calls.add(input);
      const before = memory.pins.list();
      expect(await refusalOf(calls.set({ providerId, name: 'Fabrikam' }))).toMatchObject({
        code: 'call.conflict',
        field: 'name',
      });
      memory.pins.revoke(memory.pins.accept('acme', other.certPem).id);
      expect(await refusalOf(calls.set({ providerId, name: 'acme' }))).toMatchObject({ code: 'trust.refused' });
      expect(memory.pins.list().filter(({ identity }) => identity !== 'acme')).toEqual(before);
      expect(await names()).toEqual(['fabrikam', 'northwind']);
    });

    it('no new name while a session is unfinished, but a new password', async () => {
      const detail = sampleDetail('a'.repeat(32), { state: 'waiting-to-resume' });
      await memory.state.sessions.save({ owner: 'job', summary: detail, detail, samples: [], context: { providerId } });
      expect(await refusalOf(calls.set({ providerId, name: 'fabrikam' }))).toMatchObject({
        code: 'call.conflict',
        field: 'name',
      });
      expect([await names(), pinned('northwind')]).toEqual([['northwind'], sha256]);
      await calls.set({ providerId, password });
      expect(await current()).toMatchObject({ name: 'northwind', password });
    });
  });

  it('scans a provider again, and passes on why it cannot', async () => {
    const { providerId } = memory;
    expect(await calls.rescan({ providerId })).toMatchObject({ name: 'northwind' });
    expect(dialed).toEqual(['known northwind']);
    failing = 'dial';
    expect(await refusalOf(calls.rescan({ providerId }))).toMatchObject({ code: 'gateway.unreachable' });
  });

  it('removes a provider that no job uses, with what depends on it', async () => {
    const { providerId } = memory;
    const jobs = new JobList(memory.state.jobs, new ManualClock(0));
    const job = { name: 'documents', sourcePaths: ['/'], excludes: [], streams: 1, providerId, repository: 'main' };
    const jobId = await jobs.add(job);
    expect(await refusalOf(calls.remove({ providerId }))).toMatchObject({ code: 'call.conflict' });
    expect([await names(), gone, memory.events.all]).toEqual([['northwind'], [], []]);
    await jobs.remove(jobId);
    expect(await calls.remove({ providerId })).toEqual({});
    expect([await names(), gone]).toEqual([[], ['northwind']]);
    expect(memory.events.all).toEqual([{ domain: 'serviceProviders', event: 'removed', payload: { providerId } }]);
  });

  describe('refuses, and then no provider was added and no connection is left:', () => {
    const wrong = Array(32).fill('AB').join(':');
    it.each<[string, () => Promise<unknown>, string, number]>([
      ['a taken name, without connecting', () => calls.add({ ...input, name: 'Northwind' }), 'call.conflict', 0],
      ['a taken name in an invitation', () => calls.accept({ invitation, name: 'NORTHWIND' }), 'call.conflict', 0],
      ['another thumbprint', () => calls.add({ ...input, fingerprint: wrong }), 'trust.thumbprint-mismatch', 1],
      [
        'another thumbprint in an invitation',
        () => calls.accept({ invitation: { ...invitation, fingerprint: wrong } }),
        'trust.thumbprint-mismatch',
        2,
      ],
      [
        'a certificate that nobody has accepted',
        () => calls.add({ ...input, fingerprint: undefined }),
        'trust.untrusted',
        1,
      ],
      [
        'an invitation without a gateway that answers',
        () => calls.accept({ invitation: { ...invitation, gateways: [{ host: 'dead.test', port: 1 }] } }),
        'gateway.unreachable',
        1,
      ],
      ['port 0', () => calls.probe({ ...address, port: 0 }), 'call.invalid', 0],
      ['a password of 257 characters', () => calls.add({ ...input, password: 'a'.repeat(257) }), 'call.invalid', 0],
      ['to scan nobody', () => calls.rescan({ providerId: 'f'.repeat(32) }), 'call.not-found', 0],
      ['to remove nobody', () => calls.remove({ providerId: 'f'.repeat(32) }), 'call.not-found', 0],
    ])('%s', async (_case, call, code, dials) => {
      expect(await refusalOf(call())).toMatchObject({ code });
      expect([await names(), dialed.length, asked, open]).toEqual([['northwind'], dials, [], 0]);
    });

    it.each([
      ['hello', 'connection.lost'],
      ['login.start', 'login.refused'],
    ])('a provider that fails at %s', async (request, code) => {
      failing = request;
      expect(await refusalOf(calls.add(input))).toMatchObject({ code });
      expect([await names(), open, news]).toEqual([['northwind'], 0, []]);
      expect([memory.pins.list(), memory.journal.list()]).toEqual([[], []]);
    });

    it('a disk that takes no provider: the pin of the host stays where it is', async () => {
      memory.pins.accept(address.host, other.certPem);
      memory.state.providers.add = () => Promise.reject(new FarkeepError('storage.disk-full'));
      expect(await refusalOf(calls.add({ ...input, fingerprint: undefined }))).toMatchObject({
        code: 'storage.disk-full',
      });
      expect([pinned(address.host), pinned('fabrikam')]).toEqual([sha256, undefined]);
    });
  });
});
