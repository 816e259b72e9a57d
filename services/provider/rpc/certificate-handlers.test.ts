// The certificate domain of the provider: candidates in memory, what is stored and put in service, and what happens to keys.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WindowsCertificates } from '../../certstore/windows-certificates.ts';
import type { CallContext, DomainClient } from '../../contracts/contract.ts';
import type { Rollover } from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { Secret } from '../../kernel/secret.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { MemoryCertificates } from '../../testing/certificates/memory-certificates.ts';
import { mint } from '../../testing/certificates/minted-certificates.ts';
import { adminAtCommandLine, callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory, type ProviderInMemory } from '../../testing/provider-in-memory.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { CertificateInstaller } from '../certificates/certificate-installer.ts';
import type { CertificateSettingsStore } from '../certificates/certificate-settings.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';
import type { RolloverPlan } from '../certificates/rollover.ts';
import { CertificateHandlers } from './certificate-handlers.ts';

const minuteMs = 60_000;
const inService = mint({ subject: 'in service' });
const next = mint({ subject: 'next' });
const sha256Of = ({ certPem }: typeof next): string => summarize(certPem).sha256;
const switchAt = '2027-04-01T12:00:00.000Z';
const provider = 'provider' as const;
const missing = 'f'.repeat(32);

describe('the certificates of a provider', () => {
  let clock: ManualClock;
  let certificates: MemoryCertificates;
  let memory: ProviderInMemory;
  let domain: CertificateHandlers;
  /** Keys of candidates that came from another store. */
  let keys: Secret[];
  let asked: string[];
  let announcedId: string | undefined;
  let keyBits: 2048 | 3072 | 4096;
  let putInService: () => Promise<void>;
  let inServiceId: string;
  let calls: DomainClient<typeof certificateDomain>;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    certificates = new MemoryCertificates();
    memory = await openProviderInMemory(clock);
    keys = [];
    asked = [];
    announcedId = undefined;
    keyBits = 2048;
    putInService = async () => undefined;
    inServiceId = certificates.install(provider, inService);
    const { store } = certificates;
    const { users, gateways, accounts, audit, events } = memory;
    domain = new CertificateHandlers({
      store,
      windowsCertificates: standIn<WindowsCertificates>({
        list: async () => [],
        pick: async () => {
          const privateKey = Secret.take(next.key.export({ type: 'pkcs8', format: 'der' }));
          keys.push(privateKey);
          return {
            summary: summarize(next.certPem),
            format: 'PEM',
            certificatePem: next.certPem,
            chainPem: inService.certPem,
            chainLength: 1,
            privateKey,
            friendlyName: `\n${'long '.repeat(40)}`,
            warnings: ['It expires soon'],
            [Symbol.dispose]: () => privateKey.dispose(),
          };
        },
      }),
      identity: standIn<ProviderIdentity>({ sha256: sha256Of(inService), covers: () => true }),
      gateways,
      clock,
      audit: audit.log,
      publish: events.publish,
      subject: () => ({ commonName: 'Northwind', organization: 'Northwind Ltd', organizationalUnit: 'Backup' }),
      settings: standIn<CertificateSettingsStore>({
        keyBits: async () => keyBits,
        setKeyBits: async (bits) => void (keyBits = bits),
        show: async () => ({ keyBits, protection: { kind: 'key-file', description: 'A key file', keychain: null } }),
        protect: async (kind) => {
          if (kind === 'os-keychain') throw new FarkeepError('call.refused', 'There is no keychain');
        },
      }),
      installer: new CertificateInstaller({
        store,
        audit: audit.log,
        publish: events.publish,
        putInService: () => putInService(),
      }),
      users,
      certificateUsageEvents: standIn<CertificateUsageEvents>({
        usageChanged: (slot) => void asked.push(`usage changed: ${slot}`),
      }),
      accounts,
      rollover: standIn<RolloverPlan>({
        nextSha256: undefined,
        isAnnounced: (id) => id === announcedId,
        announce: async (id, at, who) => {
          asked.push(`announce ${id} ${at} ${who}`);
          return rolloverTo(id);
        },
        show: async () => (announcedId === undefined ? null : rolloverTo(announcedId)),
        cancel: async (who) => void asked.push(`cancel ${who}`),
      }),
    });
    calls = callFrom('command line');
  });

  const callFrom = (kind: CallContext['caller']['kind']): DomainClient<typeof certificateDomain> =>
    callHandlers(certificateDomain, domain.handlers(), { kind, account: 'admin' });
  const rolloverTo = async (id: string): Promise<Rollover> => ({
    next: await certificates.store.get(id),
    currentSha256: sha256Of(inService),
    announcedAt: switchAt,
    switchAt,
    tenants: { total: 0, informed: 0, failed: 0 },
    problem: null,
  });
  const pickNext = async (): Promise<string> =>
    (await calls.pick({ slot: provider, pickId: `windows:${'A'.repeat(40)}` })).candidateId;
  const isGone = (key: Secret | undefined): boolean => {
    try {
      return key?.bytes === undefined;
    } catch {
      return true;
    }
  };
  const list = async (): Promise<string[]> =>
    (await calls.list({})).certificates.map(({ summary }) => summary.commonName);

  it('shows a picked certificate without storing it, with a name that can be shown', async () => {
    const candidate = await calls.pick({ slot: provider, pickId: `windows:${'A'.repeat(40)}` });
    expect(candidate).toMatchObject({
      chainLength: 1,
      warnings: ['It expires soon'],
      keyProtection: { kind: 'key-file' },
    });
    expect(candidate.summary.commonName).toBe('next');
    expect(candidate.friendlyName).toMatch(/^long .*$/);
    expect(candidate.friendlyName.length).toBeLessThanOrEqual(100);
    expect(await list()).toEqual(['in service']);
  });

  it('stores a candidate once, and forgets its key in memory', async () => {
    const candidateId = await pickNext();
    expect(isGone(keys[0])).toBe(false);
    expect(await calls.store({ candidateId })).toMatchObject({ origin: 'picked', installedInSlots: [] });
    expect(isGone(keys[0])).toBe(true);
    expect(await list()).toEqual(['in service', 'next']);
    expect(await refusalOf(calls.store({ candidateId }))).toMatchObject({ code: 'call.not-found' });
  });

  it('drops a candidate with its key after 30 minutes', async () => {
    const candidateId = await pickNext();
    await clock.advance(30 * minuteMs);
    expect(await calls.usage({ slot: provider, candidateId })).toMatchObject({ total: 0 });
    await clock.advance(1);
    expect(await refusalOf(calls.store({ candidateId }))).toMatchObject({ code: 'call.not-found' });
    expect(isGone(keys[0])).toBe(true);
    expect(await list()).toEqual(['in service']);
  });

  it('keeps at most 32 candidates, and drops the oldest with their keys', async () => {
    for (let each = 0; each < 34; each += 1) await pickNext();
    expect(keys.map(isGone)).toEqual([true, true, ...Array.from({ length: 32 }, () => false)]);
  });

  it('drops no candidate when one of 32 is only read', async () => {
    const [first = ''] = await Promise.all(Array.from({ length: 32 }, () => pickNext()));
    expect(await calls.usage({ slot: provider, candidateId: first })).toMatchObject({ total: 0 });
    expect(keys.some(isGone)).toBe(false);
  });

  it('drops all candidates with their keys when the service ends', async () => {
    await pickNext();
    await pickNext();
    domain.dispose();
    expect(keys.map(isGone)).toEqual([true, true]);
  });

  it('installs a candidate: stored, in service, recorded, and shown to consoles', async () => {
    const stored = await calls.install({ slot: provider, candidateId: await pickNext() });
    expect(stored).toMatchObject({ installedInSlots: [provider], summary: { sha256: sha256Of(next) } });
    expect(await list()).toEqual(['next', 'in service']);
    expect(memory.audit.lines).toEqual([`${adminAtCommandLine}: certificate.install provider`]);
    expect(memory.events.of(certificateDomain, 'installed')).toEqual([{ slot: provider, certificate: stored }]);
    expect(asked).toEqual([]);
  });

  it('leaves the certificate before in service when the new one cannot be served', async () => {
    putInService = () => Promise.reject(new FarkeepError('certificate.malformed'));
    const refused = calls.install({ slot: provider, candidateId: await pickNext() });
    expect(await refusalOf(refused)).toMatchObject({ code: 'certificate.malformed' });
    expect(await calls.show({ slot: provider })).toMatchObject({ id: inServiceId });
    expect([memory.audit.entries, memory.events.all]).toEqual([[], []]);
  });

  it('notes which certificate a console has seen, and only consoles', async () => {
    await calls.show({ slot: provider });
    const seen = (): Promise<unknown> =>
      memory.users.list(provider, { sha256: sha256Of(inService), nextSha256: undefined });
    expect(await seen()).toEqual([]);
    const atConsole = callFrom('console');
    await atConsole.show({ slot: provider });
    await atConsole.show({ slot: provider });
    expect(await seen()).toMatchObject([{ kind: 'console', name: 'admin', state: 'updated' }]);
    expect(asked).toEqual(['usage changed: provider']);
    await atConsole.install({ slot: provider, candidateId: await pickNext() });
    expect(asked).toHaveLength(2);
  });

  it('generates with the subject of the license and the key length of the settings', async () => {
    expect(await calls.describeGenerate({ slot: provider })).toMatchObject({
      subject: 'CN=Northwind, OU=Backup, O=Northwind Ltd',
      keyBits: 2048,
      validYears: 10,
    });
    const made = await calls.generate({ slot: provider, friendlyName: 'Mine' });
    expect(made).toMatchObject({ friendlyName: 'Mine', summary: { keyType: 'RSA-2048', isSelfSigned: true } });
    expect(await calls.store({ candidateId: made.candidateId })).toMatchObject({ origin: 'generated' });
  });

  it('imports a file without storing it, named after its certificate', async () => {
    const file = path.join(await makeTemporaryFolder(), 'certificate.pem');
    const good = mint({ subject: 'from a file' });
    await writeFile(file, good.certPem + good.keyPem);
    const read = await calls.importFile({ slot: provider, file });
    expect(read).toMatchObject({ friendlyName: 'from a file', summary: { sha256: sha256Of(good) } });
    expect(await list()).toEqual(['in service']);
  });

  it('picks a certificate of its own store again without a second copy', async () => {
    const picked = await calls.pick({ slot: provider, pickId: `farkeep:${inServiceId}` });
    expect(picked).toMatchObject({ friendlyName: 'A certificate', warnings: [] });
    expect(await calls.store({ candidateId: picked.candidateId })).toMatchObject({ id: inServiceId });
    expect(await list()).toEqual(['in service']);
  });

  it('changes the settings, records them, and shows the certificates anew when their protection changes', async () => {
    expect(await calls.setSettings({ keyBits: 4096 })).toMatchObject({ keyBits: 4096 });
    expect(memory.events.all).toEqual([]);
    await calls.setSettings({ protection: 'key-file' });
    expect(memory.events.of(certificateDomain, 'installed')).toMatchObject([{ slot: provider }]);
    expect(memory.audit.entries).toMatchObject([
      { action: 'certificate.settings', parameters: { keyBits: 4096, protection: 'A key file' } },
      { action: 'certificate.settings' },
    ]);
    memory.audit.entries.length = 0;
    const refused = calls.setSettings({ keyBits: 2048, protection: 'os-keychain' });
    expect(await refusalOf(refused)).toMatchObject({ code: 'call.refused' });
    expect(memory.audit.entries).toEqual([]);
    expect(await calls.getSettings({})).toMatchObject({ keyBits: 4096 });
  });

  it('renames a stored certificate, and shows the new name where it is in service or announced', async () => {
    const certificateId = certificates.add(next);
    expect(await calls.rename({ certificateId, friendlyName: 'Spare' })).toMatchObject({ friendlyName: 'Spare' });
    expect(memory.events.all).toEqual([]);
    expect(memory.audit.entries).toMatchObject([
      { action: 'certificate.rename', subject: 'A certificate', parameters: { name: 'Spare' } },
    ]);
    announcedId = certificateId;
    await calls.rename({ certificateId, friendlyName: 'Next year' });
    await calls.rename({ certificateId: inServiceId, friendlyName: 'This year' });
    expect(memory.events.all).toMatchObject([
      { event: 'rolloverChanged', payload: { rollover: { next: { friendlyName: 'Next year' } } } },
      { event: 'installed', payload: { slot: provider, certificate: { friendlyName: 'This year' } } },
    ]);
    expect(await refusalOf(calls.rename({ certificateId, friendlyName: ' ' }))).toMatchObject({ code: 'call.invalid' });
    expect(await refusalOf(calls.rename({ certificateId: missing, friendlyName: 'x' }))).toMatchObject({
      code: 'call.not-found',
    });
  });

  it('warns about the chain of a certificate of its own store as it does for a file', async () => {
    const id = certificates.add(next);
    certificates.warnings.set(id, 'The chain is not trusted');
    expect(await calls.pick({ slot: provider, pickId: `farkeep:${id}` })).toMatchObject({
      warnings: ['The chain is not trusted'],
    });
  });

  it('removes a certificate that nothing needs', async () => {
    const certificateId = certificates.add(next);
    announcedId = certificateId;
    expect(await refusalOf(calls.remove({ certificateId }))).toMatchObject({
      code: 'call.conflict',
      hint: 'Cancel the planned change first.',
    });
    expect(await refusalOf(calls.remove({ certificateId: inServiceId }))).toMatchObject({ code: 'call.conflict' });
    expect(memory.audit.entries).toEqual([]);
    announcedId = undefined;
    expect(await calls.remove({ certificateId })).toEqual({});
    expect(memory.audit.lines).toEqual([`${adminAtCommandLine}: certificate.remove ${certificateId}`]);
    expect(await list()).toEqual(['in service']);
  });

  it('stores a candidate before it announces it, and passes a cancel on', async () => {
    const { next: stored } = await calls.announceRollover({ candidateId: await pickNext(), switchAt });
    expect(await calls.showRollover({})).toEqual({ rollover: null });
    announcedId = stored.id;
    expect(await calls.showRollover({})).toMatchObject({ rollover: { next: { id: stored.id } } });
    expect(await calls.cancelRollover({})).toEqual({});
    expect(asked).toEqual([`announce ${stored.id} ${switchAt} ${adminAtCommandLine}`, `cancel ${adminAtCommandLine}`]);
  });

  it.each<[string, () => Promise<unknown>, string, string | undefined]>([
    ['an empty slot', () => calls.show({ slot: 'server' }), 'certificate.none', undefined],
    ['to install nothing', () => calls.install({ slot: provider }), 'call.invalid', 'candidateId'],
    ['to announce nothing', () => calls.announceRollover({ switchAt }), 'call.invalid', 'candidateId'],
    [
      'an unknown certificate',
      () => calls.install({ slot: provider, certificateId: missing }),
      'call.not-found',
      undefined,
    ],
    ['an unknown candidate', () => calls.usage({ slot: provider, candidateId: missing }), 'call.not-found', undefined],
    ['an empty pick', () => calls.pick({ slot: provider, pickId: '' }), 'call.invalid', 'pickId'],
    [
      'to pick an unknown certificate',
      () => calls.pick({ slot: provider, pickId: `farkeep:${missing}` }),
      'call.not-found',
      undefined,
    ],
    [
      'a password of 1025 characters',
      () => calls.importFile({ slot: provider, file: '/x', password: 'a'.repeat(1025) }),
      'call.invalid',
      'password',
    ],
    [
      'a name of 101 characters',
      () => calls.generate({ slot: provider, friendlyName: 'a'.repeat(101) }),
      'call.invalid',
      'friendlyName',
    ],
    ['a key of 1024 bits', () => calls.setSettings({ keyBits: 1024 as 2048 }), 'call.invalid', 'keyBits'],
  ])('refuses %s', async (_case, call, code, field) => {
    expect(await refusalOf(call())).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
    expect(await calls.show({ slot: provider })).toMatchObject({ id: inServiceId });
    expect([memory.audit.entries, memory.events.all]).toEqual([[], []]);
  });
});
