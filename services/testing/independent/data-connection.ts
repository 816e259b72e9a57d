// Owns data connections of the second implementation: the tunnel that delivers Key B, and the data streams (docs/protocol.md, sections 1, 4
// and 6). Written from docs/ alone, uses node: modules only.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Address } from './control-channel.ts';
import { decode, type DataMessage } from './data-messages.ts';
import {
  directionKeys,
  keyIdentifier,
  proofOf,
  RecordOpener,
  RecordSealer,
  recordTypes,
  type Exchange,
} from './sealed-records.ts';
import { SocketReader } from './socket-reader.ts';

const maxRecordBytes = 1_048_576;

/** The part of the provider's grant that data connections need. */
export interface Attempt {
  readonly gateway: Address;
  readonly sessionId: string;
  readonly attempt: number;
}

/** @param kind 1: tunnel, 2: data stream */
export function preamble(kind: 1 | 2, ticket: Buffer): Buffer {
  return Buffer.concat([Buffer.from('FKD1'), Buffer.of(1, kind, 0, 0), ticket]);
}

/** Connects and sends the ticket. */
export async function showTicket(gateway: Address, kind: 1 | 2, ticket: Buffer): Promise<Socket> {
  const socket = connect({ ...gateway, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.write(preamble(kind, ticket));
  return socket;
}

/** Delivers Key B under Key A. @returns bytes of the tunnel, for replay tests */
export async function deliverKeyB(
  { gateway, sessionId, attempt }: Attempt,
  ticket: Buffer,
  keyA: Buffer,
  keyB: Buffer,
): Promise<Buffer> {
  const socket = await showTicket(gateway, 1, ticket);
  const reader = new SocketReader(socket);
  const clientNonce = randomBytes(32);
  socket.write(clientNonce);
  const exchange = { sessionId, attempt, clientNonce, serverNonce: await reader.read(32) };
  const sealer = new RecordSealer(directionKeys(keyA, exchange, 'c'));
  const opener = new RecordOpener(directionKeys(keyA, exchange, 's'));
  const delivery = sealer.seal(recordTypes.delivery, 0, Buffer.concat([keyB, keyIdentifier(keyB)]));
  socket.write(delivery);
  const proof = await opener.open(reader.read);
  if (proof.type !== recordTypes.proof || !isEqual(proof.plaintext, proofOf(keyB, exchange, delivery)))
    throw new Error('security.key-proof');
  if ((await opener.open(reader.read)).type !== recordTypes.close)
    throw new Error('The tunnel continues after the proof');
  const close = sealer.seal(recordTypes.close, 0, Buffer.alloc(0));
  socket.end(close);
  return Buffer.concat([clientNonce, delivery, close]);
}

function isEqual(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

export class DataConnection {
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #sealer: RecordSealer;
  readonly #opener: RecordOpener;

  private constructor(socket: Socket, reader: SocketReader, keyB: Buffer, exchange: Exchange, stream: number) {
    this.#socket = socket;
    this.#reader = reader;
    this.#sealer = new RecordSealer(directionKeys(keyB, exchange, 'c', stream));
    this.#opener = new RecordOpener(directionKeys(keyB, exchange, 's', stream));
  }

  static async open(
    { gateway, sessionId, attempt }: Attempt,
    ticket: Buffer,
    keyB: Buffer,
    stream: number,
  ): Promise<DataConnection> {
    const socket = await showTicket(gateway, 2, ticket);
    const reader = new SocketReader(socket);
    const clientNonce = randomBytes(32);
    socket.write(clientNonce);
    const exchange = { sessionId, attempt, clientNonce, serverNonce: await reader.read(32) };
    return new DataConnection(socket, reader, keyB, exchange, stream);
  }

  /** Sends a message in as many records as needed. @param recordBytes largest plaintext of one record */
  send(message: Buffer, recordBytes = maxRecordBytes): void {
    for (let at = 0; at < message.length; at += recordBytes) {
      const goesOn = at + recordBytes < message.length ? 1 : 0;
      this.#socket.write(this.#sealer.seal(recordTypes.message, goesOn, message.subarray(at, at + recordBytes)));
    }
  }

  /** Sends raw bytes, such as a changed record. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next message; undefined after the other side's close record. */
  async receive(): Promise<DataMessage | undefined> {
    const parts: Buffer[] = [];
    for (;;) {
      const { type, flags, plaintext } = await this.#opener.open(this.#reader.read);
      if (type === recordTypes.close && parts.length === 0) {
        if (!(await this.#reader.ended())) throw new Error('Bytes after a close record');
        return undefined;
      }
      if (type !== recordTypes.message) throw new Error(`A record of type ${type} in a data stream`);
      parts.push(plaintext);
      if (flags === 0) return decode(parts.length === 1 ? plaintext : Buffer.concat(parts));
    }
  }

  /** The close record and the end of this direction; the target's own close record follows. */
  async close(): Promise<void> {
    this.#socket.end(this.#sealer.seal(recordTypes.close, 0, Buffer.alloc(0)));
    for (let message = await this.receive(); message !== undefined; message = await this.receive());
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
