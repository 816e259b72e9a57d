// The license of a provider, with the real service: imported, shown, refused, expired; generated certificates use its organization.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { licenseDomain } from '../../contracts/rpc/license.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { RunningService } from '../../kernel/running-service.ts';
import { writeLicense, type License } from '../../pki/create/license.ts';
import { providerConfigSchema } from '../../provider/state/config.ts';
import { startProvider } from '../../provider/service.ts';
import { RecordedEvents } from '../../testing/recorded-events.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { clientOf } from '../../testing/site/stack.ts';

const dayMs = 86_400_000;

describe('the license of a provider', () => {
  let folder: string;
  let clock: ShiftedClock;
  let events: RecordedEvents;
  let service: RunningService;
  let licenses: DomainClient<typeof licenseDomain>;
  let certificates: DomainClient<typeof certificateDomain>;
  let issuer: KeyObject;
  let keyFile: string;

  const start = async (): Promise<void> => {
    events = new RecordedEvents();
    service = await startProvider({
      home: path.join(folder, 'provider'),
      config: providerConfigSchema.parse({
        control: { host: '127.0.0.1', port: 0 },
        infrastructure: { host: '127.0.0.1', port: 0 },
        certificateKeyBits: 2048,
        licenseKeyFiles: [keyFile],
      }),
      logger: silentLogger,
      clock,
      publish: events.publish,
    });
    licenses = clientOf(licenseDomain, service);
    certificates = clientOf(certificateDomain, service);
  };
  const write = async (changes: Partial<License> = {}, key = issuer): Promise<string> => {
    const file = path.join(folder, 'northwind.license');
    const license: License = {
      formatVersion: 1,
      id: 'FK-0001',
      organization: 'Northwind Hosting',
      edition: 'enterprise',
      issuedAt: new Date(clock.now() - dayMs).toISOString(),
      expiresAt: new Date(clock.now() + 365 * dayMs).toISOString(),
      ...changes,
    };
    await writeFile(file, writeLicense(license, key));
    return file;
  };
  const generatedSubject = async (): Promise<string> => {
    const { summary } = await certificates.generate({ slot: 'provider', friendlyName: 'New', keyBits: 2048 });
    return summary.subject;
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-license-'));
    await mkdir(path.join(folder, 'provider'));
    clock = new ShiftedClock();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    issuer = privateKey;
    keyFile = path.join(folder, 'issuer.pem');
    await writeFile(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
    await start();
  }, 30_000);

  afterEach(async () => {
    await service.stop(1000);
    await rm(folder, { recursive: true, force: true });
  });

  it('is the community license of this machine at first', async () => {
    expect(await licenses.show({})).toEqual({
      organization: hostname(),
      edition: 'community',
      expiresAt: null,
      isCommunity: true,
      problem: null,
    });
    const { subject } = await certificates.describeGenerate({ slot: 'provider' });
    expect(subject).toContain(`CN=${hostname()}`);
    expect((await certificates.show({ slot: 'provider' })).summary.subject).toBe(subject);
  });

  it('gives its organization to certificates that are made later, also after a restart', async () => {
    const file = await write();
    expect(await licenses.importFile({ file })).toMatchObject({
      organization: 'Northwind Hosting',
      edition: 'enterprise',
      isCommunity: false,
      problem: null,
    });
    expect(events.of(licenseDomain, 'changed')).toHaveLength(1);
    await rm(file);
    const subject = 'CN=Northwind Hosting, O=Northwind Hosting';
    expect(await certificates.describeGenerate({ slot: 'server' })).toMatchObject({ subject });
    expect(await generatedSubject()).toBe(subject);
    await service.stop(1000);
    await start();
    expect(await licenses.show({})).toMatchObject({ organization: 'Northwind Hosting' });
    expect(await certificates.describeGenerate({ slot: 'provider' })).toMatchObject({ subject });
  }, 30_000);

  it('is refused when no known issuer signed it, or when it was changed, has expired, or is not a license; the current one stays', async () => {
    await licenses.importFile({ file: await write() });
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const foreign = await failureOf(licenses.importFile({ file: await write({ organization: 'Contoso' }, stranger) }));
    expect(foreign).toMatchObject({ code: 'license.invalid' });
    expect(foreign.message).toContain('signature');
    const ended = await write({ organization: 'Contoso', expiresAt: new Date(clock.now() - dayMs).toISOString() });
    expect(await failureOf(licenses.importFile({ file: ended }))).toMatchObject({ code: 'license.expired' });
    const garbage = path.join(folder, 'garbage');
    await writeFile(garbage, 'hello');
    expect(await failureOf(licenses.importFile({ file: garbage }))).toMatchObject({ code: 'license.invalid' });
    const missing = await failureOf(licenses.importFile({ file: path.join(folder, 'none') }));
    expect(missing).toMatchObject({ code: 'source.missing' });
    expect(missing.message).toContain(path.join(folder, 'none'));
    expect(await licenses.show({})).toMatchObject({ organization: 'Northwind Hosting', problem: null });
  }, 30_000);

  it('becomes the community license when it expires, with the reason, and consoles are notified', async () => {
    await licenses.importFile({ file: await write() });
    clock.advance(366 * dayMs);
    await events.waitFor(licenseDomain, 'changed', ({ isCommunity }) => isCommunity);
    const shown = await licenses.show({});
    expect(shown).toMatchObject({ organization: hostname(), edition: 'community' });
    expect(shown.problem).toContain('expired');
    expect((await certificates.describeGenerate({ slot: 'provider' })).subject).toContain(`CN=${hostname()}`);
    await service.stop(1000);
    await start();
    expect((await licenses.show({})).problem).toContain('expired');
  }, 30_000);
});
