import { createPrivateKey, type KeyObject } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PinStore } from '../../certstore/pin-store.ts';
import { openTrustDatabase } from '../../certstore/trust-database.ts';
import { TrustJournal } from '../../certstore/trust-journal.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { readCertificate, summarize } from '../../pki/certificate/certificate-summary.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { announceRollover, type RolloverAnnouncement } from '../../pki/create/rollover.ts';
import { RecordedEvents } from '../../testing/recorded-events.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import type { TenantRequestInput, TenantRequestOutput } from '../../wire/control-messages.ts';
import { RolloverReceiver } from './rollover-receiver.ts';
import type { ProviderLink } from './provider-link.ts';

const identity = 'northwind';
const dayMs = 86_400_000;

interface Made {
  readonly pem: string;
  readonly sha256: string;
  readonly key: KeyObject;
}

async function make(commonName: string): Promise<Made> {
  const { certificatePem, privateKey } = await generateSelfSigned({ subject: { commonName }, keyBits: 2048 });
  return {
    pem: certificatePem,
    sha256: summarize(certificatePem).sha256,
    key: createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' }),
  };
}

describe('RolloverReceiver', () => {
  let current: Made;
  let next: Made;
  let clock: ShiftedClock;
  let pins: PinStore;
  let journal: TrustJournal;
  let events: RecordedEvents;
  let news: RolloverReceiver;
  let answer: TenantRequestOutput<'certificate.status'>;
  let reports: TenantRequestInput<'certificate.status'>[];
  let warnings: string[];

  beforeAll(async () => {
    [current, next] = await Promise.all([make('current'), make('next')]);
  });

  beforeEach(() => {
    const database = openTrustDatabase(':memory:');
    clock = new ShiftedClock();
    pins = new PinStore(database, clock);
    journal = new TrustJournal(database, clock);
    events = new RecordedEvents();
    news = new RolloverReceiver({ pins, journal, clock, logger: silentLogger, publish: events.publish });
    pins.accept(identity, current.pem);
    answer = { kind: 'none', announcement: null };
    reports = [];
    warnings = [];
  });

  /** A connection that shows the current certificate. The provider's answer comes from the test. */
  const link = (): ProviderLink => {
    const leafDer = readCertificate(current.pem).der;
    const peer = {
      request: (_type: string, payload: unknown) => {
        reports.push(payload as TenantRequestInput<'certificate.status'>);
        return Promise.resolve(answer);
      },
    };
    return {
      channel: { peer },
      gateway: { name: 'gw', host: 'gw.test', port: 6180 },
      presented: { leafDer },
      decision: { decision: 'pinned', reasons: ['pin.match'] },
      hello: { features: [{ name: 'rollover', isRequired: false }] },
    } as unknown as ProviderLink;
  };
  const ask = (): Promise<void> =>
    news.ask(link(), identity, new AbortController().signal, {
      news: (level, { code }) => level === 'security' && warnings.push(code),
    });
  const announce = (changes: Partial<RolloverAnnouncement> = {}): void => {
    const announcement = announceRollover({
      currentCertificatePem: current.pem,
      currentKey: current.key,
      nextCertificatePem: next.pem,
      switchAt: clock.now() + dayMs,
      now: clock.now(),
    });
    answer = { kind: 'announced', announcement: { ...announcement, ...changes } };
  };
  const nextPin = (): string | undefined =>
    pins.list(identity).find(({ state }) => state === 'next')?.certificate.sha256;

  it('stores an announcement that the pinned key has signed, once, and reports the result', async () => {
    announce();
    await ask();
    expect(nextPin()).toBe(next.sha256);
    expect(reports.map(({ nextSha256 }) => nextSha256)).toEqual([null, next.sha256]);
    await ask();
    expect(reports).toHaveLength(3);
    expect(journal.list()).toMatchObject([{ action: 'announced', sha256: next.sha256, address: 'gw.test:6180' }]);
    // The pin counts from an hour before the date, because clocks differ, and not earlier.
    const usableFrom = pins.forDecision(identity).find(({ state }) => state === 'next')?.usableFrom;
    expect(Math.round(((usableFrom ?? 0) - clock.now()) / 3_600_000)).toBe(23);
  });

  it('refuses an announcement that was changed after signing, warns each time, and writes one journal entry', async () => {
    announce({ switchAt: new Date(clock.now() + 60_000).toISOString() });
    await ask();
    await ask();
    expect(nextPin()).toBeUndefined();
    expect(journal.list()).toMatchObject([{ action: 'refused' }]);
    expect(warnings).toEqual(['announcement.refused', 'announcement.refused']);
    expect(reports.at(-1)).toMatchObject({ nextSha256: null, refused: { nextSha256: next.sha256 } });
    expect(pins.current(identity)?.certificate.sha256).toBe(current.sha256);
  });

  it('writes no text of an attacker to journal and report, and limits the journal entries', async () => {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      announce({ nextSha256: `\u001b[2J forged ${attempt}` });
      await ask();
    }
    expect(journal.list()).toHaveLength(20);
    expect(JSON.stringify(journal.list())).not.toContain('forged');
    expect(reports.every(({ refused }) => refused === null)).toBe(true);
  });

  it('refuses a replayed announcement after it was withdrawn', async () => {
    announce();
    const first = answer;
    await ask();
    answer = { kind: 'none', announcement: null };
    await ask();
    expect(nextPin()).toBeUndefined();
    expect(journal.list().at(-1)).toMatchObject({ action: 'withdrawn', sha256: next.sha256 });
    answer = first;
    await ask();
    expect(nextPin()).toBeUndefined();
    expect(journal.list().at(-1)).toMatchObject({ action: 'refused' });
    clock.advance(1000);
    announce();
    await ask();
    expect(nextPin()).toBe(next.sha256);
  });

  it('keeps the announcement when the connection is older than the certificate in service', async () => {
    announce();
    await ask();
    answer = { kind: 'outdated', announcement: null };
    await ask();
    expect(nextPin()).toBe(next.sha256);
  });

  it('accepts an announcement on an open connection, and answers it', async () => {
    announce();
    const payload = answer.announcement;
    if (payload === null) throw new Error('nothing was announced');
    await news.receive(link(), identity, { name: 'certificate.announced', payload });
    expect(nextPin()).toBe(next.sha256);
    await news.receive(link(), identity, { name: 'certificate.withdrawn', payload: {} });
    expect(nextPin()).toBeUndefined();
    expect(reports.map(({ nextSha256 }) => nextSha256)).toEqual([next.sha256, null]);
    expect(events.of(trustDomain, 'announcement').map(({ outcome }) => outcome)).toEqual(['stored', 'withdrawn']);
  });

  it('reports the true reason why the certificate is accepted', async () => {
    await ask();
    pins.accept(identity, current.pem, 'thumbprint');
    await ask();
    pins.announce(identity, next.pem, { usableFrom: clock.now(), announcedAt: clock.now() });
    pins.rollOver(identity);
    await ask();
    expect(reports.map(({ acceptedBy }) => acceptedBy)).toEqual(['person', 'thumbprint', 'rollover']);
  });
});
