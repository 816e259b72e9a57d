// Owns the control channel of the second implementation: TLS 1.3 through a gateway, a pinned certificate, requests and notifications, the
// login (docs/protocol.md, section 2; docs/control-messages.md). Written from docs/ alone, uses node: modules only.
import { createHash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { ScramLogin } from './scram-login.ts';
import { WebSocketClient } from './web-socket.ts';

export type Json = Readonly<Record<string, unknown>>;
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An answer with `ok: false`. */
export class Refusal extends Error {
  readonly code: string;

  constructor(error: Json) {
    super(`${String(error['code'])}: ${String(error['message'])}`);
    this.code = String(error['code']);
  }
}

export interface ChannelOptions {
  readonly gateway: Address;
  /** For SNI; a host name, never an address. */
  readonly serverName: string;
  /** SHA-256 of the certificate that was accepted, as "AB:CD:...". */
  readonly thumbprint: string;
}

interface Waiting {
  readonly resolve: (value: Json) => void;
  readonly reject: (error: Error) => void;
}

export class ControlChannel {
  readonly channelBinding: Buffer;
  readonly #socket: TLSSocket;
  readonly #webSocket: WebSocketClient;
  readonly #waiting = new Map<number, Waiting>();
  readonly #notifications: { readonly type: string; readonly payload: Json }[] = [];
  readonly #listeners = new Set<() => void>();
  #lastId = 0;
  #end: Error | undefined;

  private constructor(socket: TLSSocket, webSocket: WebSocketClient, channelBinding: Buffer) {
    this.#socket = socket;
    this.#webSocket = webSocket;
    this.channelBinding = channelBinding;
    void this.#receiveAll();
  }

  static async connect({ gateway, serverName, thumbprint }: ChannelOptions): Promise<ControlChannel> {
    const socket = connect({
      ...gateway,
      servername: serverName,
      ALPNProtocols: ['farkeep/1'],
      minVersion: 'TLSv1.3',
      ecdhCurve: 'X25519MLKEM768:X25519:P-256',
      // The pin decides, below, before a byte is sent.
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Closed before the handshake was over')));
    });
    socket.on('error', () => undefined);
    const { raw } = socket.getPeerX509Certificate() ?? { raw: Buffer.alloc(0) };
    const shown = createHash('sha256').update(raw).digest('hex').toUpperCase();
    if (socket.alpnProtocol !== 'farkeep/1' || shown !== thumbprint.replaceAll(':', '')) {
      socket.destroy();
      throw new Error('Not the provider whose certificate was accepted');
    }
    const binding = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const webSocket = await WebSocketClient.open(socket, { path: '/control', host: 'provider' });
    return new ControlChannel(socket, webSocket, binding);
  }

  async request(type: string, payload: Json = {}): Promise<Json> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    this.#webSocket.send(JSON.stringify({ id, type, payload }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  notify(type: string, payload: Json): void {
    this.#webSocket.send(JSON.stringify({ type, payload }));
  }

  /** The next notification of this type, which may have come already. @throws when the connection ends before */
  async notified(type: string): Promise<Json> {
    for (;;) {
      const index = this.#notifications.findIndex((notification) => notification.type === type);
      const [found] = index === -1 ? [] : this.#notifications.splice(index, 1);
      if (found !== undefined) return found.payload;
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Resolves with why the connection ended. */
  async closed(): Promise<Error> {
    while (this.#end === undefined) await new Promise<void>((resolve) => this.#listeners.add(resolve));
    return this.#end;
  }

  async hello(protocol = 1, features: readonly Json[] = []): Promise<Json> {
    const answer = await this.request('hello', { protocol, software: 'second implementation', features });
    if (answer['protocol'] !== protocol) throw new Error(`The provider speaks version ${String(answer['protocol'])}`);
    return answer;
  }

  /** Gives the answer to `login.finish`. @param channelBinding that of another channel, for the attack */
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

  /** As a cut line. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #receiveAll(): Promise<void> {
    try {
      for (;;) {
        const message = JSON.parse(await this.#webSocket.receive()) as Json;
        if (typeof message['type'] === 'string') {
          this.#notifications.push({ type: message['type'], payload: (message['payload'] ?? {}) as Json });
        } else {
          const waiting = this.#waiting.get(Number(message['id']));
          this.#waiting.delete(Number(message['id']));
          if (message['ok'] === true) waiting?.resolve((message['value'] ?? {}) as Json);
          else waiting?.reject(new Refusal(message['error'] as Json));
        }
        this.#wake();
      }
    } catch (error) {
      const reason = error as Error;
      this.#end = reason;
      for (const { reject } of this.#waiting.values()) reject(reason);
      this.#waiting.clear();
      this.#wake();
      this.#socket.destroy();
    }
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
