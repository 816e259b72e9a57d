// Owns the tenant's end of the control channel: TCP to a gateway, TLS 1.3 to the provider behind it, the pause in which the certificate is
// judged, then messages. Must not judge the certificate, and must not send any message before the certificate was accepted.
import { createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

import { whenAborted } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { serverNameFor } from '../kernel/host-name.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { peerChain, peerRefusal, TrustedRoots } from '../kernel/tls-peer.ts';
import { ControlPeer, maxMessageBytes } from './control-peer.ts';
import { connectGateway, runHandshake } from './tls-handshake.ts';
import { channelBindingOf, controlProtocol, summarizeTls, tlsRules, type TlsSummary } from './tls-settings.ts';

export interface PresentedCertificate {
  readonly leafDer: Buffer;
  /** The leaf first, then its issuers, if the provider sent them or the trusted roots contain them. */
  readonly chainDer: readonly Buffer[];
  /** Whether `chainDer` ends in a trusted root. Only a complete chain is known to be the chain that OpenSSL verified. */
  readonly isChainComplete: boolean;
  /** Other certificates that the provider sent. */
  readonly othersDer: readonly Buffer[];
  /** OpenSSL's verdict on the chain: dates, basic constraints, usage, signatures up to a root. Does not include the names. */
  readonly isAuthorized: boolean;
  /** OpenSSL's reason for a refusal, for example "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly authorizationError: string | undefined;
  /** OpenSSL's own text, for example "permitted subtree violation" when the code is "UNSPECIFIED". */
  readonly authorizationText?: string | undefined;
  readonly tls: TlsSummary;
}

export type TrustAnswer = { readonly isAccepted: true } | { readonly isAccepted: false; readonly error: FarkeepError };

/** Steps of connecting, named as in the handshake of docs/protocol.md, section 2. */
export type ConnectStep =
  'gateway-connected' | 'certificate-presented' | 'certificate-accepted' | 'channel-established';

export interface ConnectControlOptions {
  readonly host: string;
  readonly port: number;
  /** Host name for SNI; this function converts it to canonical form. No SNI is sent for an IP address or an invalid name. */
  readonly serverName: string;
  /** PEM of roots that the admin added to the system's roots. */
  readonly roots?: readonly string[];
  /**
   * Decides after the handshake and before this side sends any message. The provider waits 10 s for the login. If a person must decide,
   * refuse, ask the person, and connect again.
   */
  readonly decideTrust: (presented: PresentedCertificate) => Promise<TrustAnswer>;
  readonly onStep?: (step: ConnectStep) => void;
  readonly signal?: AbortSignal;
  /** Time limit for reaching the gateway, and again for the handshake with the provider. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
}

export interface ControlChannel {
  readonly peer: ControlPeer;
  readonly presented: PresentedCertificate;
  readonly tls: TlsSummary;
  /** `tls-exporter` (RFC 9266), 32 bytes; for SCRAM-SHA-256-PLUS. */
  channelBinding(): Buffer;
}

/**
 * @throws FarkeepError `certificate.malformed` (an added root), `gateway.unreachable`, `gateway.provider-unreachable`, `tls.version`,
 * `tls.group`, `tls.failed`,
 *   `connection.refused-limit`, `call.canceled`, or the error with which `decideTrust` refused
 */
export async function connectControl({
  host,
  port,
  serverName,
  roots = [],
  decideTrust,
  onStep,
  signal,
  timeoutMs = 10_000,
  logger = silentLogger,
}: ConnectControlOptions): Promise<ControlChannel> {
  // Checked first: an unreadable root is a mistake of the admin, not of the gateway.
  const trust = trustContextFor(roots);
  const target = `${host}:${port}`;
  const raw = await connectGateway({ host, port, timeoutMs, ...(signal === undefined ? {} : { signal }) });
  onStep?.('gateway-connected');
  const servername = serverNameFor(serverName);
  const socket = await runHandshake(raw, {
    target,
    timeoutMs,
    signal,
    options: {
      secureContext: trust.secureContext,
      ...(servername === undefined ? {} : { servername }),
      ALPNProtocols: [controlProtocol],
      // decideTrust below judges the certificate before anything is sent. Node's own name check is less strict than RFC 9525 and is not
      // used.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    },
  });
  try {
    if (socket.alpnProtocol !== controlProtocol) {
      throw new FarkeepError(
        'tls.failed',
        `${target} speaks TLS but is not a Farkeep provider (no "${controlProtocol}")`,
      );
    }
    const presented = readPresented(socket, trust.trustedRoots);
    onStep?.('certificate-presented');
    const answer = await decideTrust(presented);
    if (!answer.isAccepted) throw answer.error;
    if (signal?.aborted === true) throw new FarkeepError('call.canceled');
    if (socket.destroyed)
      throw new FarkeepError('connection.lost', `${target} closed the connection while the certificate was checked`);
    onStep?.('certificate-accepted');
    const binding = channelBindingOf(socket);
    const peer = await openPeer(socket, target, timeoutMs, logger, signal);
    onStep?.('channel-established');
    return { peer, presented, tls: presented.tls, channelBinding: () => Buffer.from(binding) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function readPresented(socket: TLSSocket, roots: TrustedRoots): PresentedCertificate {
  const { certificates, isComplete, others } = peerChain(socket, roots);
  const chainDer = certificates.map((certificate) => certificate.raw);
  const leafDer = chainDer[0];
  if (leafDer === undefined) throw new FarkeepError('tls.failed', 'The other side showed no certificate');
  const refusal = peerRefusal(socket);
  return {
    leafDer,
    chainDer,
    isChainComplete: isComplete,
    othersDer: others.map((certificate) => certificate.raw),
    isAuthorized: socket.authorized,
    authorizationError: refusal?.code,
    authorizationText: refusal?.text,
    tls: summarizeTls(socket),
  };
}

interface TrustContext {
  readonly secureContext: SecureContext;
  readonly trustedRoots: TrustedRoots;
}

let lastContext: { readonly roots: string; readonly context: TrustContext } | undefined;

/**
 * The system's roots (Node's own list where the system has none) and the admin's. Kept, because reading them costs more than a handshake.
 */
function trustContextFor(roots: readonly string[]): TrustContext {
  const key = roots.join('\n');
  if (lastContext?.roots !== key) {
    const system = getCACertificates('system');
    const ca = [...(system.length > 0 ? system : getCACertificates('bundled')), ...roots];
    try {
      const secureContext = createSecureContext({ ...tlsRules, ca });
      lastContext = { roots: key, context: { secureContext, trustedRoots: new TrustedRoots(ca) } };
    } catch (error) {
      throw new FarkeepError('certificate.malformed', 'One of the added root certificates cannot be read', {
        cause: error,
      });
    }
  }
  return lastContext.context;
}

function openPeer(
  socket: TLSSocket,
  target: string,
  timeoutMs: number,
  logger: Logger,
  signal: AbortSignal | undefined,
): Promise<ControlPeer> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket('ws://provider/control', [], {
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      handshakeTimeout: timeoutMs,
      followRedirects: false,
    });
    // Created at once, so that no message directly after the upgrade is lost.
    const peer = new ControlPeer(webSocket, { logger });
    const stopListening = whenAborted(signal, () => peer.terminate(new FarkeepError('call.canceled')));
    let refusal: FarkeepError | undefined;
    webSocket.once('unexpected-response', (request, response) => {
      refusal =
        response.statusCode === 429
          ? new FarkeepError('connection.refused-limit', `${target}: too many connections from this address`)
          : new FarkeepError(
              'protocol.malformed',
              `${target} answered ${response.statusCode ?? 'nothing'} instead of opening a control channel`,
            );
      request.destroy();
      webSocket.terminate();
    });
    webSocket.once('open', () => {
      stopListening();
      resolve(peer);
    });
    peer.onClose((error) => {
      stopListening();
      reject(refusal ?? error ?? new FarkeepError('connection.lost', `${target} closed the control channel`));
    });
  });
}
