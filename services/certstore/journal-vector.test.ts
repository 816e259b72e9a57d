// Compares the trust journal with its recorded entries. A second check of these entries follows only docs/certificates.md, section 7.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expectVector, readVector } from '../testing/vector-file.ts';
import { systemClock } from '../kernel/clock.ts';
import { openTrustDatabase } from './trust-database.ts';
import { TrustJournal } from './trust-journal.ts';

const url = new URL('./vectors/trust-journal.json', import.meta.url);

describe('the recorded trust journal', () => {
  it('equals the output of the journal', () => {
    let now = Date.parse('2026-01-02T03:04:05.678Z');
    const journal = new TrustJournal(openTrustDatabase(':memory:'), { ...systemClock, now: () => (now += 1000) });
    const sha256 = Array.from({ length: 32 }, (_, index) =>
      (index * 7).toString(16).padStart(2, '0').toUpperCase(),
    ).join(':');
    const common = { who: 'jo', identity: 'northwind', address: 'gw.example:6180', sha256 };
    journal.append({ ...common, action: 'accepted', note: 'Compared by phone' });
    journal.append({ ...common, action: 'announced', note: '' });
    journal.append({ ...common, who: 'j\u00f6rg "x"', action: 'revoked', note: 'Lost\nkey' });
    expect(journal.verify().isIntact).toBe(true);
    expectVector(url, {
      about: 'docs/certificates.md, section 7: entries of a trust journal, oldest first.',
      entries: journal.list(),
    });
  });

  it('has the hashes that the document describes', () => {
    let before = '0'.repeat(64);
    const entries = readVector(url)['entries'] as Record<string, unknown>[];
    expect(entries).toHaveLength(3);
    for (const { hash, sequence, at, who, action, identity, address, sha256, note } of entries) {
      const hashed = JSON.stringify([before, sequence, at, who, action, identity, address, sha256, note]);
      before = createHash('sha256').update(hashed, 'utf8').digest('hex');
      expect(hash).toBe(before);
    }
  });
});
