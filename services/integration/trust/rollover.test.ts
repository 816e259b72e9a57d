// The planned change of the provider identity, with real services: announced, stored, carried out at its date; tenants that were offline;
// forged announcements.
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CertificateUser, Rollover, StoredCertificate } from '../../contracts/models/certificate.ts';
import type { TrustJournalEntry } from '../../contracts/models/trust.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { announceRollover } from '../../pki/create/rollover.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { Stack, stackNames, type StackService } from '../../testing/site/stack.ts';

const hourMs = 3_600_000;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

describe('planned rollover', () => {
  let folder: string;
  let clock: ShiftedClock;
  let stack: Stack;
  let providerId: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-rollover-'));
    clock = new ShiftedClock();
    stack = await Stack.start({ folder, clock, tenant: { checkInIntervalMs: 0 } });
    providerId = (await stack.addProvider()).id;
  }, 60_000);

  afterEach(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const makeNext = async (friendlyName = 'Next'): Promise<StoredCertificate> => {
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName, keyBits: 2048 });
    return certificates.store({ candidateId });
  };
  const announce = async (next: StoredCertificate, inMs = 48 * hourMs): Promise<Rollover> =>
    stack.provider.domain(certificateDomain).announceRollover({
      certificateId: next.id,
      switchAt: new Date(clock.now() + inMs).toISOString(),
    });
  const rescan = (tenant: StackService = stack.tenant, id = providerId): Promise<unknown> =>
    tenant.domain(serviceProvidersDomain).rescan({ providerId: id });
  const tenantRow = async (name: string = stackNames.account): Promise<CertificateUser | undefined> => {
    const { users } = await stack.provider.domain(certificateDomain).usage({ slot: 'provider' });
    return users.find((user) => user.kind === 'tenant' && user.name === name);
  };
  const journal = async (tenant: StackService = stack.tenant): Promise<TrustJournalEntry[]> => {
    const { entries, isIntact } = await tenant.domain(trustDomain).journal({});
    expect(isIntact).toBe(true);
    return entries;
  };
  /** Also waits for its gateway. */
  const restartProvider = async (): Promise<void> => {
    await stack.restartProvider();
    await stack.provider.events.waitFor(gatewaysDomain, 'changed', ({ state }) => state === 'connected');
  };
  const untilInService = (next: StoredCertificate): Promise<unknown> =>
    stack.provider.events.waitFor(
      certificateDomain,
      'installed',
      ({ certificate }) => certificate.summary.sha256 === next.summary.sha256,
    );

  it('does not count a tenant as informed about a new date when it knows only the former date', async () => {
    const next = await makeNext();
    await announce(next);
    await rescan();
    expect(await tenantRow()).toMatchObject({ state: 'informed' });
    // A tenant that knows the later date would get a prompt at the earlier date.
    expect((await announce(next, 24 * hourMs)).tenants).toEqual({ total: 1, informed: 0, failed: 0 });
    await rescan();
    expect(await tenantRow()).toMatchObject({ state: 'informed' });
  }, 60_000);

  it('needs no prompt at a tenant that got the announcement, and a prompt at one that did not', async () => {
    const old = await stack.fingerprint();
    const quotas = [{ repository: stackNames.repository, limitBytes: 2 ** 30 }];
    await stack.provider.domain(tenantsDomain).add({ name: 'away', password: stackNames.password, quotas });
    const away = await stack.startAnotherTenant('tenant-away');
    try {
      const { id: awayProviderId } = await away.domain(serviceProvidersDomain).add({
        name: stackNames.provider,
        ...stack.addressOf(0),
        userName: 'away',
        password: stackNames.password,
        fingerprint: old,
      });
      expect(await tenantRow()).toMatchObject({ state: 'updated', seenSha256: old });

      const next = await makeNext();
      const announced = await announce(next);
      expect(announced).toMatchObject({
        currentSha256: old,
        tenants: { total: 2, informed: 0, failed: 0 },
        problem: null,
      });
      expect(await tenantRow()).toMatchObject({ state: 'pending', seenSha256: old });

      await rescan();
      expect(await tenantRow()).toMatchObject({ state: 'informed', seenSha256: old });
      expect(await tenantRow('away')).toMatchObject({ state: 'pending' });
      const { rollover } = await stack.provider.domain(certificateDomain).showRollover({});
      expect(rollover?.tenants).toEqual({ total: 2, informed: 1, failed: 0 });
      const { pins } = await stack.tenant.domain(trustDomain).listPins({});
      expect(pins.map(({ state, certificate }) => [state, certificate.sha256]).sort()).toEqual([
        ['current', old],
        ['next', next.summary.sha256],
      ]);
      expect((await journal()).at(-1)).toMatchObject({ action: 'announced', sha256: next.summary.sha256 });
      // The announcement is sent at every login and stored once.
      await rescan();
      expect((await journal()).filter(({ action }) => action === 'announced')).toHaveLength(1);

      clock.advance(48 * hourMs);
      await untilInService(next);
      expect(await stack.fingerprint()).toBe(next.summary.sha256);
      expect(await stack.provider.domain(certificateDomain).showRollover({})).toEqual({ rollover: null });
      expect(await tenantRow()).toMatchObject({ state: 'informed', seenSha256: old });
      expect(await tenantRow('away')).toMatchObject({ state: 'pending', seenSha256: old });

      await rescan();
      expect((await stack.tenant.domain(trustDomain).listPrompts({})).prompts).toEqual([]);
      const last = (await journal()).at(-1);
      expect(last).toMatchObject({ action: 'rolled-over', sha256: next.summary.sha256 });
      expect(last?.note).toContain('announcement');
      expect(await tenantRow()).toMatchObject({ state: 'updated', seenSha256: next.summary.sha256 });

      expect(await codeOf(rescan(away, awayProviderId))).toBe('trust.changed');
      const [prompt] = (await away.domain(trustDomain).listPrompts({})).prompts;
      expect(prompt).toMatchObject({
        kind: 'changed',
        saved: { sha256: old },
        presented: { sha256: next.summary.sha256 },
      });
      const trust = away.domain(trustDomain);
      await trust.verifyThumbprint({ promptId: prompt?.id ?? '', pasted: next.summary.sha256 });
      await trust.answerPrompt({ promptId: prompt?.id ?? '', answer: 'accept' });
      await rescan(away, awayProviderId);
      expect(await tenantRow('away')).toMatchObject({ state: 're-accepted', seenSha256: next.summary.sha256 });
    } finally {
      await away.service.stop(2000);
    }
  }, 60_000);

  it('refuses a forged announcement with a security warning, and keeps using the pinned certificate', async () => {
    const old = await stack.fingerprint();
    const next = await makeNext();
    await announce(next);
    await stack.stopProvider();
    // An attacker who can write the provider's database but does not have its key.
    const attacker = await generateSelfSigned({ subject: { commonName: 'attacker' }, keyBits: 2048 });
    const { privateKey, certificatePem } = attacker;
    const forged = announceRollover({
      currentCertificatePem: certificatePem,
      currentKey: createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' }),
      nextCertificatePem: next.summary.pem,
      switchAt: clock.now() + hourMs,
      now: clock.now(),
    });
    const database = new DatabaseSync(path.join(folder, 'provider', 'provider.sqlite'));
    const plan = { certificateId: next.id, announcement: { ...forged, currentSha256: old } };
    const { changes } = database
      .prepare("UPDATE settings SET value = ? WHERE name = 'rollover'")
      .run(Buffer.from(JSON.stringify(plan)));
    expect(changes).toBe(1);
    database.close();
    await restartProvider();

    await rescan();
    await rescan();
    const { pins } = await stack.tenant.domain(trustDomain).listPins({});
    expect(pins).toMatchObject([{ state: 'current', certificate: { sha256: old } }]);
    const refusals = (await journal()).filter(({ action }) => action === 'refused');
    expect(refusals).toMatchObject([{ identity: stackNames.provider, sha256: next.summary.sha256 }]);
    expect(refusals[0]?.note).toContain('not signed by the key of the pinned certificate');
    expect(stack.tenant.events.of(trustDomain, 'announcement')).toMatchObject([{ outcome: 'refused' }]);
    const row = await tenantRow();
    expect(row).toMatchObject({ state: 'failed', seenSha256: old });
    expect(row?.note).toContain('not signed');

    // The change is still carried out, and the new certificate is treated as any changed certificate.
    clock.advance(hourMs);
    await untilInService(next);
    expect(await codeOf(rescan())).toBe('trust.changed');
  }, 60_000);

  it('shows the security warning of a forged announcement in a session', async () => {
    const old = await stack.fingerprint();
    const next = await makeNext();
    await announce(next);
    await stack.stopProvider();
    const database = new DatabaseSync(path.join(folder, 'provider', 'provider.sqlite'));
    const value = database.prepare("SELECT value FROM settings WHERE name = 'rollover'").get()?.['value'];
    const plan = JSON.parse(Buffer.from(value as Uint8Array).toString()) as { announcement: Record<string, unknown> };
    // Genuine except for its date, which is earlier than the provider has signed.
    plan.announcement['switchAt'] = new Date(clock.now() + hourMs).toISOString();
    database.prepare("UPDATE settings SET value = ? WHERE name = 'rollover'").run(Buffer.from(JSON.stringify(plan)));
    database.close();
    await restartProvider();
    const jobId = await stack.addJob(providerId, path.join(folder, 'gateway0'));
    const session = await stack.runJob(jobId);
    expect(session).toMatchObject({ state: 'succeeded', hasSecurityWarning: true, certificateSha256: old });
  }, 60_000);

  it('lets tenants delete a canceled announcement, and can announce it again', async () => {
    const next = await makeNext();
    const first = await announce(next);
    await rescan();
    expect(await tenantRow()).toMatchObject({ state: 'informed' });
    await stack.provider.domain(certificateDomain).cancelRollover({});
    expect(stack.provider.events.of(certificateDomain, 'rolloverChanged').at(-1)).toEqual({ rollover: null });
    await rescan();
    const { pins } = await stack.tenant.domain(trustDomain).listPins({});
    expect(pins.filter(({ state }) => state === 'next')).toEqual([]);
    expect((await journal()).at(-1)).toMatchObject({ action: 'withdrawn', sha256: next.summary.sha256 });
    expect(await tenantRow()).toMatchObject({ state: 'updated' });
    // The second announcement counts as a new one.
    const second = await announce(next);
    expect(Date.parse(second.announcedAt)).toBeGreaterThan(Date.parse(first.announcedAt));
    await rescan();
    expect(await tenantRow()).toMatchObject({ state: 'informed' });
  }, 60_000);

  it('is kept after restarts, and is carried out at the start if it became due meanwhile', async () => {
    const next = await makeNext();
    await announce(next);
    await rescan();
    await restartProvider();
    const { rollover } = await stack.provider.domain(certificateDomain).showRollover({});
    expect(rollover).toMatchObject({ next: { id: next.id }, tenants: { informed: 1 } });
    await stack.stopProvider();
    clock.advance(60 * hourMs);
    await restartProvider();
    await untilInService(next);
    await rescan();
    expect((await journal()).at(-1)).toMatchObject({ action: 'rolled-over' });
  }, 60_000);

  it('refuses invalid dates and certificates, and keeps the current announcement', async () => {
    const certificates = stack.provider.domain(certificateDomain);
    const inService = await certificates.show({ slot: 'provider' });
    const next = await makeNext();
    const at = (ms: number): string => new Date(clock.now() + ms).toISOString();
    const announceAt = (certificateId: string, ms: number): Promise<unknown> =>
      certificates.announceRollover({ certificateId, switchAt: at(ms) });
    expect(await codeOf(announceAt(next.id, -1000))).toBe('call.invalid');
    expect(await codeOf(announceAt(next.id, 401 * 24 * hourMs))).toBe('call.invalid');
    expect(await codeOf(announceAt(inService.id, hourMs))).toBe('call.conflict');
    expect(await codeOf(certificates.announceRollover({ switchAt: at(hourMs) }))).toBe('call.invalid');
    expect(await certificates.showRollover({})).toEqual({ rollover: null });
    const announced = await announce(next);
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    const { invitation } = await stack.provider
      .domain(tenantsDomain)
      .invite({ tenantId: tenants[0]?.id ?? '', validMs: 72 * 3_600_000 });
    // Its thumbprint is that of the certificate that is replaced then.
    expect(invitation.expiresAt).toBe(announced.switchAt);
    expect(await codeOf(certificates.remove({ certificateId: next.id }))).toBe('call.conflict');
    // Another installed certificate cancels the announcement, because its signature was made with a key that is no longer in service.
    const other = await makeNext('Other');
    await certificates.install({ slot: 'provider', certificateId: other.id });
    expect(await certificates.showRollover({})).toEqual({ rollover: null });
  }, 60_000);

  it('says why the change failed at its date, and repeats it until it succeeds', async () => {
    const next = await makeNext();
    await announce(next);
    const certificateFolder = path.join(folder, 'provider', 'certificates', next.id);
    await rename(path.join(certificateFolder, 'key.pem'), path.join(folder, 'key.pem'));
    clock.advance(48 * hourMs);
    const { rollover } = await stack.provider.events.waitFor(
      certificateDomain,
      'rolloverChanged',
      (changed) => changed.rollover?.problem !== undefined && changed.rollover.problem !== null,
    );
    expect(rollover?.problem).not.toBe('');
    expect(await stack.fingerprint()).toBe(rollover?.currentSha256);
    await rename(path.join(folder, 'key.pem'), path.join(certificateFolder, 'key.pem'));
    clock.advance(60_000);
    await untilInService(next);
  }, 60_000);
});

describe('a tenant without a job', () => {
  it('gets the announcement when it contacts the provider', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-check-in-'));
    const clock = new ShiftedClock();
    const stack = await Stack.start({ folder, clock });
    try {
      await stack.addProvider();
      const certificates = stack.provider.domain(certificateDomain);
      const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName: 'Next', keyBits: 2048 });
      const switchAt = new Date(clock.now() + 48 * hourMs).toISOString();
      await certificates.announceRollover({ candidateId, switchAt });
      clock.advance(2 * hourMs);
      const stored = await stack.tenant.events.waitFor(trustDomain, 'announcement');
      expect(stored).toMatchObject({ outcome: 'stored', switchAt });
      await stack.provider.events.waitFor(
        certificateDomain,
        'rolloverChanged',
        ({ rollover }) => rollover?.tenants.informed === 1,
      );
    } finally {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
