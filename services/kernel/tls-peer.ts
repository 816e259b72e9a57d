// Owns reading the certificates that a TLS peer showed, and the chain that OpenSSL verified among them. Must not judge them.
// Node's own object for that, `getPeerCertificate(true)`, must not be used on what a stranger sends: in Node 26.10 it ends the process
// (SIGSEGV) when a certificate holds a key on a curve without a NIST name (secp256k1, brainpool), and it stops early at a chain that was
// not sent in order. Node shows what was sent, not what was verified, so the verified chain is found again here (docs/certificates.md, 6).
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** OpenSSL takes at most 100 KiB of certificates from a peer, which is some 400 of the smallest ones. */
const maxSent = 512;
/** OpenSSL's own limit is 100 issuers. Real chains have two or three; each one more costs work before anything is trusted. */
const maxIssuers = 16;

/**
 * Call right after `tls.connect`, before the handshake: Node itself asks for the crashing object when the chain is trusted.
 * Goes with `checkServerIdentity: () => undefined`.
 */
export function shieldFromPeer(socket: TLSSocket): void {
  socket.getPeerCertificate = () => ({}) as never;
}

export interface PeerChain {
  /** Leaf first, each one's issuer next, each link proved by the signature. Empty: none was shown. */
  readonly certificates: readonly X509Certificate[];
  /** Whether the last one is one of the trusted roots. When OpenSSL accepted the peer, this is the very chain that it verified. */
  readonly isComplete: boolean;
  /** What else was sent. */
  readonly others: readonly X509Certificate[];
}

/** Why OpenSSL did not accept the peer: Node's code, which is "UNSPECIFIED" for most reasons, and OpenSSL's own words. */
export interface PeerRefusal {
  readonly code: string;
  readonly text: string;
}

/** Undefined when OpenSSL accepted the peer. */
export function peerRefusal(socket: TLSSocket): PeerRefusal | undefined {
  if (socket.authorized) return undefined;
  const shown: unknown = socket.authorizationError;
  const code = shown instanceof Error ? shown.message : String(shown);
  // Node keeps the words to itself; without this way in, the code has to do.
  const handle: unknown = Reflect.get(socket, '_handle');
  const verdict: unknown = hasVerifyError(handle) ? handle.verifyError() : undefined;
  // Node adds advice about its own options behind a semicolon.
  return { code, text: verdict instanceof Error ? verdict.message.replace(/;.*$/s, '') : code };
}

function hasVerifyError(handle: unknown): handle is { verifyError(): unknown } {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'verifyError') === 'function';
}

/**
 * Takes the issuers that OpenSSL takes (`X509_verify_cert` with X509_V_FLAG_TRUSTED_FIRST, its default): a trusted one if there is one, and
 * only trusted ones from then on; else the first that was sent, is in date and is not in the chain yet; else one that is out of date.
 * A candidate that does not bear out the signature ends the chain, because OpenSSL tries no other one either and refuses the peer.
 */
export function peerChain(socket: TLSSocket, roots: TrustedRoots): PeerChain {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return { certificates: [], isComplete: false, others: [] };
  const sent: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  for (; next !== undefined && sent.length < maxSent; next = next.issuerCertificate) sent.push(next);
  const chain = [leaf];
  let isAmongTrusted = false;
  for (let last = leaf; chain.length <= maxIssuers && !isSelfSigned(last);) {
    const isNew = (candidate: X509Certificate): boolean => !chain.some((known) => known.raw.equals(candidate.raw));
    // Several roots may have one name, and OpenSSL's order among them is not ours: the signature tells.
    const trusted = roots.issuersOf(last).filter((candidate) => isNew(candidate) && isSignedBy(last, candidate));
    const untrusted = isAmongTrusted ? [] : sent.filter((candidate) => last.checkIssued(candidate) && isNew(candidate));
    const issuer = preferInDate(trusted) ?? preferInDate(untrusted);
    if (issuer === undefined || !isSignedBy(last, issuer)) break;
    isAmongTrusted = trusted.length > 0;
    chain.push(issuer);
    last = issuer;
  }
  const end = chain.at(-1) ?? leaf;
  const others = sent.filter((one) => !chain.some((known) => known.raw.equals(one.raw)));
  return { certificates: chain, isComplete: next === undefined && roots.has(end), others };
}

function preferInDate(candidates: readonly X509Certificate[]): X509Certificate | undefined {
  const now = Date.now();
  const isInDate = ({ validFromDate, validToDate }: X509Certificate): boolean =>
    validFromDate.getTime() <= now && now <= validToDate.getTime();
  return candidates.find(isInDate) ?? candidates[0];
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && isSignedBy(certificate, certificate);
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key that OpenSSL cannot read has signed nothing.
    return false;
  }
}

/** The authorities that are trusted, as Node's `ca` takes them. Parsed once, on first use. */
export class TrustedRoots {
  readonly #pems: readonly string[];
  #certificates: readonly X509Certificate[] | undefined;

  /** @param pems one PEM certificate each; what cannot be read is passed over, as OpenSSL does */
  constructor(pems: readonly string[]) {
    this.#pems = pems;
  }

  /** Those that may have issued `certificate` by their names, key identifiers and usage. */
  issuersOf(certificate: X509Certificate): readonly X509Certificate[] {
    return this.#all().filter((root) => certificate.checkIssued(root));
  }

  has(certificate: X509Certificate): boolean {
    return this.#all().some((root) => root.raw.equals(certificate.raw));
  }

  #all(): readonly X509Certificate[] {
    this.#certificates ??= this.#pems.flatMap((pem) => parse(pem) ?? []);
    return this.#certificates;
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
