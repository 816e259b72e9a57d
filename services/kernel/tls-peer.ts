// Owns reading the certificates that a TLS peer sent, and finding the chain that OpenSSL verified. Must not judge certificates. Node's
// `getPeerCertificate(true)` must not be used on certificates from a stranger: in Node 26.10 it crashes the process (SIGSEGV) when a
// certificate holds a key on a curve without a NIST name (secp256k1, brainpool), and it stops early at a chain in the wrong order. Node
// exposes the sent certificates but not the verified chain, so this file computes that chain again (docs/certificates.md, 6).
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** OpenSSL takes at most 100 KiB of certificates from a peer, about 400 of the smallest ones. */
const maxSent = 512;
/** OpenSSL allows 100 issuers. Real chains have two or three, and each further issuer costs work before anything is trusted. */
const maxIssuers = 16;

/**
 * Stops Node from creating its own certificate object, which can crash the process when the chain is trusted. Call this right after
 * `tls.connect`, before the handshake. Must be used with `checkServerIdentity: () => undefined`.
 */
export function shieldFromPeer(socket: TLSSocket): void {
  socket.getPeerCertificate = () => ({}) as never;
}

export interface PeerChain {
  /** Leaf first, then each issuer in turn; a signature proves each link. Empty when the peer sent no certificate. */
  readonly certificates: readonly X509Certificate[];
  /** Whether the chain ends in a trusted root. If OpenSSL accepted the peer, a complete chain is the chain that OpenSSL verified. */
  readonly isComplete: boolean;
  /** Certificates that the peer sent but that are not in the chain. */
  readonly others: readonly X509Certificate[];
}

/** Why OpenSSL did not accept the peer: Node's code, which is "UNSPECIFIED" for most reasons, and OpenSSL's own text. */
export interface PeerRefusal {
  readonly code: string;
  readonly text: string;
}

/** undefined when OpenSSL accepted the peer. */
export function peerRefusal(socket: TLSSocket): PeerRefusal | undefined {
  if (socket.authorized) return undefined;
  const shown: unknown = socket.authorizationError;
  const code = shown instanceof Error ? shown.message : String(shown);
  // Node does not expose OpenSSL's text. If this internal access fails, the code is used.
  const handle: unknown = Reflect.get(socket, '_handle');
  const verdict: unknown = hasVerifyError(handle) ? handle.verifyError() : undefined;
  // Node appends advice about its own options after a semicolon.
  return { code, text: verdict instanceof Error ? verdict.message.replace(/;.*$/s, '') : code };
}

function hasVerifyError(handle: unknown): handle is { verifyError(): unknown } {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'verifyError') === 'function';
}

/**
 * Chooses issuers as OpenSSL does (`X509_verify_cert` with X509_V_FLAG_TRUSTED_FIRST, its default). A trusted issuer is used first, and
 * after a trusted issuer only trusted ones follow. Otherwise the first sent certificate that is in date and not yet in the chain is used,
 * then one that is out of date. A candidate whose key does not match the signature ends the chain: OpenSSL tries no other candidate and
 * refuses the peer.
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
    // Several roots can share a name, and OpenSSL's order among them is not supported by this version, so the signature decides.
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
    // OpenSSL cannot read this key, so the key cannot have signed anything.
    return false;
  }
}

/** The trusted authorities, in the form of Node's `ca` option. Parsed once, on first use. */
export class TrustedRoots {
  readonly #pems: readonly string[];
  #certificates: readonly X509Certificate[] | undefined;

  /** @param pems one PEM certificate each; an unreadable one is skipped, as OpenSSL does */
  constructor(pems: readonly string[]) {
    this.#pems = pems;
  }

  /** Returns roots that may have issued `certificate`, by name, key identifier and usage. */
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
