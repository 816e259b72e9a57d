// Owns a WebSocket client (RFC 6455) for text messages over an open connection: no extensions, no binary messages. Part of the second
// implementation: written from docs/ alone, uses node: modules only.
import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { SocketReader } from './socket-reader.ts';

const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

export class WebSocketClosed extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`The WebSocket was closed: ${code} ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

export class WebSocketClient {
  readonly #socket: Duplex;
  readonly #reader: SocketReader;

  private constructor(socket: Duplex, reader: SocketReader) {
    this.#socket = socket;
    this.#reader = reader;
  }

  static async open(socket: Duplex, { path, host }: { path: string; host: string }): Promise<WebSocketClient> {
    const reader = new SocketReader(socket);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    let head = '';
    while (!head.endsWith('\r\n\r\n')) head += (await reader.read(1)).toString('latin1');
    const [status = '', ...lines] = head.split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    if (!status.startsWith('HTTP/1.1 101 ')) throw new Error(`No WebSocket: ${status}`);
    if (headers.get('sec-websocket-accept') !== accept) throw new Error('The upgrade was answered with another key');
    if (headers.has('sec-websocket-extensions')) throw new Error('An extension that was not requested');
    return new WebSocketClient(socket, reader);
  }

  send(text: string): void {
    this.#write(opcodes.text, Buffer.from(text, 'utf8'));
  }

  /** Sends any frame, such as a binary one that the other side must refuse. */
  sendRaw(opcode: number, payload: Buffer): void {
    this.#write(opcode, payload);
  }

  close(): void {
    this.#write(opcodes.close, Buffer.of(0x03, 0xe8));
    this.#socket.end();
  }

  /** The next text message; answers pings meanwhile. @throws WebSocketClosed */
  async receive(): Promise<string> {
    const parts: Buffer[] = [];
    for (;;) {
      const head = await this.#reader.read(2);
      const [first = 0, second = 0] = head;
      if ((first & 0x70) !== 0 || second > 127) throw new Error('A reserved bit, or a masked frame of a server');
      let length = second;
      if (second === 126) length = (await this.#reader.read(2)).readUInt16BE();
      if (second === 127) length = Number((await this.#reader.read(8)).readBigUInt64BE());
      if (length > 256 * 1024) throw new Error('A message is larger than 256 KiB');
      const payload = await this.#reader.read(length);
      const opcode = first & 15;
      if (opcode === opcodes.close) {
        const code = payload.length < 2 ? 1005 : payload.readUInt16BE();
        throw new WebSocketClosed(code, payload.toString('utf8', 2));
      } else if (opcode === opcodes.ping) this.#write(opcodes.pong, payload);
      else if (opcode === opcodes.text || (opcode === opcodes.continuation && parts.length > 0)) {
        parts.push(payload);
        if ((first & 0x80) !== 0) return Buffer.concat(parts).toString('utf8');
      } else if (opcode !== opcodes.pong) throw new Error(`A frame of type ${opcode}`);
    }
  }

  #write(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const length =
      payload.length < 126
        ? Buffer.of(0x80 | payload.length)
        : payload.length < 65_536
          ? Buffer.of(0x80 | 126, payload.length >>> 8, payload.length & 255)
          : Buffer.concat([Buffer.of(0x80 | 127, 0, 0, 0, 0), u32(payload.length)]);
    const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
    this.#socket.write(Buffer.concat([Buffer.of(0x80 | opcode), length, mask, masked]));
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
