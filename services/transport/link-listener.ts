// Owns the infrastructure port: mutual TLS 1.3, the upgrade to a gateway link, and the time limit for clients that have not identified
// themselves. Must not decide which client may do what: a gateway that wants to enroll has no certificate yet.
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';

import { systemClock, type Timer } from '../kernel/clock.ts';
import { CountedLog } from '../kernel/counted-log.ts';
import type { Logger } from '../kernel/logger.ts';
import { connectionKey, normalizeAddress } from './client-address.ts';
import { maxMessageBytes } from './control-peer.ts';
import { listen } from './data-listener.ts';
import { PendingPlaces, untilFirstByte, type Place } from './pending-places.ts';
import { linkPath, linkProtocol } from './tls-settings.ts';

/**
 * Limits before the TLS handshake, when only the address is known. Addresses of earlier links have a quarter of the places reserved, and no
 * other address can have more than an eighth.
 */
const places = { total: 64, perAddress: 8, reserved: 16 };
/** A gateway sends its ClientHello at once, so a short limit is enough. */
const firstByteTimeoutMs = 2_000;

export interface IncomingLink {
  readonly tls: TLSSocket;
  readonly webSocket: WebSocket;
  readonly remoteAddress: string;
  /** Ends the time limit, because the client has identified itself. */
  readonly welcome: () => void;
  readonly drop: () => void;
}

export interface LinkListenerOptions {
  readonly context: SecureContextOptions;
  /** Time limit for TLS handshake and first request. */
  readonly helloTimeoutMs: number;
  readonly onLink: (link: IncomingLink) => void;
  /** Whether a link of an enrolled gateway came from the address `key` before (`countingKey`). */
  readonly isKnownAddress: (key: string) => boolean;
  readonly logger: Logger;
}

/** One accepted connection; its time limit runs until its first valid request. */
interface Incoming {
  readonly raw: Socket;
  readonly endSilence: () => void;
  readonly helloTimer: Timer;
  readonly place: Place;
  tls: TLSSocket | undefined;
}

export class LinkListener {
  readonly #options: LinkListenerOptions;
  readonly #listener: TcpServer;
  readonly #tls: TlsServer;
  readonly #http: HttpServer;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes });
  readonly #incoming = new Map<string, Incoming>();
  readonly #places: PendingPlaces;
  readonly #failures = new CountedLog();
  #isClosing = false;
  #port = 0;

  constructor(options: LinkListenerOptions) {
    this.#options = options;
    this.#places = new PendingPlaces({ ...places, isKnown: options.isKnownAddress });
    this.#listener = createTcpServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (raw) =>
      this.#accept(raw),
    );
    // A gateway that wants to enroll has no certificate yet; the owner decides for each request what the client may do.
    this.#tls = createTlsServer({
      ...options.context,
      ALPNProtocols: [linkProtocol],
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#tls.on('secureConnection', (socket) => this.#secured(socket));
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const address = normalizeAddress(socket.remoteAddress);
      this.#failures.note(address, (times) =>
        options.logger.info('Gateway link: TLS handshake failed', {
          address,
          reason: error.code ?? error.message,
          times,
        }),
      );
      socket.destroy();
    });
    this.#http = createHttpServer({ maxHeaderSize: 4096 }, (_request, response) => {
      response.writeHead(426, { connection: 'close' });
      response.end();
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get port(): number {
    return this.#port;
  }

  /** @throws FarkeepError `service.port-in-use`, `service.start-failed` */
  async listen(address: { readonly host: string; readonly port: number }): Promise<void> {
    this.#port = await listen(this.#listener, address);
  }

  /** Replaces the TLS context for new connections; open ones do not change. */
  setContext(context: SecureContextOptions): void {
    this.#tls.setSecureContext(context);
  }

  /** Accepts no more connections; resolves when the last connection has closed. */
  close(): Promise<void> {
    this.#isClosing = true;
    return new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  dropAll(): void {
    for (const incoming of this.#incoming.values()) this.#drop(incoming);
    this.#webSockets.close();
    this.#http.close();
  }

  #accept(raw: Socket): void {
    raw.on('error', () => undefined);
    const place = this.#isClosing ? undefined : this.#places.take(raw.remoteAddress, () => this.#drop(incoming));
    if (place === undefined) {
      raw.destroy();
      return;
    }
    const key = connectionKey(raw);
    const incoming: Incoming = {
      raw,
      tls: undefined,
      place,
      endSilence: untilFirstByte(firstByteTimeoutMs, () => this.#drop(incoming)),
      helloTimer: systemClock.startTimer(this.#options.helloTimeoutMs, () => this.#drop(incoming)),
    };
    this.#incoming.set(key, incoming);
    raw.once('close', () => {
      incoming.endSilence();
      incoming.helloTimer.stop();
      place.release();
      incoming.tls?.destroy();
      this.#incoming.delete(key);
    });
    // Puts the first byte back, so that OpenSSL reads the whole stream.
    raw.once('readable', () => {
      const first: unknown = raw.read();
      if (!(first instanceof Buffer)) return;
      incoming.endSilence();
      place.heardFrom();
      raw.unshift(first);
      this.#tls.emit('connection', raw);
    });
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => undefined);
    const incoming = this.#incoming.get(connectionKey(socket));
    if (incoming === undefined || socket.alpnProtocol !== linkProtocol) {
      socket.destroy();
      return;
    }
    incoming.tls = socket;
    this.#http.emit('connection', socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const incoming = this.#incoming.get(connectionKey(request.socket));
    const tls = incoming?.tls;
    if (incoming === undefined || tls === undefined || request.url !== linkPath) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#options.onLink({
        tls,
        webSocket,
        remoteAddress: normalizeAddress(incoming.raw.remoteAddress),
        welcome: () => {
          incoming.place.release();
          incoming.helloTimer.stop();
        },
        drop: () => this.#drop(incoming),
      }),
    );
  }

  #drop(incoming: Incoming): void {
    incoming.helloTimer.stop();
    incoming.tls?.destroy();
    incoming.raw.destroy();
  }
}
