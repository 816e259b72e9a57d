// Owns the tenant's trust decision (docs/protocol.md, section 3): OpenSSL's chain check, names, strength, pins, revocation. Must not build
// chains and must not open connections: it gets the certificates of a finished handshake.
import { instantText } from '../../contracts/models/instant-text.ts';
import { adviceAgainst } from '../../contracts/models/trust-texts.ts';
import type { TrustReason } from '../../contracts/models/trust.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { canonicalHost } from '../../kernel/host-name.ts';
import {
  describeKey,
  hasServerAuth,
  isSelfSigned,
  type ReadCertificate,
  readCertificate,
} from '../certificate/certificate-summary.ts';
import { explainConstraints, forbidsHost } from './name-constraints.ts';
import { type CertificateNames, matchName, type NameMatch } from '../certificate/names.ts';
import { isStrongKey, isStrongSignature, signatureAlgorithmName } from '../certificate/strength.ts';
import { matchesThumbprint, type Thumbprint, thumbprintOf } from '../certificate/thumbprint.ts';

export interface TrustPin {
  readonly certificateDer: Uint8Array;
  readonly state: 'current' | 'next' | 'revoked' | 'replaced';
  /** Date from which an announced certificate (`next`) is accepted, ms since the epoch. */
  readonly usableFrom?: number;
}

export interface RevocationAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Whether the status `unknown` refuses the certificate. */
  readonly isRequired: boolean;
  readonly detail: string;
  /** With `unknown`: a list from the admin without a valid proof names the certificate. A pin does not override this. */
  readonly isNamed?: boolean;
  /** Defects of the admin's lists that did not change the answer. */
  readonly remarks?: readonly string[];
}

export interface TrustInput {
  readonly leafDer: Uint8Array;
  /**
   * The issuers above the leaf. Each certificate is the issuer of the certificate before it. The root comes last when it is known. The leaf
   * itself may come first.
   */
  readonly chainDer: readonly Uint8Array[];
  /** Whether the chain ends in a trusted root. Only a complete chain is known to be the chain that OpenSSL verified (`peerChain`). */
  readonly isChainComplete: boolean;
  /** Other certificates from the peer, used to explain an incomplete chain. */
  readonly othersDer?: readonly Uint8Array[];
  /** Name or address of the gateway as the tenant dialed it. */
  readonly nameDialed: string;
  /** `TLSSocket.authorized` of a socket opened with the trusted roots and `checkServerIdentity` switched off. */
  readonly isAuthorizedByOpenSsl: boolean;
  /** OpenSSL's reason for a refusal: Node's code, which is usually "UNSPECIFIED", and OpenSSL's text. */
  readonly authorizationError: string | undefined;
  readonly authorizationText?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly pins: readonly TrustPin[];
  /** A thumbprint that a person typed for this connection. It replaces the pins. */
  readonly fingerprint?: Thumbprint | undefined;
  readonly revocation?: RevocationAnswer | undefined;
}

export interface TrustFinding {
  readonly reason: TrustReason;
  readonly isRefusing: boolean;
  /** One sentence with the details; no secret. */
  readonly message: string;
}

export interface TrustResult {
  readonly decision: 'trusted' | 'pinned' | 'refused';
  /** Codes of `findings` without duplicates. */
  readonly reasons: TrustReason[];
  readonly findings: TrustFinding[];
  /**
   * Whether a pin exists and the presented certificate is not the pinned certificate. The user then gets the compare prompt, not the
   * first-use prompt.
   */
  readonly isChanged: boolean;
}

const chainReasons: Readonly<Record<string, TrustReason>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'chain.self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'chain.untrusted-root',
  CERT_UNTRUSTED: 'chain.untrusted-root',
  UNABLE_TO_GET_ISSUER_CERT: 'chain.incomplete',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'chain.incomplete',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'chain.incomplete',
  CERT_HAS_EXPIRED: 'date.expired',
  CERT_NOT_YET_VALID: 'date.not-yet-valid',
  CERT_REVOKED: 'revocation.revoked',
  INVALID_PURPOSE: 'usage.no-server-auth',
};

