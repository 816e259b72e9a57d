// Tests a real gateway and its provider over real sockets: enrollment, the link, a provider that stops and starts again.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock, type Clock } from '../kernel/clock.ts';
import {
  gatewaySite,
  makeGatewayCertificates,
  portOf,
  type GatewayCertificates,
} from '../testing/site/gateway-site.ts';
import { createEnrollmentToken } from '../transport/enrollment-token.ts';

let certificates: GatewayCertificates;
beforeAll(async () => {
  certificates = await makeGatewayCertificates();
});

let home = '';
const homes: string[] = [];
async function useNewHome(): Promise<void> {
  home = await mkdtemp(path.join(tmpdir(), 'farkeep-gateway-'));
  homes.push(home);
}
const cleanUps: (() => unknown)[] = [];
beforeEach(useNewHome);
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  for (const used of homes.splice(0)) await rm(used, { recursive: true, force: true });
});

const site = gatewaySite({ certificates: () => certificates, home: () => home, undo: cleanUps });
const { startProvider, start, startBoth } = site;

describe('enrollment and link', () => {
  it('enrolls with a token, does not send its key, and reconnects without the token', async () => {
    const { provider, gateway } = await startBoth();
    const file = path.join(home, 'link-identity.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const saved = JSON.parse(await readFile(file, 'utf8')) as { certificatePem: string };
    expect(provider.known.size).toBe(1);
    expect(new X509Certificate(saved.certificatePem).subject).toContain('gw-test');
    await gateway.stop(0);
    await vi.waitFor(() => expect(provider.links.gateways()).toHaveLength(0));
    await start();
    expect(await provider.untilConnected()).toBe('gateway-1');
  });

  it('uses a token once', async () => {
    const provider = await startProvider();
    const token = provider.makeToken();
    const first = await start();
    await first.enroll({ token, replace: false });
    await expect(first.enroll({ token, replace: false })).rejects.toMatchObject({ code: 'call.conflict' });
    await expect(first.enroll({ token, replace: true })).rejects.toMatchObject({ code: 'gateway.token-invalid' });
    // The failed attempt changed nothing.
    expect(first.status()).toMatchObject({ isEnrolled: true });
  });

  it('sends its secret only to the provider that the token names', async () => {
    const provider = await startProvider();
    const gateway = await start();
    const token = provider.makeToken({ fingerprint: '00'.repeat(32) });
    await expect(gateway.enroll({ token, replace: false })).rejects.toMatchObject({
      code: 'trust.thumbprint-mismatch',
    });
    expect(provider.known.size).toBe(0);
    expect(gateway.status()).toMatchObject({ isEnrolled: false, link: 'not-enrolled' });
  });

  it.each(['', 'hello', 'farkeep-gateway-1.', 'farkeep-gateway-1.e30', `farkeep-gateway-1.${'A'.repeat(5000)}`])(
    'refuses the token "%.30s" with a reason',
    async (token) => {
      const gateway = await start();
      await expect(gateway.enroll({ token, replace: false })).rejects.toMatchObject({ code: 'gateway.token-invalid' });
    },
  );

  it('refuses an expired token without connecting', async () => {
    const provider = await startProvider();
    const gateway = await start();
    await expect(
      gateway.enroll({ token: provider.makeToken({ expiresAtMs: Date.now() - 5_000 }), replace: false }),
    ).rejects.toMatchObject({ code: 'gateway.token-invalid', message: expect.stringContaining('expired') as string });
  });

  it('waits for a provider that is not running yet, with the token from a file', async () => {
    const first = await startProvider();
    const infrastructurePort = first.links.port;
    await first.close();
    const tokens = new Set<string>();
    const { token, secretHash } = createEnrollmentToken({
      host: '127.0.0.1',
      port: infrastructurePort,
      fingerprint: new X509Certificate(certificates.infrastructure.certificatePem).fingerprint256,
      expiresAtMs: Date.now() + 60_000,
    });
    tokens.add(secretHash);
    const tokenFile = path.join(home, 'token.txt');
    await writeFile(tokenFile, `${token}\n`);
    const quick: Clock = {
      now: () => Date.now(),
      sleep: (delayMs, signal) => systemClock.sleep(Math.min(delayMs, 20), signal),
    };
    const gateway = await start({ enrollmentTokenFile: tokenFile }, quick);
    await vi.waitFor(() =>
      expect(gateway.status()).toMatchObject({
        isEnrolled: false,
        link: 'waiting',
        linkReason: expect.stringContaining('ECONNREFUSED') as string,
      }),
    );
    const provider = await startProvider({ infrastructurePort, tokens });
    await provider.untilConnected();
    await vi.waitFor(() =>
      expect(gateway.status()).toMatchObject({ isEnrolled: true, link: 'connected', linkReason: null }),
    );
    // The same token in the configuration is not used again, and the token file may be missing.
    await gateway.stop(0);
    await rm(tokenFile);
    await vi.waitFor(() => expect(provider.links.gateways()).toHaveLength(0));
    await start({ enrollmentTokenFile: tokenFile }, quick);
    await provider.untilConnected();
  });

  it('names the setting when the token of its configuration is invalid', async () => {
    await expect(start({ enrollmentToken: 'nonsense' })).rejects.toMatchObject({
      code: 'config.invalid',
      field: 'enrollmentToken',
    });
    await expect(start({ enrollmentTokenFile: path.join(home, 'missing') })).rejects.toMatchObject({
      code: 'config.invalid',
      field: 'enrollmentTokenFile',
    });
  });

  it('says which file is damaged', async () => {
    await writeFile(path.join(home, 'link-identity.json'), '{"version":1}');
    await expect(start()).rejects.toMatchObject({
      code: 'storage.damaged',
      message: expect.stringContaining('link-identity.json') as string,
    });
  });

  it('names a port that is in use', async () => {
    const gateway = await start();
    await useNewHome();
    await expect(start({ listen: [{ host: '127.0.0.1', port: portOf(gateway) }] })).rejects.toMatchObject({
      code: 'service.port-in-use',
    });
  });

  it('gives the reason when the provider does not know the gateway any more', async () => {
    const { provider, gateway, gatewayId } = await startBoth();
    provider.known.clear();
    const { FarkeepError } = await import('../kernel/farkeep-error.ts');
    await provider.links.disconnect(gatewayId, new FarkeepError('gateway.not-enrolled', 'removed by the admin'));
    await vi.waitFor(() =>
      expect(gateway.status()).toMatchObject({
        link: 'waiting',
        linkReason: expect.stringMatching(/removed by the admin|does not know/) as string,
      }),
    );
  });

  it('refuses another gateway in the place of the provider, although the same authority issued its certificate', async () => {
    const { provider, gateway } = await startBoth();
    const port = provider.links.port;
    await provider.close();
    await vi.waitFor(() => expect(gateway.status().link).toBe('waiting'));
    // The attacker has a genuine client certificate and listens at the provider's address.
    const { generateKeyPairSync } = await import('node:crypto');
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificatePem = await certificates.authority.authority.issueClientCertificate({
      publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }),
      commonName: 'gw-evil',
    });
    const impostor = {
      certificatePem,
      privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    const evil = await startProvider({ infrastructure: impostor, infrastructurePort: port, known: provider.known });
    await vi.waitFor(() => expect(gateway.status().linkReason).toMatch(/certificate/), { timeout: 10_000 });
    expect(evil.links.gateways()).toHaveLength(0);
  });
});
