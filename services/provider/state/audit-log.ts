// Owns the provider's record of changes and logins. Append only, except for refused logins: strangers cause these, so only the newest are
// kept, and they never push out other entries. Never contains a secret.
import type { Clock } from '../../kernel/clock.ts';
import type { CallContext } from '../../contracts/contract.ts';
import type { AuditStore } from './audit-store.ts';

/** "admin (console)" */
export function describeCaller({ caller }: CallContext): string {
  return `${caller.account} (${caller.kind})`;
}

const keptRefusals = 10_000;

export class AuditLog {
  readonly #store: AuditStore;
  readonly #clock: Clock;

  constructor(store: AuditStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Never throws: a full disk must not turn a finished action into a failure, or a refused login into an internal error. */
  add(who: string, action: string, subject: string, detail = ''): Promise<void> {
    return this.#store.append({ at: new Date(this.#clock.now()).toISOString(), who, action, subject, detail });
  }

  /** Records a refused login. */
  async addRefusal(who: string, subject: string, detail: string): Promise<void> {
    await this.add(who, 'login.refused', subject, detail);
    await this.#store.trim('login.refused', keptRefusals);
  }
}
