import { instantText } from '../../contracts/models/instant-text.ts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PinStore } from '../../certstore/pin-store.ts';
import { openTrustDatabase } from '../../certstore/trust-database.ts';
import { TrustJournal } from '../../certstore/trust-journal.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { readCertificate, summarize } from '../../pki/certificate/certificate-summary.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { RecordedEvents } from '../../testing/recorded-events.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import type { PresentedCertificate } from '../../transport/control-client.ts';
import { announcementToleranceMs, TrustPrompts, type TrustVerdict } from './trust-prompts.ts';

const identity = 'northwind';
const dayMs = 86_400_000;

describe('TrustPrompts', () => {
  let current: string;
  let next: string;
  let unknown: string;
  let clock: ShiftedClock;
  let pins: PinStore;
  let journal: TrustJournal;
  let events: RecordedEvents;
  let trustPrompts: TrustPrompts;
  let canTrustFirstUse: boolean;
  let met: Set<string>;

  beforeAll(async () => {
    const make = async (commonName: string): Promise<string> =>
      (await generateSelfSigned({ subject: { commonName }, keyBits: 2048 })).certificatePem;
    [current, next, unknown] = await Promise.all([make('current'), make('next'), make('unknown')]);
  });
  beforeEach(() => {
    const database = openTrustDatabase(':memory:');
    clock = new ShiftedClock();
    pins = new PinStore(database, clock);
    journal = new TrustJournal(database, clock);
    events = new RecordedEvents();
    met = new Set();
    canTrustFirstUse = false;
    trustPrompts = new TrustPrompts({
      pins,
      journal,
      clock,
      publish: events.publish,
      canTrustFirstUse: (who) => canTrustFirstUse && !met.has(who),
    });
    pins.accept(identity, current);
  });

  const show = (pem: string, who: string = identity, waitingJob: string | null = null): TrustVerdict => {
    const leafDer = readCertificate(pem).der;
    const presented: PresentedCertificate = {
      leafDer,
      chainDer: [leafDer],
      isChainComplete: false,
      othersDer: [],
      isAuthorized: false,
      authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' },
    };
    return trustPrompts.judge(presented, { identity: who, host: 'gw.test', port: 6180, waitingJob });
  };
  const revokeCurrent = (): string => pins.revoke(pins.current(identity)?.id ?? '').id;

  it('shows in the prompt that an announced certificate came early, with the announced date', () => {
    const switchAt = clock.now() + 3 * dayMs;
    pins.announce(identity, next, { usableFrom: switchAt - announcementToleranceMs, announcedAt: clock.now() });
    const { prompt } = show(next);
    expect(prompt?.prompt).toMatchObject({ kind: 'changed', announcedFor: new Date(switchAt).toISOString() });
    trustPrompts.answer(prompt?.prompt.id ?? '', 'accept', { isCompared: true, who: 'admin (console)' });
    expect(journal.list().at(-1)?.note).toContain(`announced for ${instantText(switchAt)}, used early`);
    expect(show(next).result.decision).toBe('pinned');
  });

  it('asks once, and names the waiting job although a check-in asked first', () => {
    const first = show(unknown).prompt;
    const second = show(unknown, identity, 'nightly').prompt;
    show(unknown, identity, 'weekly');
    expect(second?.prompt.id).toBe(first?.prompt.id);
    expect(trustPrompts.prompts()).toMatchObject([{ id: first?.prompt.id, waitingJob: 'nightly' }]);
    const raised = events
      .of(trustDomain, 'promptRaised')
      .map((prompt) => (prompt as { waitingJob: string | null }).waitingJob);
    expect(raised).toEqual([null, 'nightly']);
  });

  it('needs no prompt at the announced date, and shows no date for a certificate without an announcement', () => {
    expect(show(next).prompt?.prompt).toMatchObject({ kind: 'changed', announcedFor: null });
    const switchAt = clock.now() + dayMs;
    pins.announce(identity, next, { usableFrom: switchAt - announcementToleranceMs, announcedAt: clock.now() });
    clock.advance(dayMs);
    expect(show(next)).toMatchObject({ prompt: null, error: null });
  });

  it('refuses a revoked certificate without a prompt and names the command that lifts the revocation', () => {
    revokeCurrent();
    expect(show(current)).toMatchObject({
      prompt: null,
      error: { code: 'trust.refused', hint: expect.stringContaining('farkeep trust reinstate') as string },
    });
  });

  it('trusts a revoked certificate again only with its thumbprint, and writes a journal entry', () => {
    const pinId = revokeCurrent();
    const { sha256, sha1 } = summarize(current);
    const entries = journal.list().length;
    expect(() => trustPrompts.reinstate(pinId, summarize(next).sha256, 'admin (cli)')).toThrow('another thumbprint');
    expect(() => trustPrompts.reinstate(pinId, 'nonsense', 'admin (cli)')).toThrow();
    expect(show(current).error?.code).toBe('trust.refused');
    expect(journal.list()).toHaveLength(entries);

    expect(trustPrompts.reinstate(pinId, sha1, 'admin (cli)')).toMatchObject({ state: 'current' });
    expect(show(current).result.decision).toBe('pinned');
    expect(journal.list().at(-1)).toMatchObject({ who: 'admin (cli)', action: 'accepted', identity, sha256 });
    expect(journal.verify().isIntact).toBe(true);
    expect(events.of(trustDomain, 'pinsChanged')).toHaveLength(1);
    expect(() => trustPrompts.reinstate(pinId, sha256, 'admin (cli)')).toThrow('not revoked');
  });

  it('keeps the pin of another certificate: then a prompt that compares both decides', () => {
    const pinId = revokeCurrent();
    pins.accept(identity, next);
    expect(trustPrompts.reinstate(pinId, summarize(current).sha256, 'admin (cli)')).toMatchObject({
      state: 'replaced',
    });
    expect(show(next).result.decision).toBe('pinned');
    expect(show(current).prompt?.prompt).toMatchObject({ kind: 'changed', announcedFor: null });
  });

  it('asks at the first use unless an admin allowed trust on first use', () => {
    expect(show(current, 'fabrikam').prompt?.prompt.kind).toBe('untrusted');
    canTrustFirstUse = true;
    expect(show(current, 'fabrikam')).toMatchObject({ prompt: null, error: null, result: { decision: 'pinned' } });
    expect(journal.list().at(-1)).toMatchObject({
      action: 'accepted',
      identity: 'fabrikam',
      note: expect.stringContaining('First use') as string,
    });
    expect(trustPrompts.prompts()).toEqual([]);
    // After the first use, the pin is like any other.
    canTrustFirstUse = false;
    expect(show(current, 'fabrikam').result.decision).toBe('pinned');
  });

  it('never treats a changed, a revoked or a known provider as a first use', () => {
    canTrustFirstUse = true;
    expect(show(next).prompt?.prompt.kind).toBe('changed');
    revokeCurrent();
    expect(show(current).error?.code).toBe('trust.refused');
    trustPrompts.withdraw(identity);
    expect(show(next).prompt?.prompt.kind).toBe('untrusted');
    // Trusted by its chain so far, so the provider has no pin.
    met.add('fabrikam');
    expect(show(current, 'fabrikam').prompt?.prompt.kind).toBe('untrusted');
    expect(pins.list('fabrikam')).toEqual([]);
  });

  it('never treats a certificate as a first use that a person refused, or revoked under another name', () => {
    const { prompt } = show(next, 'fabrikam');
    trustPrompts.answer(prompt?.prompt.id ?? '', 'refuse', { isCompared: false, who: 'admin (console)' });
    revokeCurrent();
    canTrustFirstUse = true;
    expect(show(next, 'fabrikam').prompt?.prompt.kind).toBe('untrusted');
    expect(show(current, 'another.test').prompt?.prompt.kind).toBe('untrusted');
    expect(show(next, 'a.third.test').prompt?.prompt.kind).toBe('untrusted');
    expect(show(unknown, 'Northwind').prompt?.prompt.kind).toBe('untrusted');
    expect(pins.list().map(({ state }) => state)).toEqual(['revoked']);
    expect(show(unknown, 'another.test').result.decision).toBe('pinned');
  });
});
