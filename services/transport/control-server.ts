// Owns the provider's end of the control channel: authenticated PROXY header, TLS 1.3 with a replaceable certificate, limits before login
// (docs/protocol.md, section 8), then messages. Must not know users or the meaning of messages.
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

import { systemClock, type Timer } from '../kernel/clock.ts';
import { CountedLog } from '../kernel/counted-log.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { clientHelloLimitBytes, namedGroups, parseClientHello } from '../wire/client-hello.ts';
import { parseProxyHeader, proxyBodyLimitBytes, type ReceivedProxyHeader } from '../wire/proxy-header.ts';
import { connectionKey, countingKey, normalizeAddress } from './client-address.ts';
import { ControlPeer, maxMessageBytes } from './control-peer.ts';
import { listen } from './data-listener.ts';
import { PendingPlaces, untilFirstByte, type Place } from './pending-places.ts';
import { checkIdentity, identityContext, type ServerIdentity } from './server-identity.ts';
import {
  channelBindingOf,
  controlProtocol,
  keyAgreementGroups,
  summarizeTls,
  type KeyAgreementGroup,
  type TlsSummary,
} from './tls-settings.ts';

export interface ControlConnection {
  readonly peer: ControlPeer;
  /** The client's address as reported by the gateway. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** undefined for a direct connection. */
  readonly gatewayId: string | undefined;
  readonly tls: TlsSummary;
  /** `tls-exporter` (RFC 9266), 32 bytes. */
  readonly channelBinding: Buffer;
  /** SHA-256 thumbprint of the certificate that this connection got; the installed certificate may have changed since. */
  readonly shownSha256: string;
  /** Ends the limits before login: 10 s and 16 KiB. */
  confirmLogin(): void;
}

export interface ControlServerLimits {
  readonly loginTimeoutMs: number;
  readonly bytesBeforeLogin: number;
  readonly connectionsPerAddress: number;
  readonly connections: number;
}

const defaultLimits: ControlServerLimits = {
  loginTimeoutMs: 10_000,
  bytesBeforeLogin: 16 * 1024,
  connectionsPerAddress: 100,
  connections: 10_000,
};

export interface ControlServerOptions {
  readonly host?: string;
  /** 0 lets the system choose a free port. */
  readonly port?: number;
  readonly identity: ServerIdentity;
  /**
   * Returns the gateway that wrote a header; undefined refuses the header. Must accept each header only once
   * (GatewayLinkServer.authenticateProxyHeader).
   */
  readonly authenticateProxy: (received: ReceivedProxyHeader) => { gatewayId: string } | undefined;
  /** Whether `key` is the address (in the form of `countingKey`) of an enrolled gateway with a link. */
  readonly isKnownAddress?: (key: string) => boolean;
  /** Whether tenants may connect without a gateway. */
  readonly isDirectAllowed?: boolean;
  readonly onConnection: (connection: ControlConnection) => void;
  readonly limits?: Partial<ControlServerLimits>;
  readonly pingIntervalMs?: number;
  readonly logger?: Logger;
}

/**
 * Limits for connections before the PROXY header. A known gateway opens many connections at once; other clients should not connect here.
 */
const headerPlaces = { total: 4096, perAddress: 256, perKnownAddress: 4096, reserved: 3072 };
/** A gateway sends its header at once, so a short limit is enough. */
const headerTimeoutMs = 2_000;

/** One client connection from accept to close. */
interface Client {
  readonly raw: Socket;
  readonly place: Place;
  readonly endSilence: () => void;
  readonly loginTimer: Timer;
  remoteAddress: string;
  remotePort: number;
  gatewayId: string | undefined;
  addressKey: string | undefined;
  group: KeyAgreementGroup | undefined;
  isOverLimit: boolean;
  tls: TLSSocket | undefined;
  peer: ControlPeer | undefined;
}

