// Owns the tenant's end of the control channel: TCP to a gateway, TLS 1.3 to the provider behind it, the pause in which the certificate is
// judged, then messages. Must not judge the certificate itself, and must not send a byte of its own before it was accepted.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { ControlPeer, maxMessageBytes } from './control-peer.ts';
import { channelBindingOf, controlProtocol, summarizeTls, tlsRules, type TlsSummary } from './tls-settings.ts';

export interface PresentedCertificate {
  readonly leafDer: Buffer;
  /** Leaf first, then the issuers as far as they are known (sent by the provider or found among the roots). */
  readonly chainDer: readonly Buffer[];
  /** OpenSSL's verdict on the chain: dates, basic constraints, usage, signatures up to a root. Names are not part of it. */
  readonly isAuthorized: boolean;
  /** OpenSSL's reason when it is not, for example "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly authorizationError: string | undefined;
  readonly tls: TlsSummary;
}

export type TrustAnswer = { readonly isAccepted: true } | { readonly isAccepted: false; readonly error: FarkeepError };

/** What happens on the way; the names are those of the handshake in docs/protocol.md, section 2. */
export type ConnectStep =
  'gateway-connected' | 'certificate-presented' | 'certificate-accepted' | 'channel-established';

export interface ConnectControlOptions {
  readonly host: string;
  readonly port: number;
  /** For SNI; left out when it is an address. */
  readonly serverName: string;
  /** PEM of roots that the admin added to the system's. */
  readonly roots?: readonly string[];
  /**
   * Decides with the handshake done and nothing of ours sent. The provider waits 10 s for the login: when a person has to be asked, refuse,
   * ask, and connect again.
   */
  readonly decideTrust: (presented: PresentedCertificate) => Promise<TrustAnswer>;
  readonly onStep?: (step: ConnectStep) => void;
  readonly signal?: AbortSignal;
  /** For reaching the gateway, and again for the handshake with the provider. */
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
 * @throws FarkeepError `gateway.unreachable`, `gateway.provider-unreachable`, `tls.version`, `tls.group`, `tls.failed`,
 *   `connection.refused-limit`, `call.cancelled`, or the error with which `decideTrust` refused
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
  const raw = await connectGateway({ host, port, timeoutMs, ...(signal === undefined ? {} : { signal }) });
  onStep?.('gateway-connected');
  const socket = await new Attempt(raw, `${host}:${port}`, timeoutMs, signal).run((resolve) => {
    const secure = connectTls({
      socket: raw,
      ...tlsRules,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ca: trustedRoots(roots),
      ALPNProtocols: [controlProtocol],
      // Judged by decideTrust below, before anything is sent. Node's own name check is looser than RFC 9525, so it is not asked.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    secure.once('secureConnect', () => resolve(secure));
    return secure;
  });
  // From here on a lost connection is noticed by whoever waits; the listener keeps Node from ending the process.
  socket.on('error', () => undefined);
  try {
    if (socket.alpnProtocol !== controlProtocol) {
      throw new FarkeepError(
        'tls.failed',
        `${host}:${port} speaks TLS but is no Farkeep provider (no "${controlProtocol}")`,
      );
    }
    const presented = readPresented(socket);
    onStep?.('certificate-presented');
    const answer = await decideTrust(presented);
    if (!answer.isAccepted) throw answer.error;
    if (signal?.aborted === true) throw new FarkeepError('call.cancelled');
    if (socket.destroyed)
      throw new FarkeepError(
        'connection.lost',
        `${host}:${port} closed the connection while the certificate was looked at`,
      );
    onStep?.('certificate-accepted');
    const binding = channelBindingOf(socket);
    const peer = await openPeer(socket, `${host}:${port}`, timeoutMs, logger, signal);
    onStep?.('channel-established');
    return { peer, presented, tls: presented.tls, channelBinding: () => Buffer.from(binding) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectGateway({
  host,
  port,
  timeoutMs,
  signal,
}: {
  host: string;
  port: number;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new FarkeepError('call.cancelled'));
      return;
    }
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    const fail = (error: FarkeepError): void => {
      cleanUp();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      fail(
        new FarkeepError('gateway.unreachable', `Gateway ${host}:${port}: ${error.code ?? error.message}`, {
          cause: error,
        }),
      );
    const onAbort = (): void => fail(new FarkeepError('call.cancelled'));
    const timer = setTimeout(
      () =>
        fail(new FarkeepError('gateway.unreachable', `Gateway ${host}:${port} did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const cleanUp = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      cleanUp();
      resolve(socket);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The TLS handshake with its time limit, and what each way of failing means. */
class Attempt {
  readonly #raw: Socket;
  readonly #target: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(raw: Socket, target: string, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#raw = raw;
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  run(start: (resolve: (socket: TLSSocket) => void) => TLSSocket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const fail = (error: FarkeepError): void => {
        cleanUp();
        secure.on('error', () => undefined);
        this.#raw.on('error', () => undefined);
        secure.destroy();
        this.#raw.destroy();
        reject(error);
      };
      const onError = (error: NodeJS.ErrnoException): void => fail(this.#explain(error));
      const onClose = (): void => fail(this.#explain(undefined));
      const onAbort = (): void => fail(new FarkeepError('call.cancelled'));
      const timer = setTimeout(
        () =>
          fail(
            this.#raw.bytesRead === 0
              ? new FarkeepError(
                  'gateway.provider-unreachable',
                  `${this.#target} took the connection but nothing answered within ${this.#timeoutMs} ms`,
                )
              : new FarkeepError(
                  'tls.failed',
                  `The TLS handshake with ${this.#target} did not end within ${this.#timeoutMs} ms`,
                ),
          ),
        this.#timeoutMs,
      );
      const cleanUp = (): void => {
        clearTimeout(timer);
        this.#signal?.removeEventListener('abort', onAbort);
        secure.removeListener('error', onError);
        secure.removeListener('close', onClose);
      };
      const secure = start((socket) => {
        cleanUp();
        resolve(socket);
      });
      secure.once('error', onError);
      secure.once('close', onClose);
      this.#signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #explain(error: NodeJS.ErrnoException | undefined): FarkeepError {
    const target = this.#target;
    const code = error?.code ?? '';
    const cause = error === undefined ? {} : { cause: error };
    if (
      code === 'ERR_SSL_UNSUPPORTED_PROTOCOL' ||
      code.includes('PROTOCOL_VERSION') ||
      code === 'ERR_SSL_INAPPROPRIATE_FALLBACK'
    ) {
      return new FarkeepError('tls.version', `${target} only speaks TLS 1.2 or older; refusing to fall back`, cause);
    }
    // RFC 8446, 4.1.1: a server without a common group answers with handshake_failure.
    if (
      code === 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' ||
      code === 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' ||
      code === 'ERR_SSL_WRONG_CURVE' ||
      code === 'ERR_SSL_BAD_KEY_SHARE'
    ) {
      return new FarkeepError('tls.group', `${target} shares no key agreement group with this side (${code})`, cause);
    }
    if (code.startsWith('ERR_SSL'))
      return new FarkeepError('tls.failed', `The TLS handshake with ${target} failed: ${code}`, cause);
    if (this.#raw.bytesRead === 0) {
      return new FarkeepError(
        'gateway.provider-unreachable',
        `${target} closed the connection before a provider answered`,
        cause,
      );
    }
    return new FarkeepError(
      'tls.failed',
      `${target} broke off the TLS handshake${code === '' ? '' : ` (${code})`}`,
      cause,
    );
  }
}

function readPresented(socket: TLSSocket): PresentedCertificate {
  const chainDer: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A root is its own issuer; the bound is against a chain made to be long.
  while (certificate?.raw !== undefined && chainDer.length < 16) {
    const raw: Buffer = certificate.raw;
    if (chainDer.some((known) => known.equals(raw))) break;
    chainDer.push(Buffer.from(raw));
    certificate = certificate.issuerCertificate;
  }
  const leafDer = chainDer[0];
  if (leafDer === undefined) throw new FarkeepError('tls.failed', 'The other side showed no certificate');
  const verdict: unknown = socket.authorizationError;
  return {
    leafDer,
    chainDer,
    isAuthorized: socket.authorized,
    authorizationError: socket.authorized ? undefined : verdict instanceof Error ? verdict.message : String(verdict),
    tls: summarizeTls(socket),
  };
}

let systemRoots: readonly string[] | undefined;

/** The system's roots (Node's own list where the system has none) and the admin's. */
function trustedRoots(added: readonly string[]): string[] {
  if (systemRoots === undefined) {
    const system = getCACertificates('system');
    systemRoots = system.length > 0 ? system : getCACertificates('bundled');
  }
  return [...systemRoots, ...added];
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
    // Created at once, so that no message that comes right behind the upgrade is lost.
    const peer = new ControlPeer(webSocket, { logger });
    const onAbort = (): void => peer.terminate(new FarkeepError('call.cancelled'));
    signal?.addEventListener('abort', onAbort, { once: true });
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
      signal?.removeEventListener('abort', onAbort);
      resolve(peer);
    });
    peer.onClose((error) => {
      signal?.removeEventListener('abort', onAbort);
      reject(refusal ?? error ?? new FarkeepError('connection.lost', `${target} closed the control channel`));
    });
  });
}