/** Limit of names in the message about a certificate with the wrong name. */
const maxListedNames = 8;

/**
 * OpenSSL's messages about name constraints, because Node has no code for them. The last message means that there are too many constraints.
 */
const constraintTexts = new Set([
  'permitted subtree violation',
  'excluded subtree violation',
  'unsupported name constraint type',
  'unsupported or invalid name constraint syntax',
  'unsupported or invalid name syntax',
  'unspecified certificate verification error',
]);

/** Returns how the certificate's names and the pin fit a gateway, before any connection. */
export function gatewayNameMatch(certificate: ReadCertificate, nameDialed: string, isPinned: boolean): NameMatch {
  const { structure } = certificate;
  if (!isPinned) return matchName(structure, nameDialed);
  const limits = pinnedNames(certificate, nameDialed);
  return limits === undefined ? 'covered' : matchName(limits, nameDialed);
}

/**
 * The names that a pinned certificate requires of a gateway; undefined when it requires none. The pin is the identity. So a certificate
 * without DNS names does not limit DNS names, and a certificate without addresses does not limit addresses. The common name of a
 * self-signed certificate is a label for people, not a host.
 */
function pinnedNames(certificate: ReadCertificate, nameDialed: string): CertificateNames | undefined {
  const { structure } = certificate;
  const isAddress = canonicalHost(nameDialed)?.kind === 'ip';
  if (isAddress) return structure.ipAddresses.length > 0 ? structure : undefined;
  if (structure.dnsNames.length > 0) return structure;
  const hasHostLikeCommonName = structure.commonNames.some((name) => name.includes('.'));
  return !structure.hasSubjectAltName && hasHostLikeCommonName && !isSelfSigned(certificate) ? structure : undefined;
}

/** @throws FarkeepError 'certificate.malformed' when the leaf cannot be read */
export function decideTrust(input: TrustInput): TrustResult {
  const leaf = readCertificate(Buffer.from(input.leafDer));
  const isSame = (der: Uint8Array): boolean => leaf.der.equals(der);
  const first = input.chainDer[0];
  const chain = readChain(first !== undefined && isSame(first) ? input.chainDer.slice(1) : input.chainDer);
  const findings: TrustFinding[] = [];
  const add = (reason: TrustReason, isRefusing: boolean, message: string): void => {
    findings.push({ reason, isRefusing, message });
  };
  const currentPins = input.pins.filter((pin) => pin.state === 'current');
  const isChanged = currentPins.length > 0 && !currentPins.some((pin) => isSame(pin.certificateDer));
  const revokedPin = input.pins.find((pin) => pin.state === 'revoked' && isSame(pin.certificateDer));

  const pin = findPin(input, isSame);
  if (revokedPin !== undefined) add('pin.revoked', true, 'This certificate was pinned and the pin was revoked');
  if (input.fingerprint !== undefined) {
    if (!matchesThumbprint(leaf.der, input.fingerprint)) {
      add(
        'fingerprint.mismatch',
        true,
        `The presented thumbprint is ${thumbprintOf(leaf.der, input.fingerprint.algorithm)}`,
      );
    } else if (input.fingerprint.algorithm === 'SHA-1') {
      add('fingerprint.match-sha1', false, 'The SHA-1 thumbprint matches; SHA-256 is stronger');
    } else {
      add('fingerprint.match', false, 'The SHA-256 thumbprint matches');
    }
  }
  if (pin === 'current') add('pin.match', false, 'The certificate is the pinned one, byte for byte');
  if (pin === 'next') add('pin.next', false, 'The certificate is the one that was announced with the pinned key');
  const isPinned = pin !== undefined;

  addKeyFindings(add, leaf, chain, isPinned);
  addDateFindings(add, leaf, chain, input.now, isPinned);
  // A self-signed certificate can only be trusted by a pin. Its names are checked by the rules for pins; otherwise no first contact could
  // succeed.
  addNameFindings(add, leaf, input.nameDialed, isPinned || (!input.isAuthorizedByOpenSsl && isSelfSigned(leaf)));
  if (!hasServerAuth(leaf.structure)) {
    add(
      'usage.no-server-auth',
      !isPinned,
      'The certificate is not made for servers (extended key usage has no serverAuth)',
    );
  }
  // "openssl req -x509" marks self-signed certificates as authorities by default, which is harmless when exactly this certificate is
  // pinned.
  if (leaf.structure.isAuthority)
    add('usage.authority', !isPinned, 'The certificate belongs to an authority, not to a server');
  if (!isPinned) addChainFindings(add, leaf, chain, input, findings);
  if (input.revocation !== undefined) {
    const { status, detail, isRequired, isNamed } = input.revocation;
    // No authority keeps a list for a self-signed certificate, so a policy that requires one must not refuse a pinned self-signed
    // certificate.
    const isRefusing =
      status === 'revoked' || (status === 'unknown' && (isNamed === true || (isRequired && !isPinned)));
    add(`revocation.${status}`, isRefusing, detail);
    for (const remark of input.revocation.remarks ?? []) add('revocation.list-unusable', false, remark);
  }
  if (isChanged && pin !== 'next' && input.fingerprint === undefined) {
    add('pin.changed', false, 'Another certificate is pinned for this provider');
  }

  const isRefused = findings.some((finding) => finding.isRefusing);
  return {
    decision: isRefused ? 'refused' : isPinned ? 'pinned' : 'trusted',
    reasons: [...new Set(findings.map((finding) => finding.reason))],
    findings,
    isChanged: isChanged && pin === undefined,
  };
}

