import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../kernel/clock.ts';
import { generateSelfSigned } from '../pki/create/generate.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { PinStore } from './pin-store.ts';
import { openTrustDatabase } from './trust-database.ts';
import { TrustJournal } from './trust-journal.ts';
import { exportTrustedHosts, importTrustedHosts } from './trusted-hosts.ts';

let one: string;
let two: string;
beforeAll(async () => {
  const make = async (commonName: string): Promise<string> =>
    (await generateSelfSigned({ subject: { commonName }, keyBits: 2048 })).certificatePem;
  [one, two] = await Promise.all([make('one'), make('two')]);
});

function fixedClock(): Clock & { time: number } {
  const clock = { time: 1_800_000_000_000, now: () => clock.time, sleep: () => Promise.resolve() };
  return clock;
}

describe('PinStore', () => {
  const open = (): PinStore => new PinStore(openTrustDatabase(':memory:'), fixedClock());
  const states = (pins: PinStore): string[] =>
    pins.list('p').map((pin) => `${pin.certificate.commonName} ${pin.state}`);

  it('keeps one current pin for each identity', () => {
    const pins = open();
    pins.accept('p', one);
    pins.accept('q', one);
    pins.accept('p', two);
    expect(states(pins)).toEqual(['two current', 'one replaced']);
    expect(pins.current('q')?.certificate.commonName).toBe('one');
  });

  it('makes an announced pin the current pin', () => {
    const pins = open();
    pins.accept('p', one);
    pins.announce('p', two, { usableFrom: 1_900_000_000_000, announcedAt: 5 });
    expect(pins.forDecision('p').find((pin) => pin.state === 'next')?.usableFrom).toBe(1_900_000_000_000);
    expect(states(pins).sort()).toEqual(['one current', 'two next']);
    expect(pins.rollOver('p').state).toBe('current');
    expect(states(pins).sort()).toEqual(['one replaced', 'two current']);
    expect(() => pins.rollOver('p')).toThrow(expect.objectContaining({ code: 'call.not-found' }));
  });

  it('knows how the pins of an earlier version were accepted', async () => {
    const file = path.join(await makeTemporaryFolder(), 'trust.sqlite');
    {
      using database = openTrustDatabase(file);
      const pins = new PinStore(database);
      const sha256 = (identity: string, certificate: string): string =>
        pins.accept(identity, certificate).certificate.sha256;
      const journal = new TrustJournal(database);
      const common = { address: '', note: '', action: 'accepted' } as const;
      journal.append({ ...common, who: 'root (console)', identity: 'p', sha256: sha256('p', one) });
      journal.append({ ...common, who: 'given with the command', identity: 'q', sha256: sha256('q', two) });
      database.run('ALTER TABLE pin DROP COLUMN origin');
      database.run('PRAGMA user_version=2');
    }
    using database = openTrustDatabase(file);
    const pins = new PinStore(database);
    expect(['p', 'q', 'unknown'].map((identity) => pins.originOf(identity))).toEqual([
      'person',
      'thumbprint',
      'person',
    ]);
  });

  it('refuses a revoked certificate until a person accepts it again', () => {
    const pins = open();
    pins.revoke(pins.accept('p', one).id);
    expect(pins.forDecision('p')).toMatchObject([{ state: 'revoked' }]);
    expect(() => pins.announce('p', one, { usableFrom: 0, announcedAt: 1 })).toThrow(
      expect.objectContaining({ code: 'trust.announcement-invalid' }),
    );
    pins.accept('p', one);
    expect(states(pins)).toEqual(['one current']);
  });

  it('refuses a repeated announcement and an older one', () => {
    const pins = open();
    pins.accept('p', one);
    pins.announce('p', two, { usableFrom: 9, announcedAt: 5 });
    for (const announcedAt of [4, 5]) {
      expect(() => pins.announce('p', two, { usableFrom: 9, announcedAt })).toThrow(
        expect.objectContaining({ code: 'trust.announcement-invalid' }),
      );
    }
    expect(pins.announce('p', two, { usableFrom: 10, announcedAt: 6 }).state).toBe('next');
    pins.rollOver('p');
    expect(() => pins.announce('p', one, { usableFrom: 9, announcedAt: 6 })).toThrow(
      expect.objectContaining({ code: 'trust.announcement-invalid' }),
    );
  });

  it('reports a missing pin', () => {
    expect(() => open().revoke('0'.repeat(32))).toThrow(expect.objectContaining({ code: 'call.not-found' }));
  });
});

