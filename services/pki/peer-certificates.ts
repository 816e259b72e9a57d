// Owns reading what a live TLS socket showed, in the form that the trust decision takes, and the roots and options to dial with.
// Must not decide anything.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { TrustInput } from './trust.ts';

const linuxBundle = '/etc/ssl/certs/ca-certificates.crt';
const maxChainLength = 16;

/** System roots of this machine plus what the admin added, PEM. */
export function trustedRoots(extraRoots: readonly string[] = []): string[] {
  return [...systemRoots(), ...extraRoots];
}

let cachedSystemRoots: readonly string[] | undefined;

function systemRoots(): readonly string[] {
  cachedSystemRoots ??= readSystemRoots();
  return cachedSystemRoots;
}

function readSystemRoots(): readonly string[] {
  const roots = [...new Set(tls.getCACertificates('system'))];
  if (roots.length > 0 || process.platform !== 'linux') return roots;
  try {
    return readFileSync(linuxBundle, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  } catch {
    // A machine without a bundle trusts no authority: pins and added roots still work.
    return [];
  }
}

const contexts = new Map<string, tls.SecureContext>();

/**
 * A TLS 1.3 client context with `trustedRoots`, made once per set of extra roots (it parses hundreds of certificates).
 * Dial with `{ secureContext, rejectUnauthorized: false, checkServerIdentity: () => undefined }`, then `peerCertificates` and `decideTrust`.
 */
export function clientContext(extraRoots: readonly string[] = []): tls.SecureContext {
  const key = extraRoots.join('\n');
  let context = contexts.get(key);
  if (context === undefined) {
    context = tls.createSecureContext({
      ca: trustedRoots(extraRoots),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ecdhCurve: 'X25519MLKEM768:X25519:P-256',
    });
    // Bounded: an admin changes the added roots now and then, not thousands of times.
    if (contexts.size >= 8) contexts.clear();
    contexts.set(key, context);
  }
  return context;
}

/** What the handshake showed: the part of `TrustInput` that comes from the socket. undefined: the peer showed no certificate. */
export function peerCertificates(
  socket: tls.TLSSocket,
): Pick<TrustInput, 'leafDer' | 'chainDer' | 'isAuthorizedByOpenSsl' | 'authorizationError'> | undefined {
  const leaf = socket.getPeerCertificate(true);
  if (!('raw' in leaf) || leaf.raw === undefined) return undefined;
  const chainDer: Buffer[] = [];
  let current: tls.DetailedPeerCertificate | undefined = leaf;
  // Node links a root to itself.
  while (chainDer.length < maxChainLength) {
    const issuer: tls.DetailedPeerCertificate | undefined = current.issuerCertificate;
    if (issuer?.raw === undefined || issuer === current || issuer.raw.equals(current.raw)) break;
    chainDer.push(issuer.raw);
    current = issuer;
  }
  return {
    leafDer: leaf.raw,
    chainDer,
    isAuthorizedByOpenSsl: socket.authorized,
    authorizationError: socket.authorizationError,
  };
}
