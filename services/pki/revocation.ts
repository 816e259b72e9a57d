// Owns the answer "revoked, good, or unknown" for a chain: from lists that the admin gave, and from the addresses in the certificates.
// Must not be asked to fetch for a chain that OpenSSL did not accept: the addresses would then come from a stranger.
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { isSelfSigned, type ReadCertificate, readCertificate } from './certificate-summary.ts';
import { type Crl, readCrls } from './crl.ts';
import type { RevocationAnswer } from './trust.ts';

export interface RevocationPolicy {
  /** Whether lists are fetched from the addresses in certificates of a trusted chain. */
  readonly canFetch: boolean;
  /** Whether a certificate about which nothing can be found out is refused. Otherwise that is a warning. */
  readonly isRequired: boolean;
  /** For all lists of one chain together. */
  readonly fetchTimeoutMs: number;
}

export const defaultRevocationPolicy: RevocationPolicy = { canFetch: false, isRequired: false, fetchTimeoutMs: 5000 };

const maxCrlBytes = 16 * 1024 * 1024;
const maxCachedLists = 32;
const maxUrlsPerCertificate = 4;
/** A list without an end is fetched again after this time. */
const defaultFreshnessMs = 3_600_000;
/** How long an address that failed is left alone, so that one dead server does not slow every connection. */
const failureRestMs = 60_000;

export interface RevocationOptions {
  /** Contents of CRL files given by the admin, PEM or DER. */
  readonly crlFiles?: readonly Buffer[];
  readonly policy?: RevocationPolicy;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export class RevocationChecker {
  readonly #given: readonly Crl[];
  readonly #policy: RevocationPolicy;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #fetched = new Map<
    string,
    { readonly until: number; readonly lists: readonly Crl[]; readonly failure: string | undefined }
  >();

  /** @throws FarkeepError 'certificate.malformed' for a file that is no list */
  constructor({
    crlFiles = [],
    policy = defaultRevocationPolicy,
    logger,
    clock = systemClock,
  }: RevocationOptions = {}) {
    this.#given = crlFiles.flatMap((bytes) => readCrls(bytes));
    this.#policy = policy;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * @param chainDer issuers above the leaf, each the issuer of the one before; the leaf may stand in front of them
   * @returns undefined when there is nothing to ask: a self-signed certificate, which only a pin can revoke; no list given and none
   *   fetched by policy. A trusted chain about which the policy requires an answer is then "unknown", so that it is refused.
   */
  async check(
    {
      leafDer,
      chainDer,
      isAuthorizedByOpenSsl,
    }: { leafDer: Uint8Array; chainDer: readonly Uint8Array[]; isAuthorizedByOpenSsl: boolean },
    signal?: AbortSignal,
  ): Promise<RevocationAnswer | undefined> {
    const canFetch = this.#policy.canFetch && isAuthorizedByOpenSsl;
    const { isRequired } = this.#policy;
    const hasSource = this.#given.length > 0 || canFetch;
    if (!hasSource && !(isRequired && isAuthorizedByOpenSsl)) return undefined;
    const leaf = readCertificate(Buffer.from(leafDer));
    if (isSelfSigned(leaf)) return undefined;
    if (!hasSource) {
      const detail =
        'An answer about a revocation is required, but there is no list to look at and none may be fetched';
      return { status: 'unknown', detail, isRequired };
    }
    const issuers = chainDer.map((der) => readCertificate(Buffer.from(der))).filter(({ der }) => !der.equals(leaf.der));
    const timeout = AbortSignal.timeout(this.#policy.fetchTimeoutMs);
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);

    const answer = (status: RevocationAnswer['status'], detail: string): RevocationAnswer => ({
      status,
      detail,
      isRequired,
    });
    let leafStatus = {
      status: 'unknown' as RevocationAnswer['status'],
      detail: 'Its issuer is not known, so no revocation list can be checked',
    };
    for (const [index, certificate] of [leaf, ...issuers].entries()) {
      const issuer = issuers[index];
      if (issuer === undefined) break;
      const found = await this.#checkOne(certificate, issuer, canFetch, limit);
      if (found.status === 'revoked') {
        return answer(
          'revoked',
          index === 0 ? found.detail : `The authority "${certificate.structure.subject}": ${found.detail}`,
        );
      }
      // For the authorities above only "revoked" counts: few publish lists for them, and the leaf's own list is what is asked for.
      if (index === 0) leafStatus = found;
    }
    signal?.throwIfAborted();
    return answer(leafStatus.status, leafStatus.detail);
  }

  async #checkOne(
    certificate: ReadCertificate,
    issuer: ReadCertificate,
    canFetch: boolean,
    signal: AbortSignal,
  ): Promise<Pick<RevocationAnswer, 'status' | 'detail'>> {
    const problems: string[] = [];
    const given = this.#judge(this.#given, certificate, issuer, problems);
    if (given !== undefined) return given;
    if (canFetch) {
      for (const url of certificate.structure.crlUrls.slice(0, maxUrlsPerCertificate)) {
        const { lists, failure } = await this.#fetch(url, signal);
        if (failure !== undefined) problems.push(failure);
        const judged = this.#judge(lists, certificate, issuer, problems);
        if (judged !== undefined) return judged;
      }
    }
    return { status: 'unknown', detail: problems[0] ?? 'There is no revocation list of its issuer' };
  }

  #judge(
    lists: readonly Crl[],
    certificate: ReadCertificate,
    issuer: ReadCertificate,
    problems: string[],
  ): Pick<RevocationAnswer, 'status' | 'detail'> | undefined {
    const now = this.#clock.now();
    let isGood = false;
    for (const list of lists) {
      if (!list.issuerDer.equals(certificate.structure.issuerDer)) continue;
      if (!list.isSignedBy(issuer)) {
        problems.push('The revocation list is not signed by the issuer of the certificate');
        continue;
      }
      // A list that is too old still proves a revocation: nobody takes that back (but holds, which are refused as well).
      if (list.isRevoked(certificate.structure.serialHex))
        return { status: 'revoked', detail: 'The certificate was revoked by its issuer' };
      if (list.nextUpdate !== undefined && list.nextUpdate < now) {
        problems.push(`The revocation list is out of date since ${new Date(list.nextUpdate).toISOString()}`);
      } else if (list.thisUpdate > now) {
        problems.push('The revocation list is from the future');
      } else if (list.isPartial) {
        problems.push('The revocation list speaks for a part of the certificates only');
      } else {
        isGood = true;
      }
    }
    return isGood
      ? { status: 'good', detail: 'The certificate is not on the revocation list of its issuer' }
      : undefined;
  }

  async #fetch(url: string, signal: AbortSignal): Promise<{ lists: readonly Crl[]; failure: string | undefined }> {
    const cached = this.#fetched.get(url);
    if (cached !== undefined && cached.until > this.#clock.now()) return cached;
    const now = this.#clock.now();
    let entry: { until: number; lists: readonly Crl[]; failure: string | undefined };
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
  // RFC 5280, 4.2.1.13 also allows ldap, which nobody needs for this. A list is signed, so plain HTTP is fine.
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
