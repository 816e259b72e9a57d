// Owns the verdict of a set of revocation lists about one certificate (RFC 5280, 6.3; table in docs/certificates.md, section 6). Must not
// fetch lists and must not know where a list came from.
import type { ReadCertificate } from '../certificate/certificate-summary.ts';
import { type Crl, entryReasons } from './crl.ts';
import { nameKey } from '../certificate/distinguished-names.ts';
import { allReasons, reasonsCovered } from '../certificate/distribution-points.ts';
import { isStrongKey, isStrongSignature } from '../certificate/strength.ts';

/** Clocks of two machines differ: a new list can seem to come from the future. */
const clockToleranceMs = 5 * 60_000;
/** Limit of the keys that are tried for one list. A peer can send hundreds of certificates with one name, and each try costs a check. */
const maxSigners = 8;

export interface Verdict {
  /** `unusable`: a list covers this certificate but must not be used, and no other list answers. */
  readonly status: 'good' | 'revoked' | 'unusable' | 'unknown';
  readonly detail: string;
  /** With `unusable`: a list without a valid proof names the certificate. */
  readonly isNamed?: boolean;
  /** With `good`: defects of other lists, which did not change the answer. */
  readonly remarks: readonly string[];
}

export interface AskedCertificate {
  readonly certificate: ReadCertificate;
  readonly issuer: ReadCertificate;
  /** Issuer of the issuer; undefined for a root. */
  readonly above: ReadCertificate | undefined;
  /** Certificates of keys that may sign lists for the issuer: from the peer and from the admin's files. */
  readonly signers: readonly ReadCertificate[];
}

interface Problem {
  readonly text: string;
  /** The only defect is that the list has expired: a newer list replaces it, and a revocation in it still counts. */
  readonly isOnlyOld?: boolean;
  /** Whether a revocation in this list is proved. */
  readonly isProven: boolean;
}

/** @param now milliseconds since the epoch */
export function judgeByLists(lists: readonly Crl[], asked: AskedCertificate, now: number): Verdict {
  const { structure } = asked.certificate;
  const issuerKey = nameKey(structure.issuerDer);
  const points = structure.distributionPoints;
  const listIssuers = new Set([issuerKey, ...points.flatMap(({ listIssuers: named }) => named.map(({ key }) => key))]);
  const problems: Problem[] = [];
  /** Lists with a valid signature; a revocation in them counts. */
  const proven: Crl[] = [];
  const usable: { readonly list: Crl; readonly reasons: number }[] = [];
  let isNamed = false;
  for (const list of lists) {
    if (!listIssuers.has(list.issuerKey)) continue;
    const reasons = reasonsCovered(
      { scope: list.scope, issuer: list.issuerDer, issuerKey: list.issuerKey },
      { issuer: structure.issuerDer, isAuthority: structure.isAuthority, points },
    );
    const isListed = list
      .entriesOf(structure.serialInteger, issuerKey)
      .some(({ reason }) => reason !== entryReasons.removeFromList);
    // A list for other certificates is ignored, unless it names this certificate.
    if (reasons === 0 && !isListed) continue;
    const problem = problemOf(list, asked, lists, now);
    if (problem === undefined) usable.push({ list, reasons });
    else problems.push(problem);
    if (problem?.isProven !== false) proven.push(list);
    else if (isListed) isNamed = true;
    // The list must not be used (RFC 5280, 5.2), so it proves no revocation. But the certificate must not be reported as good either.
    if (problem?.isProven === false && isListed && list.unknownExtension !== undefined) {
      return { status: 'unusable', detail: problem.text, isNamed, remarks: [] };
    }
  }
  const deltas = usable.map(({ list }) => list).filter(({ deltaOf }) => deltaOf !== undefined);
  const isRevoked = proven.some((list) =>
    list
      .entriesOf(structure.serialInteger, issuerKey)
      .some(
        ({ reason }) =>
          reason !== entryReasons.removeFromList &&
          !(reason === entryReasons.certificateHold && isLifted(list, deltas, structure.serialInteger, issuerKey)),
      ),
  );
  if (isRevoked) return { status: 'revoked', detail: 'The certificate was revoked by its issuer', remarks: [] };
  const covered = usable
    .filter(({ list }) => list.deltaOf === undefined)
    .reduce((sum, { reasons }) => sum | reasons, 0);
  if ((covered & allReasons) === allReasons) {
    return {
      status: 'good',
      detail: 'The certificate is not on the revocation list of its issuer',
      remarks: problems.filter(({ isOnlyOld }) => isOnlyOld !== true).map(({ text }) => text),
    };
  }
  if (covered !== 0)
    problems.push({ text: 'The revocation lists do not cover all reasons of a revocation', isProven: true });
  else if (deltas.length > 0)
    problems.push({ text: 'There are only delta lists; the complete revocation list is missing', isProven: true });
  const [first] = problems;
  if (first !== undefined) return { status: 'unusable', detail: first.text, isNamed, remarks: [] };
  return { status: 'unknown', detail: 'There is no revocation list of its issuer', remarks: [] };
}