describe('TrustJournal', () => {
  const entry = (identity: string) =>
    ({ who: 'admin (console)', action: 'accepted', identity, address: 'gw:6180', sha256: 'AB', note: '' }) as const;

  function filled(): { journal: TrustJournal; database: ReturnType<typeof openTrustDatabase> } {
    const database = openTrustDatabase(':memory:');
    const journal = new TrustJournal(database, fixedClock());
    for (const name of ['a', 'b', 'c', 'd']) journal.append(entry(name));
    return { journal, database };
  }

  it('lists its entries, and with a limit only the newest', () => {
    const { journal } = filled();
    expect(journal.list().map(({ identity }) => identity)).toEqual(['a', 'b', 'c', 'd']);
    expect(journal.list({ limit: 2 }).map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(journal.verify()).toMatchObject({
      isIntact: true,
      entries: 4,
      brokenAt: null,
      head: journal.list().at(-1)?.hash,
    });
  });

  it.each([
    [`UPDATE journal SET note = 'x' WHERE sequence = 2`, 2],
    [`UPDATE journal SET who = '' WHERE sequence = 1`, 1],
    [`DELETE FROM journal WHERE sequence = 3`, 3],
    [`DELETE FROM journal WHERE sequence = 1`, 1],
    [`UPDATE journal SET hash = (SELECT hash FROM journal WHERE sequence = 1) WHERE sequence = 4`, 4],
    [`UPDATE journal SET action = 'nonsense' WHERE sequence = 4`, 4],
  ])('detects %s', (sql, brokenAt) => {
    const { journal, database } = filled();
    database.run(sql);
    expect(journal.verify()).toMatchObject({ isIntact: false, brokenAt });
  });
});

describe('trusted hosts', () => {
  const open = (): { pins: PinStore; journal: TrustJournal } => {
    const database = openTrustDatabase(':memory:');
    return { pins: new PinStore(database, fixedClock()), journal: new TrustJournal(database, fixedClock()) };
  };

  it('can be moved from one machine to another, and both journals record it', () => {
    const from = open();
    from.pins.accept('a', one);
    from.pins.accept('b', two);
    from.pins.revoke(from.pins.accept('c', two).id);
    const text = exportTrustedHosts(from.pins, from.journal, 'admin (console)', fixedClock());
    expect(text).not.toContain('PRIVATE');
    const to = open();
    expect(importTrustedHosts(text, to.pins, to.journal, 'admin')).toEqual({
      added: ['b', 'a'],
      known: [],
      conflicts: [],
    });
    expect(importTrustedHosts(text, to.pins, to.journal, 'admin')).toEqual({
      added: [],
      known: ['b', 'a'],
      conflicts: [],
    });
    expect(from.journal.list().map(({ action, identity }) => `${action} ${identity}`)).toEqual([
      'exported b',
      'exported a',
    ]);
    expect(to.journal.list().map(({ action, identity }) => `${action} ${identity}`)).toEqual([
      'imported b',
      'imported a',
    ]);
  });

  it('never replace a pin and never end a revocation', () => {
    const from = open();
    from.pins.accept('a', one);
    from.pins.accept('b', one);
    const text = exportTrustedHosts(from.pins, from.journal, 'admin', fixedClock());
    const to = open();
    to.pins.accept('a', two);
    to.pins.revoke(to.pins.accept('b', one).id);
    expect(importTrustedHosts(text, to.pins, to.journal, 'admin')).toEqual({
      added: [],
      known: [],
      conflicts: ['b', 'a'],
    });
    expect(to.pins.current('a')?.certificate.commonName).toBe('two');
    expect(to.pins.current('b')).toBeUndefined();
  });

  it('are all refused when one of them is invalid', () => {
    const from = open();
    from.pins.accept('a', one);
    from.pins.accept('b', two);
    const text = exportTrustedHosts(from.pins, from.journal, 'admin', fixedClock());
    const swapped = text.replace(
      from.pins.current('a')?.certificate.sha256 ?? '',
      from.pins.current('b')?.certificate.sha256 ?? '',
    );
    for (const file of [swapped, '', '{}', '[]', 'null', text.replace('"formatVersion": 1', '"formatVersion": 2')]) {
      const to = open();
      expect(() => importTrustedHosts(file, to.pins, to.journal, 'admin')).toThrow(
        expect.objectContaining({ code: 'call.invalid' }),
      );
      expect(to.pins.list()).toEqual([]);
    }
  });
});
