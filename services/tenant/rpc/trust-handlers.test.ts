// The trust domain of the tenant: answers of people, pins, the journal, settings.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { mint } from '../../testing/certificates/minted-certificates.ts';
import { adminAtCommandLine, callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { openTenantInMemory, type TenantInMemory } from '../../testing/tenant-in-memory.ts';
import type { PresentedCertificate } from '../../transport/control-client.ts';
import type { TrustCheck } from '../providers/trust-check.ts';
import type { TrustPrompts } from '../trust/trust-prompts.ts';
import { TrustSettingsStore } from '../trust/trust-settings.ts';
import { trustHandlers } from './trust-handlers.ts';

const [current, next] = [mint({ subject: 'current', isAuthority: true }), mint({ subject: 'next' })];
const sha256Of = ({ certPem }: typeof next): string => summarize(certPem).sha256;
const identity = 'northwind';
const missing = 'f'.repeat(32);
const settings = {
  crlFiles: [],
  canFetchCrl: false,
  isRevocationRequired: false,
  rootFiles: [],
  canTrustFirstUse: false,
};

describe('the trust of a tenant', () => {
  let clock: ManualClock;
  let memory: TenantInMemory;
  let home: string;
  let calls: DomainClient<typeof trustDomain>;

  const open = async (): Promise<DomainClient<typeof trustDomain>> => {
    memory = await openTenantInMemory(clock, current.certPem);
    const { trustPrompts, pins, journal, events } = memory;
    const store = await TrustSettingsStore.open({
      home,
      configuredRootFiles: [],
      fetchTimeoutMs: 1000,
      clock,
      logger: silentLogger,
    });
    const { publish } = events;
    const trustCheck = standIn<TrustCheck>({});
    return callHandlers(
      trustDomain,
      trustHandlers({ trustPrompts, pins, journal, settings: store, trustCheck, clock, publish }),
    );
  };
  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    home = await makeTemporaryFolder();
    calls = await open();
    memory.pins.accept(identity, current.certPem);
  });

  /** The provider shows a certificate that differs from the pinned certificate. */
  const show = ({ certDer } = next): ReturnType<TrustPrompts['judge']> =>
    memory.trustPrompts.judge(presentedOf({ certDer }), { identity, host: 'gw.test', port: 6180, waitingJob: null });
  const promptId = (): string => show().prompt?.prompt.id ?? '';
  const lines = (): string[] => memory.journal.list().map(({ who, action, sha256 }) => `${who}: ${action} ${sha256}`);

  it('accepts a changed certificate only when it was compared', async () => {
    const id = promptId();
    expect((await calls.listPrompts({})).prompts).toMatchObject([{ id, kind: 'changed' }]);
    expect(await refusalOf(calls.answerPrompt({ promptId: id, answer: 'accept' }))).toMatchObject({
      code: 'call.refused',
    });
    expect(memory.pins.current(identity)?.certificate.sha256).toBe(sha256Of(current));
    expect(lines()).toEqual([]);
    await calls.answerPrompt({ promptId: id, answer: 'accept', isCompared: true });
    expect(memory.pins.current(identity)?.certificate.sha256).toBe(sha256Of(next));
    expect((await calls.listPrompts({})).prompts).toEqual([]);
    expect(lines()).toEqual([`${adminAtCommandLine}: accepted ${sha256Of(next)}`]);
  });

  it('accepts the certificate of a first contact only when it was compared', async () => {
    const id =
      memory.trustPrompts.judge(presentedOf(next), {
        identity: 'Fabrikam',
        host: 'other.test',
        port: 6180,
        waitingJob: null,
      }).prompt?.prompt.id ?? '';
    expect((await calls.listPrompts({})).prompts).toMatchObject([{ id, kind: 'untrusted' }]);
    expect(await refusalOf(calls.answerPrompt({ promptId: id, answer: 'accept' }))).toMatchObject({
      code: 'call.refused',
    });
    expect(await calls.verifyThumbprint({ promptId: id, pasted: sha256Of(current) })).toMatchObject({ isMatch: false });
    expect(await refusalOf(calls.answerPrompt({ promptId: id, answer: 'accept' }))).toMatchObject({
      code: 'call.refused',
    });
    expect(memory.pins.current('Fabrikam')).toBeUndefined();
    await calls.verifyThumbprint({ promptId: id, pasted: sha256Of(next) });
    await calls.answerPrompt({ promptId: id, answer: 'accept' });
    expect(memory.pins.current('Fabrikam')?.certificate.sha256).toBe(sha256Of(next));
  });

  it('accepts a changed certificate whose pasted thumbprint matched', async () => {
    const id = promptId();
    expect(await calls.verifyThumbprint({ promptId: id, pasted: sha256Of(current) })).toMatchObject({ isMatch: false });
    expect(await calls.verifyThumbprint({ promptId: id, pasted: sha256Of(next) })).toMatchObject({ isMatch: true });
    await calls.answerPrompt({ promptId: id, answer: 'accept' });
    expect(memory.pins.current(identity)?.certificate.sha256).toBe(sha256Of(next));
  });

  it('revokes a pin, writes that down, and takes it back only for the thumbprint', async () => {
    const [pin] = (await calls.listPins({})).pins;
    const pinId = pin?.id ?? '';
    expect(await calls.revokePin({ pinId })).toEqual({});
    expect((await calls.listPins({})).pins).toMatchObject([{ id: pinId, state: 'revoked' }]);
    expect(show(current).error?.code).toBe('trust.refused');
    expect(lines()).toEqual([`${adminAtCommandLine}: revoked ${sha256Of(current)}`]);
    expect(memory.events.of(trustDomain, 'pinsChanged')).toHaveLength(1);
    expect(await refusalOf(calls.reinstatePin({ pinId, pasted: sha256Of(next) }))).toMatchObject({
      code: 'trust.thumbprint-mismatch',
    });
    expect(lines()).toHaveLength(1);
    expect(await calls.reinstatePin({ pinId, pasted: sha256Of(current) })).toMatchObject({ state: 'current' });
    expect(lines()[1]).toBe(`${adminAtCommandLine}: accepted ${sha256Of(current)}`);
  });

  it('shows the journal with its proof', async () => {
    await calls.revokePin({ pinId: memory.pins.current(identity)?.id ?? '' });
    const shown = await calls.journal({});
    expect(shown).toMatchObject({ isIntact: true, brokenAt: null, entries: [{ action: 'revoked', identity }] });
    expect(shown.head).toBe(shown.entries[0]?.hash);
  });

  it('moves pins to another machine, and answers the questions about them there', async () => {
    const { text, count } = await calls.exportHosts({});
    expect(count).toBe(1);
    expect(lines()).toEqual([`${adminAtCommandLine}: exported ${sha256Of(current)}`]);
    const there = await open();
    show(current);
    expect((await there.listPrompts({})).prompts).toHaveLength(1);
    memory.events.all.length = 0;
    expect(await there.importHosts({ text })).toEqual({ added: [identity], known: [], conflicts: [] });
    expect((await there.listPrompts({})).prompts).toEqual([]);
    expect(lines()).toEqual([`${adminAtCommandLine}: imported ${sha256Of(current)}`]);
    expect(memory.events.all.map(({ event }) => event)).toEqual(['promptSettled', 'pinsChanged']);
    memory.events.all.length = 0;
    expect(await there.importHosts({ text })).toEqual({ added: [], known: [identity], conflicts: [] });
    expect(memory.events.all).toEqual([]);
  });

  it('never overwrites a pin by an import', async () => {
    const { text } = await calls.exportHosts({});
    memory.pins.accept(identity, next.certPem);
    memory.events.all.length = 0;
    expect(await calls.importHosts({ text })).toEqual({ added: [], known: [], conflicts: [identity] });
    expect(memory.pins.current(identity)?.certificate.sha256).toBe(sha256Of(next));
    expect(memory.events.all).toEqual([]);
  });

  it('changes the settings, writes them down, and shows what is wrong with a file', async () => {
    const rootFile = path.join(home, 'root.pem');
    await writeFile(rootFile, current.certPem);
    const wanted = { ...settings, rootFiles: [rootFile] };
    expect(await calls.setSettings(wanted)).toEqual({ ...wanted, problems: [] });
    expect(memory.events.of(trustDomain, 'settingsChanged')).toEqual([wanted]);
    expect(memory.journal.list()).toMatchObject([
      { who: adminAtCommandLine, action: 'configured', note: expect.stringContaining(rootFile) as string },
    ]);
    await writeFile(rootFile, 'damaged');
    expect(await calls.getSettings({})).toMatchObject({ ...wanted, problems: [{ file: rootFile }] });
  });

  it.each([
    ['a file that does not exist', { rootFiles: ['/not/here.pem'] }, 'rootFiles'],
    ['a revocation that nothing can find out', { isRevocationRequired: true }, 'isRevocationRequired'],
  ])('keeps the settings when they name %s', async (_case, changes, field) => {
    expect(await refusalOf(calls.setSettings({ ...settings, ...changes }))).toMatchObject({
      code: 'call.invalid',
      field,
    });
    expect(await calls.getSettings({})).toEqual({ ...settings, problems: [] });
    expect([memory.events.all, lines()]).toEqual([[], []]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['a pin that is not there', () => calls.revokePin({ pinId: missing }), 'call.not-found'],
    ['to take back what is not there', () => calls.reinstatePin({ pinId: missing, pasted: 'AB' }), 'call.not-found'],
    [
      'a question that was not asked',
      () => calls.answerPrompt({ promptId: missing, answer: 'refuse' }),
      'call.not-found',
    ],
    ['another file', () => calls.importHosts({ text: '{}' }), 'call.invalid'],
    [
      'too much pasted text',
      () => calls.verifyThumbprint({ promptId: missing, pasted: 'a'.repeat(1001) }),
      'call.invalid',
    ],
  ])('refuses %s', async (_case, call, code) => {
    expect(await refusalOf(call())).toMatchObject({ code });
    expect([memory.events.all, lines()]).toEqual([[], []]);
  });
});

function presentedOf({ certDer }: { readonly certDer: Buffer }): PresentedCertificate {
  return {
    leafDer: certDer,
    chainDer: [certDer],
    isChainComplete: false,
    othersDer: [],
    isAuthorized: false,
    authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' },
  };
}
