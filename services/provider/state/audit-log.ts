// Owns the provider's record of changes and logins. Append only, except for refused logins. Strangers can cause any number of refused
// logins, so only the newest refused logins are kept. Refused logins never push out other entries. Must not contain a secret.
import type { Clock } from '../../kernel/clock.ts';
import type { CallContext } from '../../contracts/contract.ts';
import { describeNotable, notable, type NotableEvent } from '../../contracts/notable-events.ts';
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

  /**
   * Never throws: a full disk must not turn a finished action into a failure, or a refused login into an internal error.
   * @param subject what the event is about: the name of a tenant, a gateway, a repository
   */
  add(who: string, subject: string, event: NotableEvent): Promise<void> {
    const at = new Date(this.#clock.now()).toISOString();
    const { code: action, parameters } = event;
    return this.#store.append({ at, who, action, subject, detail: describeNotable(event), parameters });
  }

  /** Records refused logins. */
  async addRefusal(who: string, subject: string, code: string, times: number): Promise<void> {
    const event = notable('login.refused', { code, times });
    await this.add(who, subject, event);
    await this.#store.trim(event.code, keptRefusals);
  }
}
