// Owns how failed logins slow down the next ones, per account and per address. Delays an account but never locks it: with a lock, any
// stranger could block a tenant by its name. Refuses addresses with many failures for some time.
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

const memoryMs = 15 * 60_000;
/** Failures without a delay, for typing errors. */
const freeFailures = 3;
const firstDelayMs = 250;
/** The time limit of the whole login is 10 s. */
const maxDelayMs = 4_000;
const addressFailuresBeforeRefusal = 20;
const maxEntries = 20_000;

interface Failures {
  count: number;
  lastAtMs: number;
}

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the delay that earlier failures cause. @throws login.slowed for an address with too many failures */
  async pause(userName: string, address: string, signal?: AbortSignal): Promise<void> {
    if (this.#count(`address ${address}`) >= addressFailuresBeforeRefusal) {
      throw new FarkeepError('login.slowed', `Too many failed logins from ${address}; wait a few minutes`);
    }
    const failures = Math.max(this.#count(`address ${address}`), this.#count(accountKey(userName)));
    if (failures < freeFailures) return;
    await this.#clock.sleep(Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - freeFailures)), signal);
  }

  noteFailure(userName: string, address: string): void {
    for (const key of [`address ${address}`, accountKey(userName)]) {
      this.#failures.set(key, { count: this.#count(key) + 1, lastAtMs: this.#clock.now() });
    }
    // Removes the oldest entries first: an attacker can invent names and addresses faster than entries expire.
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= maxEntries) break;
      this.#failures.delete(key);
    }
  }

  noteSuccess(userName: string): void {
    this.#failures.delete(accountKey(userName));
  }

  #count(key: string): number {
    const entry = this.#failures.get(key);
    if (entry === undefined) return 0;
    if (this.#clock.now() - entry.lastAtMs > memoryMs) {
      this.#failures.delete(key);
      return 0;
    }
    return entry.count;
  }
}

function accountKey(userName: string): string {
  return `account ${userName.toLowerCase()}`;
}
