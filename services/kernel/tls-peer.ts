// Owns reading the certificates that a TLS peer showed. Must not judge them.
// Node's own object for that, `getPeerCertificate(true)`, must not be used on what a stranger sends: in Node 26.10 it ends the process
// (SIGSEGV) when a certificate holds a key on a curve without a NIST name (secp256k1, brainpool), and it stops early at a chain that was
// not sent in order.
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

const maxChainLength = 16;

/**
 * Call right after `tls.connect`, before the handshake: Node itself asks for the crashing object when the chain is trusted.
 * Goes with `checkServerIdentity: () => undefined`.
 */
export function shieldFromPeer(socket: TLSSocket): void {
  socket.getPeerCertificate = () => ({}) as never;
}

/**
 * The certificates of the peer, leaf first, each one's issuer next, as far as they were sent; the root from `roots` when it was not sent.
 * Each link is signed by the next; whether the whole may be trusted, OpenSSL has decided in the handshake. Empty: none was shown.
 */
export function peerChain(socket: TLSSocket, roots: RootIndex): X509Certificate[] {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return [];
  const sent: X509Certificate[] = [];
  for (
    let next = leaf.issuerCertificate;
    next !== undefined && sent.length < maxChainLength;
    next = next.issuerCertificate
  ) {
    sent.push(next);
  }
  const chain = [leaf];
  let last = leaf;
  while (chain.length <= maxChainLength && !last.checkIssued(last)) {
    const isIssuer = (candidate: X509Certificate): boolean =>
      last.checkIssued(candidate) &&
      last.verify(candidate.publicKey) &&
      !chain.some((known) => known.raw.equals(candidate.raw));
    // An authority may stand in the list twice, with an old and a new certificate: OpenSSL takes the one that is in date.
    const fitting = roots.find(last).filter(isIssuer);
    const issuer = fitting.find(isInDate) ?? fitting[0] ?? sent.find(isIssuer);
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function isInDate({ validFromDate, validToDate }: X509Certificate): boolean {
  const now = Date.now();
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}

/** Trusted roots by subject. Parsed once, on first use. */
export class RootIndex {
  readonly #pems: readonly string[];
  #bySubject: Map<string, X509Certificate[]> | undefined;

  /** @param pems one PEM certificate each; what cannot be read is passed over, as OpenSSL does */
  constructor(pems: readonly string[]) {
    this.#pems = pems;
  }

  /** Roots whose subject is the issuer of `certificate`. */
  find(certificate: X509Certificate): readonly X509Certificate[] {
    this.#bySubject ??= index(this.#pems);
    return this.#bySubject.get(certificate.issuer) ?? [];
  }
}

function index(pems: readonly string[]): Map<string, X509Certificate[]> {
  const bySubject = new Map<string, X509Certificate[]>();
  for (const pem of pems) {
    const root = parse(pem);
    if (root !== undefined) bySubject.set(root.subject, [...(bySubject.get(root.subject) ?? []), root]);
  }
  return bySubject;
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
