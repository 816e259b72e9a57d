// Owns the control channel of the second implementation: TLS 1.3 through a gateway, a pinned certificate, the login (docs/protocol.md,
// section 2; docs/control-messages.md). Written from docs/ alone, uses node: modules only.
import { createHash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { EnvelopePeer, type Json } from './envelope-peer.ts';
import { ScramLogin } from './scram-login.ts';
import { WebSocketClient } from './web-socket.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TlsClient extends Address {
  readonly alpn: string;
  /** For SNI; a host name, never an address. */
  readonly serverName?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** SHA-256 of a certificate, in lower-case hex. */
export const sha256Of = (der: Buffer): string => createHash('sha256').update(der).digest('hex');

/**
 * TLS 1.3 with the groups of the protocol. Sends nothing before `accepts` has checked the certificate.
 * @throws when `accepts` refuses, or when the other side uses another protocol
 */
export async function connectTls(
  { host, port, alpn, serverName, cert, key }: TlsClient,
  accepts: (certificateDer: Buffer) => boolean,
): Promise<TLSSocket> {
  const socket = connect({
    ...{ host, port, ALPNProtocols: [alpn], minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519:P-256' },
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    rejectUnauthorized: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('Closed before the end of the handshake')));
  });
  socket.on('error', () => undefined);
  const { raw } = socket.getPeerX509Certificate() ?? { raw: Buffer.alloc(0) };
  if (socket.alpnProtocol !== alpn || !accepts(raw)) {
    socket.destroy();
    throw new Error('Another certificate than the accepted one');
  }
  return socket;
}

export interface ChannelOptions {
  readonly gateway: Address;
  readonly serverName: string;
  /** SHA-256 of the certificate that was accepted, as "AB:CD:...". */
  readonly thumbprint: string;
}

export class ControlChannel extends EnvelopePeer {
  readonly channelBinding: Buffer;
  readonly #socket: TLSSocket;
  readonly #webSocket: WebSocketClient;

  private constructor(socket: TLSSocket, webSocket: WebSocketClient, channelBinding: Buffer) {
    super(webSocket);
    this.#socket = socket;
    this.#webSocket = webSocket;
    this.channelBinding = channelBinding;
  }

  static async connect({ gateway, serverName, thumbprint }: ChannelOptions): Promise<ControlChannel> {
    const pin = thumbprint.replaceAll(':', '').toLowerCase();
    const socket = await connectTls({ ...gateway, serverName, alpn: 'farkeep/1' }, (der) => sha256Of(der) === pin);
    const binding = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const webSocket = await WebSocketClient.open(socket, { path: '/control', host: 'provider' });
    return new ControlChannel(socket, webSocket, binding);
  }

  async hello(protocol = 1, features: readonly Json[] = []): Promise<Json> {
    const answer = await this.request('hello', { protocol, software: 'second implementation', features });
    if (answer['protocol'] !== protocol) throw new Error(`The provider speaks version ${String(answer['protocol'])}`);
    return answer;
  }

  /** Returns the answer to `login.finish`. @param channelBinding value of another channel, to test the attack */
  async logIn(userName: string, password: string, channelBinding = this.channelBinding): Promise<Json> {
    const login = new ScramLogin({ userName, password, channelBinding });
    const first = await this.request('login.start', { mechanism: 'SCRAM-SHA-256-PLUS', message: login.first() });
    const answer = await this.request('login.finish', { message: await login.final(String(first['message'])) });
    login.verify(String(answer['message']));
    return answer;
  }

  /** A frame that is no text message. */
  sendFrame(opcode: number, payload: Buffer): void {
    this.#webSocket.sendRaw(opcode, payload);
  }

  close(): void {
    this.#webSocket.close();
  }

  /** Closes the connection at once, without a closing frame. */
  destroy(): void {
    this.#socket.destroy();
  }
}