const groupCodes: Record<KeyAgreementGroup, number> = {
  X25519MLKEM768: namedGroups.x25519MlKem768,
  X25519: namedGroups.x25519,
  'P-256': namedGroups.p256,
};
const controlPath = '/control';
const proxyHeaderLimitBytes = 16 + proxyBodyLimitBytes;

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #limits: ControlServerLimits;
  readonly #logger: Logger;
  readonly #clients = new Map<string, Client>();
  readonly #places: PendingPlaces;
  readonly #strangers = new CountedLog();
  readonly #countByAddress = new Map<string, number>();
  readonly #tlsServers = new Map<KeyAgreementGroup | 'none', TlsServer>();
  readonly #http: HttpServer;
  readonly #webSockets: WebSocketServer;
  readonly #listener: TcpServer;
  #port = 0;

  private constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    const { isKnownAddress } = options;
    this.#places = new PendingPlaces({
      ...headerPlaces,
      ...(isKnownAddress === undefined ? {} : { isKnown: isKnownAddress }),
    });
    this.#webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes });
    this.#http = createHttpServer({ maxHeaderSize: 4096 }, (_request, response) => {
      response.writeHead(426, { connection: 'close' });
      response.end();
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    // Each group has its own TLS context, so the provider knows which group was negotiated. A client gets the best group that it offers.
    for (const group of [...keyAgreementGroups, 'none' as const])
      this.#tlsServers.set(group, this.#createTlsServer(group));
    this.#listener = createTcpServer(
      { allowHalfOpen: false, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
      (socket) => this.#accept(socket),
    );
  }

  /** @throws FarkeepError `service.port-in-use`, `service.start-failed`, `certificate.malformed` */
  static async start(options: ControlServerOptions): Promise<ControlServer> {
    checkIdentity(options.identity);
    const server = new ControlServer(options);
    server.#port = await listen(server.#listener, { host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Replaces the certificate for connections that are accepted from now on; open connections do not change.
   * @throws FarkeepError `certificate.malformed` when certificate and key cannot be used; the old certificate then stays in service
   */
  setIdentity(identity: ServerIdentity): void {
    // All steps that can fail come first; otherwise some groups could have the new certificate and others the old one.
    checkIdentity(identity);
    for (const [group, server] of this.#tlsServers) server.setSecureContext(contextOptions(identity, group));
  }

  /** Stops accepting, closes every channel with `reason` and waits at most a few seconds for them. */
  async close(reason = new FarkeepError('service.not-running', 'The provider service is stopping')): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    const closing: Promise<void>[] = [];
    for (const client of this.#clients.values()) {
      if (client.peer === undefined) this.#drop(client);
      else closing.push(client.peer.close(reason));
    }
    await Promise.all(closing);
    for (const client of this.#clients.values()) this.#drop(client);
    this.#webSockets.close();
    this.#http.close();
    await closed;
  }

  #createTlsServer(group: KeyAgreementGroup | 'none'): TlsServer {
    const server = createTlsServer({
      ...contextOptions(this.#options.identity, group),
      ALPNProtocols: [controlProtocol],
      // Our own login timer destroys the socket; Node's timer only emits an event.
      handshakeTimeout: this.#limits.loginTimeoutMs,
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const address = normalizeAddress(socket.remoteAddress);
      const reason = error.code ?? error.message;
      this.#strangers.note(`tls ${address}`, (times) =>
        this.#logger.info('TLS handshake failed', { address, reason, times }),
      );
      socket.destroy();
    });
    return server;
  }

  #accept(raw: Socket): void {
    raw.on('error', () => undefined);
    const place =
      this.#clients.size >= this.#limits.connections
        ? undefined
        : this.#places.take(raw.remoteAddress, () => this.#drop(client));
    if (place === undefined) {
      raw.destroy();
      return;
    }
    const key = connectionKey(raw);
    const client: Client = {
      raw,
      place,
      endSilence: untilFirstByte(Math.min(headerTimeoutMs, this.#limits.loginTimeoutMs), () => this.#drop(client)),
      remoteAddress: normalizeAddress(raw.remoteAddress),
      remotePort: raw.remotePort ?? 0,
      gatewayId: undefined,
      addressKey: undefined,
      group: undefined,
      isOverLimit: false,
      tls: undefined,
      peer: undefined,
      loginTimer: systemClock.startTimer(this.#limits.loginTimeoutMs, () => {
        const { remoteAddress: address } = client;
        this.#strangers.note(`slow ${address}`, (times) =>
          this.#logger.info('Client was too slow to log in', { address, times }),
        );
        client.peer?.terminate(new FarkeepError('call.timeout', 'No login in time'));
        this.#drop(client);
      }),
    };
    this.#clients.set(key, client);
    raw.once('close', () => {
      client.loginTimer.stop();
      client.endSilence();
      place.release();
      client.tls?.destroy();
      this.#clients.delete(key);
      this.#releaseAddress(client);
    });
    this.#readFirstBytes(client);
  }

  /** Reads the PROXY header and the ClientHello. Then OpenSSL gets all bytes after the header, also the bytes of the ClientHello. */
  #readFirstBytes(client: Client): void {
    const { raw } = client;
    let received: Buffer = Buffer.alloc(0);
    let isHeaderDone = false;
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (!isHeaderDone) {
        const taken = this.#takeHeader(client, received);
        if (taken === undefined) return;
        received = received.subarray(taken);
        isHeaderDone = true;
        client.endSilence();
        client.place.release();
      }
      if (received.length === 0) return;
      const hello = parseClientHello(received);
      if (hello.type === 'need-more' && received.length <= clientHelloLimitBytes + 1024) return;
      raw.removeListener('data', onData);
      raw.pause();
      // OpenSSL also gets an unreadable ClientHello, because it answers with the right alert.
      const group =
        hello.type === 'client-hello'
          ? keyAgreementGroups.find((candidate) => hello.groups.includes(groupCodes[candidate]))
          : undefined;
      client.group = group;
      raw.unshift(received);
      this.#tlsServers.get(group ?? 'none')?.emit('connection', raw);
    };
    raw.on('data', onData);
  }

  /** @returns the length of the header in bytes; undefined when more bytes are needed or the client was dropped */
  #takeHeader(client: Client, received: Buffer): number | undefined {
    if (received[0] === 0x16 && this.#options.isDirectAllowed === true) {
      return this.#admit(client) ? 0 : undefined;
    }
    const parsed = parseProxyHeader(received);
    if (parsed.type === 'need-more' && received.length <= proxyHeaderLimitBytes) return undefined;
    const gateway = parsed.type === 'header' ? this.#options.authenticateProxy(parsed) : undefined;
    if (parsed.type !== 'header' || gateway === undefined) {
      const { remoteAddress: address } = client;
      const reason = parsed.type === 'invalid' ? parsed.reason : 'not authentic';
      this.#strangers.note(`header ${address}`, (times) =>
        this.#logger.warn('Connection without the header of an enrolled gateway', { address, reason, times }),
      );
      this.#drop(client);
      return undefined;
    }
    client.gatewayId = gateway.gatewayId;
    client.remoteAddress = normalizeAddress(parsed.header.sourceAddress);
    client.remotePort = parsed.header.sourcePort;
    return this.#admit(client) ? parsed.lengthBytes : undefined;
  }

  /**
   * Counts connections by address. A client over the limit gets an error after the handshake; a client far over the limit is dropped
   * without a handshake.
   */
  #admit(client: Client): boolean {
    const key = countingKey(client.remoteAddress);
    const count = (this.#countByAddress.get(key) ?? 0) + 1;
    const limit = this.#limits.connectionsPerAddress;
    if (count > limit + Math.max(10, limit / 10)) {
      this.#drop(client);
      return false;
    }
    this.#countByAddress.set(key, count);
    client.addressKey = key;
    client.isOverLimit = count > limit;
    return true;
  }

  #releaseAddress(client: Client): void {
    const key = client.addressKey;
    if (key === undefined) return;
    client.addressKey = undefined;
    const count = (this.#countByAddress.get(key) ?? 1) - 1;
    if (count <= 0) this.#countByAddress.delete(key);
    else this.#countByAddress.set(key, count);
  }

  #secured(socket: TLSSocket): void {
    const client = this.#clients.get(connectionKey(socket));
    socket.on('error', () => undefined);
    if (client === undefined || socket.alpnProtocol !== controlProtocol) {
      socket.destroy();
      return;
    }
    client.tls = socket;
    this.#http.emit('connection', socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const client = this.#clients.get(connectionKey(request.socket));
    const tls = client?.tls;
    if (client === undefined || tls === undefined || client.peer !== undefined || request.url !== controlPath) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    if (client.isOverLimit) {
      const { remoteAddress: address } = client;
      this.#strangers.note(`limit ${address}`, (times) =>
        this.#logger.warn('Too many connections from one address', { address, times }),
      );
      socket.end('HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const peer = new ControlPeer(webSocket, {
        logger: this.#logger.child({ address: client.remoteAddress }),
        ...(this.#options.pingIntervalMs === undefined ? {} : { pingIntervalMs: this.#options.pingIntervalMs }),
      });
      client.peer = peer;
      peer.onClose(() => this.#drop(client));
      let bytesLeft = this.#limits.bytesBeforeLogin - head.length;
      const count = (chunk: Buffer): void => {
        bytesLeft -= chunk.length;
        if (bytesLeft < 0) {
          tls.removeListener('data', count);
          peer.terminate(
            new FarkeepError('protocol.malformed', `More than ${this.#limits.bytesBeforeLogin} bytes before login`),
          );
        }
      };
      tls.on('data', count);
      const connection: ControlConnection = {
        peer,
        remoteAddress: client.remoteAddress,
        remotePort: client.remotePort,
        gatewayId: client.gatewayId,
        tls: summarizeTls(tls, client.group ?? 'unknown'),
        channelBinding: channelBindingOf(tls),
        shownSha256: tls.getX509Certificate()?.fingerprint256 ?? '',
        confirmLogin: () => {
          client.loginTimer.stop();
          tls.removeListener('data', count);
        },
      };
      try {
        this.#options.onConnection(connection);
      } catch (error) {
        // An error of one connection must not end the process with all other connections.
        this.#logger.error('A control connection could not be served', { error });
        peer.terminate(toFarkeepError(error));
      }
    });
  }

  #drop(client: Client): void {
    client.loginTimer.stop();
    client.tls?.destroy();
    client.raw.destroy();
  }
}

function contextOptions(identity: ServerIdentity, group: KeyAgreementGroup | 'none') {
  return { ...identityContext(identity), ...(group === 'none' ? {} : { ecdhCurve: group }) };
}