/** Whether a list names a certificate whose issuer was not sent, so that no signature can be checked. */
export function isNamedBy(lists: readonly Crl[], { structure }: ReadCertificate): boolean {
  const issuerKey = nameKey(structure.issuerDer);
  return lists.some((list) =>
    list.entriesOf(structure.serialInteger, issuerKey).some(({ reason }) => reason !== entryReasons.removeFromList),
  );
}

/** Whether a delta list removes the certificate from hold (RFC 5280, 5.2.4). */
function isLifted(list: Crl, deltas: readonly Crl[], serial: string, issuerKey: string): boolean {
  const { number } = list;
  if (number === undefined) return false;
  return deltas.some(
    (delta) =>
      (delta.deltaOf ?? 0n) <= number &&
      (delta.number ?? 0n) > number &&
      delta.entriesOf(serial, issuerKey).some(({ reason }) => reason === entryReasons.removeFromList),
  );
}

function problemOf(list: Crl, asked: AskedCertificate, lists: readonly Crl[], now: number): Problem | undefined {
  if (list.weakAlgorithm !== undefined) {
    return { text: `The revocation list has a weak signature (${list.weakAlgorithm})`, isProven: false };
  }
  if (!isSignedByRight(list, asked, lists, now)) {
    return {
      text: 'The revocation list is not signed by the issuer of the certificate, nor by another known key of the issuer',
      isProven: false,
    };
  }
  if (list.unknownExtension !== undefined) {
    return {
      text: `The revocation list has an unknown critical extension (${list.unknownExtension})`,
      isProven: false,
    };
  }
  if (list.nextUpdate !== undefined && list.nextUpdate < now) {
    const since = new Date(list.nextUpdate).toISOString();
    return { text: `The revocation list is out of date since ${since}`, isOnlyOld: true, isProven: true };
  }
  if (list.thisUpdate > now + clockToleranceMs) {
    return { text: 'The revocation list has a date in the future', isProven: true };
  }
  return undefined;
}

/**
 * Whether the issuer's own key signed the list, or another key of the issuer. The other key needs a certificate for signing lists with the
 * issuer name of the list, issued by the issuer or by the authority directly above. This rule is stricter than "the same root" (RFC 5280,
 * 6.3.3, f): no other authority below that root may sign lists for this issuer.
 */
function isSignedByRight(
  list: Crl,
  { certificate, issuer, above, signers }: AskedCertificate,
  lists: readonly Crl[],
  now: number,
): boolean {
  const isOfIssuer = list.issuerKey === nameKey(certificate.structure.issuerDer);
  if (isOfIssuer && list.isSignedBy(issuer)) return true;
  const authorities = above === undefined ? [issuer] : [issuer, above];
  const named = [...authorities, ...signers].filter(
    ({ structure }) => isForLists(structure.keyUsages) && nameKey(structure.subjectDer) === list.issuerKey,
  );
  return named.slice(0, maxSigners).some((signer) => {
    if (!list.isSignedBy(signer)) return false;
    if (authorities.includes(signer)) return true;
    return authorities.some((authority) => isAppointed(signer, authority, lists, now));
  });
}

function isForLists(usages: readonly string[] | undefined): boolean {
  return usages?.some((usage) => usage.toLowerCase() === 'crlsign') === true;
}

function isAppointed(signer: ReadCertificate, authority: ReadCertificate, lists: readonly Crl[], now: number): boolean {
  const { x509, structure } = signer;
  const authorityKey = nameKey(authority.structure.subjectDer);
  return (
    x509.validFromDate.getTime() <= now &&
    now <= x509.validToDate.getTime() &&
    isStrongKey(x509.publicKey) &&
    isStrongSignature(structure) &&
    structure.repeatedExtension === undefined &&
    x509.checkIssued(authority.x509) &&
    x509.verify(authority.x509.publicKey) &&
    // An attacker who has stolen a revoked list-signing key could sign any list.
    !lists.some(
      (list) =>
        list.issuerKey === authorityKey &&
        list.entriesOf(structure.serialInteger, authorityKey).length > 0 &&
        list.isSignedBy(authority),
    )
  );
}
