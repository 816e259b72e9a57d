// Owns the provider's record of who changed what and who logged in. Append only, but for refused logins: strangers make those, so only the newest are
// kept, and never at the cost of the others. Never a secret.
import type { Clock } from '../kernel/clock.ts';
import type { Database } from '../kernel/database.ts';
import type { CallContext } from '../contracts/contract.ts';

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

  /** What happened has happened: a disk that is full must not turn it into a failure, nor a refused login into an error of the service. */
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

  /** A login that was refused. */
  addRefusal(who: string, subject: string, detail: string): void {
    this.add(who, 'login.refused', subject, detail);
    this.#database.note(
      `DELETE FROM audit WHERE action = 'login.refused' AND sequence <=
         (SELECT sequence FROM audit WHERE action = 'login.refused' ORDER BY sequence DESC LIMIT 1 OFFSET ?)`,
      keptRefusals,
    );
  }
}
