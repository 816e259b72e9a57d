// Owns the answer "revoked, good, or unknown" for a chain, from the admin's lists and from lists at the addresses in the certificates.
// docs/certificates.md, section 6, has a table of all outcomes that refuse a certificate.
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
  /** Whether a certificate with unknown revocation status is refused. Otherwise the unknown status is a warning. */
  readonly isRequired: boolean;
  /** Time limit for all lists of one chain together. */
  readonly fetchTimeoutMs: number;
}

export const defaultRevocationPolicy: RevocationPolicy = { canFetch: false, isRequired: false, fetchTimeoutMs: 5000 };

const maxUrlsPerCertificate = 4;
/** Limit of additional certificates that are read from a peer, because each certificate costs time. */
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

  /** @throws FarkeepError 'certificate.malformed' for a file that is not a revocation list */
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
   * @returns undefined when there is nothing to check. A self-signed certificate has nothing to check, because only its pin can be revoked.
   * There is also nothing to check if the admin gave no list and the policy forbids fetching. If the policy then requires an answer, a
   * trusted chain gets "unknown" and is refused.
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
        'The policy requires a revocation check, but there is no revocation list and fetching is not allowed';
      return { status: 'unknown', detail, isRequired };
    }
    const issuers = chainDer.map((der) => readCertificate(Buffer.from(der))).filter(({ der }) => !der.equals(leaf.der));
    using limit = signalWithin({ limitMs: this.#policy.fetchTimeoutMs, signal });
    const remarks: string[] = [];
    let leafAnswer: Pick<RevocationAnswer, 'status' | 'detail'> = {
      status: 'unknown',
      detail: 'Its issuer is unknown, so no revocation list can be checked',
    };
    let unusable: string | undefined;
    let isNamed = false;
    for (const [index, certificate] of [leaf, ...issuers].entries()) {
      const issuer = issuers[index];
      if (issuer === undefined) {
        // An attacker who has stolen the key of a pinned certificate can leave out the issuer, so a list that names the certificate counts
        // without a proof.
        if (!isSelfSigned(certificate) && isNamedBy(this.#given, certificate)) {
          unusable ??=
            'A revocation list names the certificate, but the server did not send the issuer, so the list cannot be verified';
          isNamed = true;
        }
        break;
      }
      const signers = [...this.#givenSigners, ...sentSigners(question, issuer)];
      const checked = { certificate, issuer, above: issuers[index + 1], signers };
      const {
        status,
        detail,
        remarks: more,
        isNamed: isThisNamed = false,
      } = await this.#checkOne(checked, canFetch, limit.signal);
      const sentence = index === 0 ? detail : `The authority "${certificate.structure.subject}": ${detail}`;
      remarks.push(...more);
      isNamed ||= isThisNamed;
      if (status === 'revoked') return { status, detail: sentence, isRequired };
      if (status === 'unusable') unusable ??= sentence;
      // For authorities above the leaf only "revoked" and "unusable" count: few authorities publish lists for them, and the policy is about
      // the leaf's list.
      else if (index === 0) leafAnswer = { status, detail };
    }
    signal?.throwIfAborted();
    // An unusable list from the admin must not count as no list: the revoked certificate may be in this list.
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
      // The fetched lists are checked together with the admin's lists, because lists can cover different reasons.
      const verdict = judgeByLists([...this.#given, ...fetched], asked, now);
      if (verdict.status === 'good' || verdict.status === 'revoked') return verdict;
    }
    if (given.status === 'unusable') return given;
    const last = judgeByLists(fetched, asked, now);
    // An attacker who can damage a download can also block it, so the policy treats both the same.
    return {
      status: 'unknown',
      detail: last.status === 'unusable' ? last.detail : (failure ?? last.detail),
      remarks: [],
    };
  }
}

/**
 * Returns certificates from the peer that have the issuer's name. Such a certificate may hold another key of the issuer, with which the
 * issuer signed a list.
 */
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
