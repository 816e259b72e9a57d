// Owns pins: certificates that an admin accepted for an identity. Each identity has at most one current and one announced (next) pin. Must
// not decide trust; the caller also writes every change into the trust journal.
import { randomBytes } from 'node:crypto';
import type { Pin } from '../contracts/models/trust.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Database, Row } from '../kernel/state/database.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { readCertificate, summarize } from '../pki/certificate/certificate-summary.ts';
import { thumbprintOf } from '../pki/certificate/thumbprint.ts';
import type { TrustPin } from '../pki/trust/trust.ts';

/** How the certificate of a pin came to be accepted: a person compared it, its thumbprint was given, or it was announced before. */
export type PinOrigin = 'person' | 'thumbprint' | 'rollover';

export class PinStore {
  readonly #database: Database;
  readonly #clock: Clock;

  /** @param database from `openTrustDatabase` */
  constructor(database: Database, clock: Clock = systemClock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Newest first; only of `identity` when given. */
  list(identity?: string): Pin[] {
    const rows =
      identity === undefined
        ? this.#database.all('SELECT * FROM pin ORDER BY pinned_at DESC, rowid DESC')
        : this.#database.all('SELECT * FROM pin WHERE identity = ? ORDER BY pinned_at DESC, rowid DESC', identity);
    return rows.map(toPin);
  }

  /** The pins of an identity as input for `decideTrust`. */
  forDecision(identity: string): TrustPin[] {
    return this.#database.all('SELECT * FROM pin WHERE identity = ?', identity).map((row) => ({
      certificateDer: row['certificate_der'] as Uint8Array,
      state: row['state'] as Pin['state'],
      ...(row['usable_from'] === null ? {} : { usableFrom: Number(row['usable_from']) }),
    }));
  }

  current(identity: string): Pin | undefined {
    const row = this.#database.get(`SELECT * FROM pin WHERE identity = ? AND state = 'current'`, identity);
    return row === undefined ? undefined : toPin(row);
  }

  /** How the current pin of an identity was accepted. */
  originOf(identity: string): PinOrigin {
    const origin = this.#database.get(`SELECT origin FROM pin WHERE identity = ? AND state = 'current'`, identity);
    return (origin?.['origin'] ?? 'person') as PinOrigin;
  }

  /**
   * Makes a certificate the current pin; the pin before becomes `replaced`. If the certificate was revoked, its revocation ends, because an
   * admin has compared the certificate again.
   */
  accept(identity: string, certificate: Uint8Array | string, origin: PinOrigin = 'person'): Pin {
    return this.#database.transaction(() => {
      const { der } = readCertificate(certificate);
      this.#database.run(`UPDATE pin SET state = 'replaced' WHERE identity = ? AND state = 'current'`, identity);
      this.#database.run(`DELETE FROM pin WHERE identity = ? AND sha256 = ?`, identity, thumbprintOf(der));
      return this.#insert(identity, der, 'current', { origin });
    });
  }

  /**
   * Stores an announced certificate and replaces an earlier announcement. Times in ms since the epoch.
   * @throws FarkeepError 'trust.announcement-invalid' for an announcement that is not newer than the last one (a replay), or of a
   * certificate
   *   that was revoked here; 'call.conflict' for the current certificate
   */
  announce(
    identity: string,
    certificate: Uint8Array | string,
    { usableFrom, announcedAt }: { usableFrom: number; announcedAt: number },
  ): Pin {
    return this.#database.transaction(() => {
      const { der } = readCertificate(certificate);
      const sha256 = thumbprintOf(der);
      const stored = this.#database.get('SELECT state FROM pin WHERE identity = ? AND sha256 = ?', identity, sha256);
      // A person can end a revocation. An announcement cannot end a revocation.
      if (stored?.['state'] === 'revoked') {
        throw new FarkeepError('trust.announcement-invalid', 'The announced certificate was revoked here');
      }
      if (stored?.['state'] === 'current') {
        throw new FarkeepError('call.conflict', 'The announced certificate is the current one');
      }
      const last = this.#database.get('SELECT max(announced_at) AS at FROM pin WHERE identity = ?', identity)?.['at'];
      if (typeof last === 'number' && announcedAt <= last) {
        throw new FarkeepError('trust.announcement-invalid', 'A newer announcement was received before');
      }
      this.#database.run(`DELETE FROM pin WHERE identity = ? AND (state = 'next' OR sha256 = ?)`, identity, sha256);
      return this.#insert(identity, der, 'next', { origin: 'rollover', usableFrom, announcedAt });
    });
  }

  /** Rollover: the announced pin becomes current. @throws FarkeepError 'call.not-found' */
  rollOver(identity: string): Pin {
    return this.#database.transaction(() => {
      const next = this.#database.get(`SELECT id FROM pin WHERE identity = ? AND state = 'next'`, identity);
      if (next === undefined) throw new FarkeepError('call.not-found', `No certificate was announced for ${identity}`);
      this.#database.run(`UPDATE pin SET state = 'replaced' WHERE identity = ? AND state = 'current'`, identity);
      this.#database.run(
        `UPDATE pin SET state = 'current', usable_from = NULL, origin = 'rollover', pinned_at = ? WHERE id = ?`,
        this.#clock.now(),
        next['id'] as string,
      );
      return this.get(next['id'] as string);
    });
  }

  /**
   * Withdraws the announced pin because the provider has canceled its announcement. The row stays, so that an attacker cannot replay the
   * announcement.
   * @returns the pin that was `next`; undefined when there was none
   */
  withdrawNext(identity: string): Pin | undefined {
    const row = this.#database.get(
      `UPDATE pin SET state = 'replaced', usable_from = NULL WHERE identity = ? AND state = 'next' RETURNING *`,
      identity,
    );
    return row === undefined ? undefined : toPin(row);
  }

  /** Whether the store has exactly this announcement. @param announcedAt milliseconds since the epoch */
  isAnnounced(identity: string, certificate: Uint8Array | string, announcedAt: number): boolean {
    const row = this.#database.get(
      `SELECT announced_at FROM pin WHERE identity = ? AND state = 'next' AND sha256 = ?`,
      identity,
      thumbprintOf(readCertificate(certificate).der),
    );
    return row?.['announced_at'] === announcedAt;
  }

  /** Refuses this certificate for its identity from now on, whatever its chain. @throws FarkeepError 'call.not-found' */
  revoke(id: string): Pin {
    const { changes } = this.#database.run(`UPDATE pin SET state = 'revoked', usable_from = NULL WHERE id = ?`, id);
    if (changes === 0) throw new FarkeepError('call.not-found', 'There is no such pin');
    return this.get(id);
  }

  /** Ends a revocation: the pin becomes current, or `replaced` when another pin is current. @throws FarkeepError 'call.not-found' */
  reinstate(id: string): Pin {
    return this.#database.transaction(() => {
      const { changes } = this.#database.run(
        `UPDATE pin SET pinned_at = ?, origin = 'person', state = iif(
           EXISTS (SELECT 1 FROM pin AS other WHERE other.identity = pin.identity AND other.state = 'current'),
           'replaced', 'current') WHERE id = ? AND state = 'revoked'`,
        this.#clock.now(),
        id,
      );
      if (changes === 0) throw new FarkeepError('call.not-found', 'There is no such revoked pin');
      return this.get(id);
    });
  }

  /** Renames an identity. Existing pins of the new name are replaced. */
  rename(from: string, to: string): void {
    this.#database.transaction(() => {
      this.#database.run(`DELETE FROM pin WHERE identity = ? AND state <> 'revoked'`, to);
      this.#database.run('UPDATE pin SET identity = ? WHERE identity = ?', to, from);
    });
  }

  get(id: string): Pin {
    const row = this.#database.get('SELECT * FROM pin WHERE id = ?', id);
    if (row === undefined) throw new FarkeepError('call.not-found', 'There is no such pin');
    return toPin(row);
  }

  #insert(
    identity: string,
    der: Buffer,
    state: Pin['state'],
    how: { origin: PinOrigin; usableFrom?: number; announcedAt?: number },
  ): Pin {
    const id = randomBytes(16).toString('hex');
    this.#database.run(
      'INSERT INTO pin (id, identity, state, sha256, certificate_der, pinned_at, usable_from, announced_at, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      identity,
      state,
      thumbprintOf(der),
      der,
      this.#clock.now(),
      how.usableFrom ?? null,
      how.announcedAt ?? null,
      how.origin,
    );
    return this.get(id);
  }
}

function toPin(row: Row): Pin {
  return {
    id: row['id'] as string,
    identity: row['identity'] as string,
    state: row['state'] as Pin['state'],
    pinnedAt: new Date(Number(row['pinned_at'])).toISOString(),
    certificate: summarize(row['certificate_der'] as Uint8Array),
  };
}
