// Owns the answer "revoked, good, or unknown" for a chain, from the admin's lists and from lists at the addresses in the certificates.
// docs/certificates.md, section 6, has one table of the outcomes that refuse a certificate.
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { signalWithin } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isSelfSigned, type ReadCertificate, readCertificate } from '../certificate/certificate-summary.ts';
import { CrlFetcher } from './crl-fetcher.ts';
import { type Crl, readCrls, readListSigners } from './crl.ts';
import { type AskedCertificate, isNamedBy, judgeByLists, type Verdict } from './revocation-verdict.ts';
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

const maxUrlsPerCertificate = 4;
/** Limit of further certificates that are read from a peer, because each one costs time. */
const maxSentSigners = 4;

export interface RevocationOptions {
  /** Contents of CRL files given by the admin, PEM or DER. */
  readonly crlFiles?: readonly Buffer[];
  readonly policy?: RevocationPolicy;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface RevocationQuestion {
  readonly leafDer: Uint8Array;
  /** Issuers above the leaf, each the issuer of the certificate before. The leaf itself may come first. */
  readonly chainDer: readonly Uint8Array[];
  /** Other certificates from the peer; they may include another key of an authority. */
  readonly othersDer?: readonly Uint8Array[];
  readonly isAuthorizedByOpenSsl: boolean;
}

export class RevocationChecker {
  readonly #given: readonly Crl[];
  readonly #givenSigners: readonly ReadCertificate[];
  readonly #policy: RevocationPolicy;
  readonly #clock: Clock;
  readonly #fetcher: CrlFetcher;

  /** @throws FarkeepError 'certificate.malformed' for a file that is no list */
  constructor({
    crlFiles = [],
    policy = defaultRevocationPolicy,
    logger,
    clock = systemClock,
  }: RevocationOptions = {}) {
    this.#given = crlFiles.flatMap((bytes) => readCrls(bytes));
    this.#givenSigners = crlFiles.flatMap((bytes) => readListSigners(bytes));
    this.#policy = policy;
    this.#clock = clock;
    this.#fetcher = new CrlFetcher({ clock, logger });
  }

  /**
   * @returns undefined when there is nothing to ask: a self-signed certificate, which only a pin can revoke; no list given and none
   *   fetched by policy. A trusted chain about which the policy requires an answer is then "unknown", so that it is refused.
   */
  async check(question: RevocationQuestion, signal?: AbortSignal): Promise<RevocationAnswer | undefined> {
    const { leafDer, chainDer, isAuthorizedByOpenSsl } = question;
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
    using limit = signalWithin({ limitMs: this.#policy.fetchTimeoutMs, signal });
    const remarks: string[] = [];
    let leafAnswer: Pick<RevocationAnswer, 'status' | 'detail'> = {
      status: 'unknown',
      detail: 'Its issuer is not known, so no revocation list can be checked',
    };
    let unusable: string | undefined;
    let isNamed = false;
    for (const [index, certificate] of [leaf, ...issuers].entries()) {
      const issuer = issuers[index];
      if (issuer === undefined) {
        // A thief of a pinned certificate's key can leave out the issuer, so lists that only name the certificate also count.
        if (!isSelfSigned(certificate) && isNamedBy(this.#given, certificate)) {
          unusable ??=
            'A revocation list names the certificate, but its issuer was not shown, so the list cannot be proven';
          isNamed = true;
        }
        break;
      }
      const signers = [...this.#givenSigners, ...sentSigners(question, issuer)];
      const asked = { certificate, issuer, above: issuers[index + 1], signers };
      const {
        status,
        detail,
        remarks: more,
        isNamed: isThisNamed = false,
      } = await this.#checkOne(asked, canFetch, limit.signal);
      const told = index === 0 ? detail : `The authority "${certificate.structure.subject}": ${detail}`;
      remarks.push(...more);
      isNamed ||= isThisNamed;
      if (status === 'revoked') return { status, detail: told, isRequired };
      if (status === 'unusable') unusable ??= told;
      // For authorities above the leaf only "revoked" and "unusable" count: few authorities publish lists for them, and the policy is about
      // the leaf's list.
      else if (index === 0) leafAnswer = { status, detail };
    }
    signal?.throwIfAborted();
    // An unusable list from the admin must not be treated like no list.
    if (unusable !== undefined) return { status: 'unknown', detail: unusable, isRequired: true, isNamed };
    return { ...leafAnswer, isRequired, remarks };
  }

  async #checkOne(asked: AskedCertificate, canFetch: boolean, signal: AbortSignal): Promise<Verdict> {
    const now = this.#clock.now();
    const given = judgeByLists(this.#given, asked, now);
    if (!canFetch || given.status === 'good' || given.status === 'revoked') return given;
    let failure: string | undefined;
    const fetched: Crl[] = [];
    const urls = asked.certificate.structure.distributionPoints.flatMap((point) => point.urls);
    for (const url of urls.slice(0, maxUrlsPerCertificate)) {
      const answer = await this.#fetcher.fetch(url, signal);
      failure ??= answer.failure;
      fetched.push(...answer.lists);
      // Judged together with the admin's lists: the lists can cover different reasons.
      const verdict = judgeByLists([...this.#given, ...fetched], asked, now);
      if (verdict.status === 'good' || verdict.status === 'revoked') return verdict;
    }
    if (given.status === 'unusable') return given;
    const last = judgeByLists(fetched, asked, now);
    // An attacker who can damage a download can also block it, so the policy treats both alike.
    return {
      status: 'unknown',
      detail: last.status === 'unusable' ? last.detail : (failure ?? last.detail),
      remarks: [],
    };
  }
}

/** Certificates with the issuer's name among the other certificates from the peer. Another key of the issuer can have signed a list. */
function sentSigners(
  { othersDer = [], isAuthorizedByOpenSsl }: RevocationQuestion,
  issuer: ReadCertificate,
): ReadCertificate[] {
  if (!isAuthorizedByOpenSsl) return [];
  const found: ReadCertificate[] = [];
  for (const der of othersDer) {
    if (found.length === maxSentSigners) break;
    if (!Buffer.from(der).includes(issuer.structure.subjectDer)) continue;
    try {
      found.push(readCertificate(Buffer.from(der)));
    } catch (error) {
      if (!(error instanceof FarkeepError)) throw error;
    }
  }
  return found;
}