/** The error for a refused decision. Its code selects the compare prompt, the first-contact prompt, or a refusal without a prompt. */
export function trustError(result: TrustResult, identity: string): FarkeepError {
  const refusing = result.findings.filter((finding) => finding.isRefusing);
  const has = (reason: TrustReason): boolean => refusing.some((finding) => finding.reason === reason);
  const code = has('fingerprint.mismatch')
    ? 'trust.thumbprint-mismatch'
    : has('pin.revoked') || has('revocation.revoked') || has('strength.weak-key')
      ? 'trust.refused'
      : result.isChanged
        ? 'trust.changed'
        : 'trust.untrusted';
  // When another certificate is pinned, the message must say that the certificate has changed; "not pinned" would hide a possible attack.
  const isReplaced = result.isChanged && !has('fingerprint.mismatch') && !has('pin.revoked');
  const others = refusing.filter(({ reason }) => !isReplaced || reason !== 'chain.self-signed');
  const hint = code === 'trust.refused' ? adviceAgainst(refusing.map(({ reason }) => reason)) : undefined;
  const messages = [
    ...(isReplaced ? ['The certificate has changed: another one is pinned for this provider'] : []),
    ...others.map(({ message }) => message),
  ];
  return new FarkeepError(code, `${identity}: ${messages.join('; ')}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { reasons: result.reasons },
  });
}

type Add = (reason: TrustReason, isRefusing: boolean, message: string) => void;

function findPin(
  input: TrustInput,
  isSame: (der: Uint8Array) => boolean,
): 'current' | 'next' | 'fingerprint' | undefined {
  if (input.fingerprint !== undefined) {
    return matchesThumbprint(input.leafDer, input.fingerprint) ? 'fingerprint' : undefined;
  }
  const matching = input.pins.filter((pin) => isSame(pin.certificateDer));
  if (matching.some((pin) => pin.state === 'current')) return 'current';
  const isAnnounced = matching.some((pin) => pin.state === 'next' && (pin.usableFrom ?? 0) <= input.now);
  return isAnnounced ? 'next' : undefined;
}

function readChain(chainDer: readonly Uint8Array[]): ReadCertificate[] | undefined {
  try {
    return chainDer.map((der) => readCertificate(Buffer.from(der)));
  } catch (error) {
    if (error instanceof FarkeepError) return undefined;
    throw error;
  }
}

function addKeyFindings(
  add: Add,
  leaf: ReadCertificate,
  chain: ReadCertificate[] | undefined,
  isPinned: boolean,
): void {
  // A pinned certificate is trusted without signatures of authorities, so only its own key must be strong.
  for (const certificate of isPinned ? [leaf] : [leaf, ...(chain ?? [])]) {
    const name = certificate === leaf ? 'The certificate' : `The authority "${certificate.structure.subject}"`;
    if (!isStrongKey(certificate.x509.publicKey)) {
      add('strength.weak-key', true, `${name} has a weak key (${describeKey(certificate.x509.publicKey)})`);
    }
    // The signature of a root on itself proves nothing and is not used.
    if (!isStrongSignature(certificate.structure) && !isSelfSigned(certificate)) {
      add(
        'strength.weak-signature',
        !isPinned,
        `${name} has a weak signature (${signatureAlgorithmName(certificate.structure)})`,
      );
    }
  }
}

function addDateFindings(
  add: Add,
  leaf: ReadCertificate,
  chain: ReadCertificate[] | undefined,
  now: number,
  isPinned: boolean,
): void {
  let isOutOfDate = false;
  for (const certificate of isPinned ? [leaf] : [leaf, ...(chain ?? [])]) {
    const name = certificate === leaf ? 'The certificate' : `The authority "${certificate.structure.subject}"`;
    if (now > certificate.x509.validToDate.getTime()) {
      isOutOfDate = true;
      add('date.expired', !isPinned, `${name} expired on ${instantText(certificate.x509.validToDate)}`);
    }
    if (now < certificate.x509.validFromDate.getTime()) {
      isOutOfDate = true;
      add(
        'date.not-yet-valid',
        !isPinned,
        `${name} is not valid before ${instantText(certificate.x509.validFromDate)}`,
      );
    }
  }
  if (isPinned && isOutOfDate) add('pin.dates-ignored', false, 'The certificate is not valid today, but it is pinned');
}

function addNameFindings(add: Add, leaf: ReadCertificate, nameDialed: string, isPinned: boolean): void {
  const match = gatewayNameMatch(leaf, nameDialed, isPinned);
  if (match === 'not-covered') {
    const names = [...leaf.structure.dnsNames, ...leaf.structure.ipAddresses];
    const all = names.length > 0 ? names : leaf.structure.commonNames;
    // An attacker's certificate may hold ten thousand names.
    const listed =
      all.length > maxListedNames ? [...all.slice(0, maxListedNames), `${all.length - maxListedNames} more`] : all;
    add(
      'name.not-covered',
      true,
      `The certificate does not cover "${nameDialed}"; it is made for ${listed.join(', ') || 'no host'}`,
    );
    return;
  }
  // A pinned certificate without names is valid for every gateway, but no name in it covers this gateway.
  if (!isPinned || pinnedNames(leaf, nameDialed) !== undefined) {
    add('name.covered', false, `The certificate covers "${nameDialed}"`);
  }
  if (match === 'covered-by-common-name') {
    add(
      'name.common-name-only',
      false,
      'The name is only in the subject; the certificate has no subject alternative names',
    );
  }
}

function addChainFindings(
  add: Add,
  leaf: ReadCertificate,
  chain: ReadCertificate[] | undefined,
  input: TrustInput,
  earlier: readonly TrustFinding[],
): void {
  if (input.isAuthorizedByOpenSsl) {
    const constraint = forbidsHost(input.nameDialed, chain ?? []);
    // Key strength and revocation are checked on this chain, so it must be the chain whose signatures OpenSSL verified.
    if (!input.isChainComplete || chain === undefined || !isLinked([leaf, ...chain])) {
      add(
        'chain.invalid',
        true,
        'The chain that OpenSSL accepted cannot be followed from the certificate to a trusted authority',
      );
    } else if (constraint !== undefined) {
      // OpenSSL checked only the names in the certificate against the constraints. A wildcard can still stand for an excluded name.
      add('chain.name-constraint', true, constraint);
    } else {
      add('chain.trusted', false, 'The chain leads to a trusted authority');
    }
    return;
  }
  const code = input.authorizationError ?? 'UNSPECIFIED';
  const text = input.authorizationText ?? code;
  if (code === 'UNSPECIFIED' && constraintTexts.has(text)) {
    const constraint = explainConstraints(leaf, chain ?? []);
    if (constraint !== undefined || text.includes('subtree')) {
      add(
        'chain.name-constraint',
        true,
        constraint ?? 'An authority of the chain may not issue for the names of the certificate',
      );
      return;
    }
  }
  const reason = chainReasons[code] ?? 'chain.invalid';
  const repeated =
    reason === 'chain.incomplete' ? describeRepeated(leaf, chain ?? [], input.othersDer ?? []) : undefined;
  if (repeated !== undefined) {
    add('chain.invalid', true, repeated);
    return;
  }
  // OpenSSL at security level 2 finds weak keys and signatures too, and its purpose check includes authorities. Such a finding already
  // explains the refusal.
  const isExplained = (reasons: readonly TrustReason[]): boolean =>
    earlier.some((finding) => finding.isRefusing && reasons.includes(finding.reason));
  if (reason === 'chain.invalid' && isExplained(['strength.weak-key', 'strength.weak-signature'])) return;
  if (reason === 'usage.no-server-auth' && isExplained(['usage.authority', 'usage.no-server-auth'])) return;
  if (isExplained([reason])) return;
  const explained: Partial<Record<TrustReason, string>> = {
    'chain.self-signed': 'The certificate is self-signed and not pinned',
    'chain.untrusted-root': 'The chain ends at an authority that is not trusted on this computer',
    'chain.incomplete':
      'The chain does not reach a trusted authority: an intermediate is missing, or the root is not trusted on this computer',
    'usage.no-server-auth': 'An authority of the chain may not issue certificates for servers',
  };
  add(reason, true, explained[reason] ?? `OpenSSL refused the chain: ${text}`);
}

/** OpenSSL treats a certificate with a repeated extension as damaged and reports that its issuer is missing. */
function describeRepeated(
  leaf: ReadCertificate,
  chain: readonly ReadCertificate[],
  othersDer: readonly Uint8Array[],
): string | undefined {
  const missingName = (chain.at(-1) ?? leaf).structure.issuerDer;
  // An attacker can send hundreds of certificates with one name; the explanation reads only a few.
  const named = othersDer.filter((der) => Buffer.from(der).includes(missingName)).slice(0, 4);
  const missing = named.flatMap((der) => readChain([der]) ?? []);
  const found = [leaf, ...chain, ...missing.filter(({ structure }) => structure.subjectDer.equals(missingName))].find(
    ({ structure }) => structure.repeatedExtension !== undefined,
  );
  if (found === undefined) return undefined;
  const name = found === leaf ? 'The certificate' : `The authority "${found.structure.subject}"`;
  return `${name} has the extension ${found.structure.repeatedExtension ?? ''} twice, which RFC 5280 forbids`;
}

/** Whether the key of each certificate signed the certificate before it. */
function isLinked(certificates: readonly ReadCertificate[]): boolean {
  return certificates.every((certificate, index) => {
    const issuer = certificates[index + 1];
    return (
      issuer === undefined ||
      (certificate.x509.checkIssued(issuer.x509) && certificate.x509.verify(issuer.x509.publicKey))
    );
  });
}
