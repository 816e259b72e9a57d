// Tests that the gateway link works for longer than the 825 days of its client certificate: the gateway renews the certificate over the
// link, and after an interruption one of its certificates still works.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger } from '../kernel/logger.ts';
import {
  makeAuthority,
  makeSelfSigned,
  type FixtureAuthority,
  type FixtureIdentity,
} from '../testing/certificates/certificate-fixture.ts';
import { startProviderFixture, type ProviderFixture } from '../testing/site/gateway-fixture.ts';
import { ShiftedClock } from '../testing/shifted-clock.ts';
import { fingerprintOf } from '../transport/gateway-link-client.ts';
import { gatewayConfigSchema } from './config.ts';
import type { GatewayState } from './gateway-state.ts';
import { LinkRenewal, renewalDueAt } from './link-renewal.ts';
import { startGateway, type GatewayService } from './service.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

let authority: FixtureAuthority;
let infrastructure: FixtureIdentity;
let identity: FixtureIdentity;
beforeAll(async () => {
  authority = await makeAuthority('infrastructure');
  infrastructure = await authority.issueServer('provider infrastructure');
  identity = await makeSelfSigned('provider');
});

describe('LinkRenewal', () => {
  let clock: ShiftedClock;
  let renewals: number;
  let failure: FarkeepError | undefined;
  let renewal: LinkRenewal;
  beforeEach(() => {
    clock = new ShiftedClock();
    renewals = 0;
    failure = undefined;
    renewal = new LinkRenewal({
      clock,
      logger: silentLogger,
      certificateInUse: () => infrastructure.certificatePem,
      renew: () => {
        renewals += 1;
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
    });
  });
  afterEach(() => renewal.stop());
  /** Advances the clock day by day, because a long wait is made of several timers. */
  const pass = async (days: number): Promise<void> => {
    for (let day = 0; day < days; day += 1) {
      clock.advance(dayMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('renews after two thirds of the life, and then at most once a day', async () => {
    const daysLeft = Math.floor((renewalDueAt(infrastructure.certificatePem) - clock.now()) / dayMs);
    expect(daysLeft).toBeGreaterThan(100);
    renewal.look();
    await pass(daysLeft - 1);
    expect(renewals).toBe(0);
    await pass(3);
    await vi.waitFor(() => expect(renewals).toBeGreaterThan(0));
    const before = renewals;
    for (let round = 0; round < 50; round += 1) {
      renewal.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(renewals).toBe(before);
  });

  it('tries again an hour after a failure, not with every new link', async () => {
    failure = new FarkeepError('call.timeout');
    clock.advance(renewalDueAt(infrastructure.certificatePem) - clock.now());
    renewal.look();
    await vi.waitFor(() => expect(renewals).toBe(1));
    for (let round = 0; round < 20; round += 1) {
      renewal.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(renewals).toBe(1);
    failure = undefined;
    clock.advance(hourMs);
    await vi.waitFor(() => expect(renewals).toBe(2));
  });
});

describe('a gateway whose certificate must be renewed', () => {
  let home: string;
  let clock: ShiftedClock;
  let provider: ProviderFixture;
  let gateway: GatewayService | undefined;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'farkeep-renewal-'));
    clock = new ShiftedClock();
    provider = await startProviderFixture({ authority, infrastructure, identity });
  });
  afterEach(async () => {
    await gateway?.stop(0);
    await provider.close();
    await rm(home, { recursive: true, force: true });
  });

  const stateFile = (): string => path.join(home, 'link-identity.json');
  const savedState = async (): Promise<GatewayState> => JSON.parse(await readFile(stateFile(), 'utf8')) as GatewayState;
  const fingerprint = (pem: string): string => fingerprintOf(new X509Certificate(pem));
  const start = async (token?: string): Promise<GatewayService> => {
    gateway = await startGateway({
      home,
      config: gatewayConfigSchema.parse({
        listen: [{ host: '127.0.0.1', port: 0 }],
        ...(token === undefined ? {} : { enrollmentToken: token }),
      }),
      logger: silentLogger,
      clock,
      version: '0.0.0',
    });
    return gateway;
  };
  const untilConnected = (started: GatewayService): Promise<void> =>
    vi.waitFor(() => expect(started.status().link).toBe('connected'), 10_000);
  const enrolled = async (): Promise<{ started: GatewayService; first: string }> => {
    const started = await start(provider.makeToken());
    await untilConnected(started);
    return { started, first: (await savedState()).certificatePem };
  };
  const passTwoThirds = (certificatePem: string): void => clock.advance(renewalDueAt(certificatePem) - clock.now());

  it('changes to the new certificate over its link; the old one is valid until then and not afterwards', async () => {
    const { started, first } = await enrolled();
    expect(Math.round((renewalDueAt(first) - Date.now()) / dayMs)).toBe(550);
    passTwoThirds(first);
    await vi.waitFor(async () => {
      const { certificatePem, renewed } = await savedState();
      expect(certificatePem).not.toBe(first);
      expect(renewed).toBeUndefined();
    }, 10_000);
    await untilConnected(started);
    const { certificatePem, gatewayId } = await savedState();
    expect([...provider.known.keys()]).toEqual([fingerprint(certificatePem)]);
    expect(provider.links.gateways().map((link) => link.gatewayId)).toEqual([gatewayId]);
    await started.stop(0);
    await untilConnected(await start());
  });

  it('keeps the old certificate when the answer was lost', async () => {
    const { started, first } = await enrolled();
    // The provider issued a certificate, but the gateway ended before it could save this certificate.
    await started.stop(0);
    provider.renewed.set('ff'.repeat(32), [...provider.known.values()][0] ?? { gatewayId: '', name: '' });
    await untilConnected(await start());
    expect([...provider.known.keys()]).toEqual([fingerprint(first)]);
  });

  it('uses a saved certificate after a crash before its first use', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    const state = await savedState();
    const another = await authority.issueServer('not known');
    // Saved and known to the provider, but not used for a link yet. The test uses the current certificate as the renewed one.
    const renewed = { certificatePem: state.certificatePem, privateKeyPem: state.privateKeyPem };
    await writeFile(
      stateFile(),
      JSON.stringify({
        ...state,
        certificatePem: another.certificatePem,
        privateKeyPem: another.privateKeyPem,
        renewed,
      }),
    );
    await untilConnected(await start());
    await vi.waitFor(async () => expect((await savedState()).renewed).toBeUndefined());
    expect((await savedState()).certificatePem).toBe(first);
  });

  it('returns to the former certificate when the provider does not know the renewed one', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    const state = await savedState();
    const { certificatePem, privateKeyPem } = await authority.issueServer('not known');
    await writeFile(stateFile(), JSON.stringify({ ...state, renewed: { certificatePem, privateKeyPem } }));
    await untilConnected(await start());
    expect(await savedState()).toMatchObject({ certificatePem: first });
    expect((await savedState()).renewed).toBeUndefined();
  });

  it('says what to do when it was offline until its certificate expired', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    provider.known.clear();
    clock.advance(new Date(new X509Certificate(first).validTo).getTime() - clock.now() + dayMs);
    const expired = await start();
    await vi.waitFor(() => expect(expired.status().linkReason).toContain('expired on'), 10_000);
  });
});
