// Owns how failed logins slow down the next ones, per account and per address. Delays an account, never locks it: a lock would let
// anybody shut a tenant out by its name. Addresses that fail often are refused for a while.
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

const memoryMs = 15 * 60_000;
/** Failures that cost nothing: people mistype. */
const freeFailures = 3;
const firstDelayMs = 250;
/** The whole login has 10 s. */
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

  /** Waits as long as earlier failures ask for. @throws login.slowed for an address that failed too often */
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
    // Oldest first out: names and addresses are made up faster than time passes.
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
