// Owns the trust journal: append-only; each entry's hash covers the entry and the hash before it. Must never change or delete entries.
import { createHash } from 'node:crypto';
import { type TrustJournalEntry, trustJournalEntrySchema } from '../contracts/models/trust.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Database, Row } from '../kernel/state/database.ts';

export type NewJournalEntry = Pick<TrustJournalEntry, 'who' | 'action' | 'identity' | 'address' | 'sha256' | 'note'>;

export interface JournalVerification {
  readonly isIntact: boolean;
  readonly entries: number;
  /** Sequence number of the first entry with a wrong hash; null when the journal is intact. */
  readonly brokenAt: number | null;
  /**
   * Hash of the last entry. A person can compare the hash with a copy in another place. A difference shows that last entries were deleted.
   */
  readonly head: string;
}

const genesis = '0'.repeat(64);

export class TrustJournal {
  readonly #database: Database;
  readonly #clock: Clock;

  /** @param database from `openTrustDatabase` */
  constructor(database: Database, clock: Clock = systemClock) {
    this.#database = database;
    this.#clock = clock;
  }

  append(entry: NewJournalEntry): TrustJournalEntry {
    return this.#database.transaction(() => {
      const last = this.#database.get('SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1');
      const content = {
        sequence: Number(last?.['sequence'] ?? 0) + 1,
        at: new Date(this.#clock.now()).toISOString(),
        who: entry.who,
        action: entry.action,
        identity: entry.identity,
        address: entry.address,
        sha256: entry.sha256,
        note: entry.note,
      };
      const hash = hashEntry(content, (last?.['hash'] as string | undefined) ?? genesis);
      this.#database.run(
        'INSERT INTO journal (sequence, at, who, action, identity, address, sha256, note, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        content.sequence,
        content.at,
        content.who,
        content.action,
        content.identity,
        content.address,
        content.sha256,
        content.note,
        hash,
      );
      return { ...content, hash };
    });
  }

  /** Oldest first. @param limit returns only this many of the newest entries */
  list({ limit = Number.MAX_SAFE_INTEGER }: { limit?: number } = {}): TrustJournalEntry[] {
    return this.#database
      .all('SELECT * FROM (SELECT * FROM journal ORDER BY sequence DESC LIMIT ?) ORDER BY sequence', limit)
      .map(toEntry);
  }

  verify(): JournalVerification {
    let before = genesis;
    let entries = 0;
    for (const row of this.#database.iterate('SELECT * FROM journal ORDER BY sequence')) {
      entries += 1;
      const parsed = trustJournalEntrySchema.safeParse(row);
      const isFitting =
        parsed.success && parsed.data.sequence === entries && hashEntry(parsed.data, before) === parsed.data.hash;
      if (!isFitting) return { isIntact: false, entries, brokenAt: entries, head: before };
      before = parsed.data.hash;
    }
    return { isIntact: true, entries, brokenAt: null, head: before };
  }
}

/**
 * SHA-256 over a JSON array of all fields in this order and the previous hash. The JSON form prevents moving characters from one field to
 * the next.
 */
function hashEntry(entry: Omit<TrustJournalEntry, 'hash'>, before: string): string {
  const fields = [
    before,
    entry.sequence,
    entry.at,
    entry.who,
    entry.action,
    entry.identity,
    entry.address,
    entry.sha256,
    entry.note,
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

function toEntry(row: Row): TrustJournalEntry {
  return trustJournalEntrySchema.parse(row);
}
