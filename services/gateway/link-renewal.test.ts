// The client certificate of the gateway link outlives its 825 days: renewed over the link, and whatever is cut short leaves a certificate that works.
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
  /** Days are passed one by one, as they are in life; a wait of many days is cut into such pieces. */
  const pass = async (days: number): Promise<void> => {
    for (let day = 0; day < days; day += 1) {
      clock.advance(dayMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('renews at two thirds of the life, and then at most once a day', async () => {
    const daysLeft = Math.floor((renewalDueAt(infrastructure.certificatePem) - clock.now()) / dayMs);
    expect(daysLeft).toBeGreaterThan(100);
    renewal.look();
    await pass(daysLeft - 1);
    expect(renewals).toBe(0);
    await pass(3);
    await vi.waitFor(() => expect(renewals).toBeGreaterThan(0));
    const before = renewals;
    for (let look = 0; look < 50; look += 1) {
      renewal.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(renewals).toBe(before);
  });

  it('tries again an hour after a failure, and not with every link that comes up', async () => {
    failure = new FarkeepError('call.timeout');
    clock.advance(renewalDueAt(infrastructure.certificatePem) - clock.now());
    renewal.look();
    await vi.waitFor(() => expect(renewals).toBe(1));
    for (let look = 0; look < 20; look += 1) {
      renewal.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(renewals).toBe(1);
    failure = undefined;
    clock.advance(hourMs);
    await vi.waitFor(() => expect(renewals).toBe(2));
  });
});

describe('a gateway whose certificate gets old', () => {
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

  it('goes over to a new one over its link; the old one counts until then and not afterwards', async () => {
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

  it('goes on with the old one when the answer was lost', async () => {
    const { started, first } = await enrolled();
    // The provider made one, but the gateway ended before it could save it.
    await started.stop(0);
    provider.renewed.set('ff'.repeat(32), [...provider.known.values()][0] ?? { gatewayId: '', name: '' });
    await untilConnected(await start());
    expect([...provider.known.keys()]).toEqual([fingerprint(first)]);
  });

  it('uses a saved one after a crash before it was used', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    const state = await savedState();
    const another = await authority.issueServer('not known');
    // Saved, known to the provider, no link opened with it yet: the certificate of the same key serves as the renewed one.
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

  it('goes back to the one before when the provider does not know the renewed one', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    const state = await savedState();
    const { certificatePem, privateKeyPem } = await authority.issueServer('not known');
    await writeFile(stateFile(), JSON.stringify({ ...state, renewed: { certificatePem, privateKeyPem } }));
    await untilConnected(await start());
    expect(await savedState()).toMatchObject({ certificatePem: first });
    expect((await savedState()).renewed).toBeUndefined();
  });

  it('says what to do when it was away until its certificate had expired', async () => {
    const { started, first } = await enrolled();
    await started.stop(0);
    provider.known.clear();
    clock.advance(new Date(new X509Certificate(first).validTo).getTime() - clock.now() + dayMs);
    const late = await start();
    await vi.waitFor(() => expect(late.status().linkReason).toContain('expired on'), 10_000);
  });
});
