// Owns the provider's record of changes and logins. Append only, except for refused logins: strangers cause these, so only the newest are
// kept, and they never push out other entries. Never contains a secret.
import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../kernel/state/database.ts';
import type { CallContext } from '../../contracts/contract.ts';

/** "admin (console)" */
export function describeCaller({ caller }: CallContext): string {
  return `${caller.account} (${caller.kind})`;
}

const keptRefusals = 10_000;

export class AuditLog {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Never throws: a full disk must not turn a finished action into a failure, or a refused login into an internal error. */
  add(who: string, action: string, subject: string, detail = ''): void {
    this.#database.note(
      'INSERT INTO audit (at, who, action, subject, detail) VALUES (?, ?, ?, ?, ?)',
      new Date(this.#clock.now()).toISOString(),
      who,
      action,
      subject,
      detail,
    );
  }

  /** Records a refused login. */
  addRefusal(who: string, subject: string, detail: string): void {
    this.add(who, 'login.refused', subject, detail);
    this.#database.note(
      `DELETE FROM audit WHERE action = 'login.refused' AND sequence <=
         (SELECT sequence FROM audit WHERE action = 'login.refused' ORDER BY sequence DESC LIMIT 1 OFFSET ?)`,
      keptRefusals,
    );
  }
}
