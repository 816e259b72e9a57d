// Owns downloading revocation lists from the addresses in certificates, and keeping each list until it expires. Must be called only for a
// chain that OpenSSL accepted: addresses in other certificates come from an attacker.
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { type Crl, readCrls } from './crl.ts';

const maxCrlBytes = 16 * 1024 * 1024;
const maxCachedLists = 32;
/** A list without an expiry time is fetched again after this time. */
const defaultFreshnessMs = 3_600_000;
/** Pause after a failed download from an address, so that one dead server does not slow every connection. */
const failureRestMs = 60_000;

export interface FetchedLists {
  readonly lists: readonly Crl[];
  readonly failure: string | undefined;
}

export class CrlFetcher {
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #fetched = new Map<string, FetchedLists & { readonly until: number }>();

  constructor({ clock, logger }: { clock: Clock; logger: Logger | undefined }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  async fetch(url: string, signal: AbortSignal): Promise<FetchedLists> {
    const cached = this.#fetched.get(url);
    if (cached !== undefined && cached.until > this.#clock.now()) return cached;
    const now = this.#clock.now();
    let entry: FetchedLists & { readonly until: number };
    try {
      const lists = readCrls(await download(url, signal));
      const ends = lists.map((list) => list.nextUpdate ?? now + defaultFreshnessMs);
      entry = { until: Math.min(now + 24 * defaultFreshnessMs, ...ends), lists, failure: undefined };
    } catch (error) {
      const reason =
        error instanceof Error ? (error.name === 'TimeoutError' ? 'no answer in time' : error.message) : String(error);
      this.#logger?.warn('A revocation list could not be fetched', { url, reason });
      entry = {
        until: now + failureRestMs,
        lists: [],
        failure: `The revocation list at ${url} could not be fetched (${reason})`,
      };
    }
    if (this.#fetched.size >= maxCachedLists) this.#fetched.delete(this.#fetched.keys().next().value ?? '');
    this.#fetched.set(url, entry);
    return entry;
  }
}

async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  const { protocol } = new URL(url);
  // RFC 5280, 4.2.1.13 also allows ldap, which is not supported. A list is signed, so plain HTTP is safe.
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${protocol} is not supported`);
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/pkix-crl, */*' } });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`HTTP status ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > maxCrlBytes) throw new Error('larger than 16 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
