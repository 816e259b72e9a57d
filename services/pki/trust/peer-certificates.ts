// Owns a TLS 1.3 handshake with a server that returns the server's certificates as input for the trust decision. Must not send data
// afterwards and must not decide trust.
import { connect as connectTcp } from 'node:net';
import tls from 'node:tls';
import type { TlsInfo } from '../../contracts/models/trust.ts';
import { withDeadline } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { serverNameFor } from '../../kernel/host-name.ts';
import { peerChain, peerRefusal, shieldFromPeer, TrustedRoots } from '../../kernel/tls-peer.ts';
import type { TrustInput } from './trust.ts';

/** PEM of the system's roots and of the roots that the admin added. */
export function trustedRoots(extraRoots: readonly string[] = []): string[] {
  return [...systemRoots(), ...extraRoots];
}

let cachedSystemRoots: readonly string[] | undefined;

function systemRoots(): readonly string[] {
  cachedSystemRoots ??= readSystemRoots();
  return cachedSystemRoots;
}

function readSystemRoots(): readonly string[] {
  const system = tls.getCACertificates('system');
  // A machine without its own list of roots uses the list of Node.js. The control channel does the same.
  return [...new Set(system.length > 0 ? system : tls.getCACertificates('bundled'))];
}

interface TrustContext {
  readonly secureContext: tls.SecureContext;
  readonly roots: TrustedRoots;
}

const contexts = new Map<string, TrustContext>();

/** Security level 2: OpenSSL refuses keys below 112 bits of security, and SHA-1 in the chain that it builds. */
const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:DEFAULT:@SECLEVEL=2';

/** A TLS 1.3 client context with `trustedRoots`. Made once for each set of added roots, because this parses hundreds of certificates. */
function clientContext(extraRoots: readonly string[]): TrustContext {
  const key = extraRoots.join('\n');
  let context = contexts.get(key);
  if (context === undefined) {
    const roots = trustedRoots(extraRoots);
    const secureContext = tls.createSecureContext({
      ca: roots,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ecdhCurve: 'X25519MLKEM768:X25519:P-256',
      ciphers,
    });
    context = { secureContext, roots: new TrustedRoots(roots) };
    // An admin changes the added roots rarely, so this cache stays small.
    if (contexts.size >= 8) contexts.clear();
    contexts.set(key, context);
  }
  return context;
}

export interface LookOptions {
  readonly host: string;
  readonly port: number;
  /** Name for SNI, in any spelling. For an IP address no SNI is sent. */
  readonly serverName?: string;
  readonly extraRoots?: readonly string[];
  readonly alpnProtocols?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type PresentedCertificates = Pick<
  TrustInput,
  | 'leafDer'
  | 'chainDer'
  | 'isChainComplete'
  | 'othersDer'
  | 'isAuthorizedByOpenSsl'
  | 'authorizationError'
  | 'authorizationText'
> & { readonly tls: TlsInfo };

/**
 * Connects, reads the certificates and closes the connection. Sends nothing after the handshake.
 * @throws FarkeepError 'gateway.unreachable' | 'tls.version' | 'tls.failed', or AbortError
 */
export async function lookAtServer(options: LookOptions): Promise<PresentedCertificates> {
  const { host, port, serverName = host, timeoutMs = 10_000, signal } = options;
  const target = `${host}:${port}`;
  const hint = `Check name, port and firewall; TCP ${port} must be open.`;
  const socket = connectTcp({ host, port });
  try {
    const readCertificates = (): Promise<PresentedCertificates> =>
      new Promise((resolve, reject) => {
        socket.once('close', () =>
          reject(new FarkeepError('tls.failed', `${target} closed the connection during the handshake`)),
        );
        socket.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            new FarkeepError('gateway.unreachable', `${target}: ${error.code ?? error.message}`, {
              hint,
              cause: error,
            }),
          ),
        );
        socket.once('connect', () => {
          const servername = serverNameFor(serverName);
          const { secureContext, roots } = clientContext(options.extraRoots ?? []);
          const secure = tls.connect({
            socket,
            secureContext,
            ...(servername === undefined ? {} : { servername }),
            ...(options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] }),
            // decideTrust checks the certificate; Node's own name check is less strict than RFC 9525.
            rejectUnauthorized: false,
            checkServerIdentity: () => undefined,
          });
          shieldFromPeer(secure);
          secure.once('error', (error: NodeJS.ErrnoException) => reject(explainTlsError(error, target)));
          secure.once('secureConnect', () => {
            const certificates = peerCertificates(secure, roots);
            if (certificates === undefined) reject(new FarkeepError('tls.failed', `${target} showed no certificate`));
            else resolve({ ...certificates, tls: tlsInfo(secure) });
          });
        });
      });
    const onLate = (): FarkeepError =>
      new FarkeepError('gateway.unreachable', `${target} did not answer within ${timeoutMs} ms`, { hint });
    return await withDeadline({ limitMs: timeoutMs, signal, onLate }, readCertificates);
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function explainTlsError(error: NodeJS.ErrnoException, target: string): FarkeepError {
  const code = error.code ?? '';
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|INAPPROPRIATE_FALLBACK/.test(code)) {
    return new FarkeepError('tls.version', `${target} only speaks TLS 1.2 or older; refusing to fall back`, {
      cause: error,
    });
  }
  return new FarkeepError('tls.failed', `The TLS handshake with ${target} failed (${code || error.message})`, {
    cause: error,
  });
}

function tlsInfo(socket: tls.TLSSocket): TlsInfo {
  const info: unknown = socket.getEphemeralKeyInfo();
  const group =
    typeof info === 'object' && info !== null && 'name' in info && typeof info.name === 'string'
      ? info.name
      : 'unknown';
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    group: group === 'prime256v1' ? 'P-256' : group,
  };
}

/** The certificates of the handshake: the part of `TrustInput` that the socket provides. undefined: the peer sent no certificate. */
function peerCertificates(socket: tls.TLSSocket, roots: TrustedRoots): Omit<PresentedCertificates, 'tls'> | undefined {
  const { certificates, isComplete, others } = peerChain(socket, roots);
  const [leaf, ...issuers] = certificates;
  if (leaf === undefined) return undefined;
  const refusal = peerRefusal(socket);
  return {
    leafDer: leaf.raw,
    chainDer: issuers.map((certificate) => certificate.raw),
    isChainComplete: isComplete,
    othersDer: others.map((certificate) => certificate.raw),
    isAuthorizedByOpenSsl: socket.authorized,
    authorizationError: refusal?.code,
    authorizationText: refusal?.text,
  };
}
