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
import { openTenantInMemory, type TenantInMemory } from '../../testing/tenant-in-memory.ts';
import type { connectControl, PresentedCertificate } from '../../transport/control-client.ts';
import type { ControlPeer } from '../../transport/control-peer.ts';
import { controlProtocolVersion } from '../../wire/control-messages.ts';
import { makeScramVerifier, ScramServer, type ScramVerifier } from '../../wire/scram.ts';
import type { ProviderDialer } from '../providers/provider-dialer.ts';
import { JobList } from '../jobs/job-list.ts';
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
  let removed: string[];
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
    removed = [];
    const dialer = standIn<ProviderDialer>({
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
      withLink: async (provider) => {
        dialed.push(`known ${provider.name}`);
        if (failing === 'dial') throw new FarkeepError('gateway.unreachable');
        return undefined as never;
      },
    });
    const onRemoved = (name: string): void => void removed.push(name);
    calls = callHandlers(
      serviceProvidersDomain,
      serviceProviderHandlers({ providers, dialer, trustPrompts, onRemoved }),
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
    expect([await names(), removed, memory.events.all]).toEqual([['northwind'], [], []]);
    await jobs.remove(jobId);
    expect(await calls.remove({ providerId })).toEqual({});
    expect([await names(), removed]).toEqual([[], ['northwind']]);
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
    });
  });
});
