// Owns one data stream between movers: DataSocket, nonces, records and messages. The messages arrive in order, both directions have
// back-pressure, and the end of the stream is authenticated. The source and the target use this class, on the main thread or on a worker.
// Must not know what messages mean.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../kernel/release-memory.ts';
import { whyNoTicket, type DataSocket } from '../../transport/data-socket.ts';
import { DataStreamHandshake } from '../../wire/data-stream.ts';
import type { DataStreamOptions } from '../../wire/data-stream.ts';
import { MessageAssembler } from '../../wire/message-assembler.ts';
import { encodeMessage } from '../../wire/messages.ts';
import type { DataMessage } from '../../wire/messages.ts';
import type { RecordOpener, RecordSealer } from '../../wire/records.ts';

/**
 * A source that has sent nothing for this time sends an offer of no blocks, which the target answers. So the connection does not look dead.
 */
export const aliveIntervalMs = 10_000;
/** A connection on which nothing arrived for this time counts as broken. TCP alone would need many minutes to notice. */
export const maxSilentMs = 90_000;

export interface DataConnectionHandlers {
  /** Called when both sides have the keys; from now on messages can be sent. */
  onOpen(): void;
  /**
   * Called for one message at a time; while the returned promise is pending nothing more is read. A rejection fails the connection.
   * `memory` holds the bytes of the message's blocks; the receiver may release it when it no longer needs them.
   */
  onMessage(message: DataMessage, memory: readonly Uint8Array[]): void | Promise<void>;
  /** Called when the other side has sent its close record and everything before that record has been handled. */
  onPeerEnd(): void;
  /** Called once. `error` is undefined only when both sides ended with their close records. */
  onClose(error: FarkeepError | undefined): void;
}

export class DataConnection {
  readonly #socket: DataSocket;
  readonly #handlers: DataConnectionHandlers;
  readonly #handshake: DataStreamHandshake;
  readonly #side: DataStreamOptions['side'];
  readonly #assembler = new MessageAssembler();
  readonly #inbox: { readonly message: DataMessage; readonly memory: readonly Uint8Array[] }[] = [];
  #sealer: RecordSealer | undefined;
  #opener: RecordOpener | undefined;
  #isHandling = false;
  #lastHeardMs = performance.now();
  #failure: FarkeepError | undefined;
  #isEnded = false;
  #hasPeerEnded = false;
  #isPeerEndReported = false;
  #isCloseReported = false;

  /** @param firstBytes bytes that arrived together with the preamble */
  constructor(socket: DataSocket, options: DataStreamOptions, handlers: DataConnectionHandlers, firstBytes?: Buffer) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#side = options.side;
    this.#handshake = new DataStreamHandshake(options);
    void socket.write(this.#handshake.start());
    socket.start(
      {
        onChunk: (chunk) => this.#receive(chunk),
        onEnd: () => {
          this.#socketEnded();
        },
        onClose: (error) => {
          this.#socketClosed(error);
        },
      },
      firstBytes,
    );
  }

  /** Milliseconds since the other side last sent something, counted only while this side was reading. */
  get silentMs(): number {
    return this.#isHandling ? 0 : performance.now() - this.#lastHeardMs;
  }

  /** Encrypted bytes read so far, headers included. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get isOpen(): boolean {
    return this.#sealer !== undefined && !this.#isEnded && this.#failure === undefined;
  }

  /**
   * Encrypts and writes the message; the caller may reuse its buffers at once. Wait for the promise before the next message, or memory
   * grows.
   */
  send(message: DataMessage): true | Promise<void> {
    if (this.#sealer === undefined || this.#failure !== undefined || this.#sealer.isClosed) {
      return Promise.reject(this.#failure ?? new FarkeepError('connection.lost', 'The data stream is not open'));
    }
    const sealed = this.#sealer.sealMessage(encodeMessage(message));
    const written = this.#socket.write(sealed);
    if (written === true) release(sealed);
    else return written.then(() => release(sealed));
    return true;
  }

  /** Ends this side's direction with its close record. */
  end(): void {
    if (this.#sealer === undefined || this.#sealer.isClosed || this.#failure !== undefined) return;
    void this.#socket.write(this.#sealer.close());
    this.#socket.end();
  }

  /** Closes the connection with an error; data that arrives later is ignored. */
  fail(error: FarkeepError): void {
    if (this.#isEnded) return;
    this.#failure ??= error;
    this.#inbox.length = 0;
    this.#socket.destroy(this.#failure);
  }

  #receive(chunk: Buffer): boolean {
    if (this.#failure !== undefined) return false;
    this.#lastHeardMs = performance.now();
    try {
      let bytes = chunk;
      if (this.#opener === undefined) {
        const open = this.#handshake.push(chunk);
        if (open === undefined) return true;
        this.#sealer = open.sealer;
        this.#opener = open.opener;
        bytes = open.rest;
        this.#handlers.onOpen();
      }
      for (const record of this.#opener.push(bytes)) {
        const message = this.#assembler.push(record);
        if (message !== undefined) this.#inbox.push({ message, memory: memoryOf(message, this.#assembler.lastParts) });
      }
    } catch (error) {
      this.fail(toFarkeepError(error));
      return false;
    }
    return this.#handleInbox();
  }

  /** Handles the received messages in order. Returns whether the socket may read more bytes now. */
  #handleInbox(): boolean {
    if (this.#isHandling) return false;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      let pending: void | Promise<void>;
      try {
        pending = this.#handlers.onMessage(next.message, next.memory);
      } catch (error) {
        this.fail(toFarkeepError(error));
        return false;
      }
      if (pending instanceof Promise) {
        this.#isHandling = true;
        pending.then(
          () => {
            this.#isHandling = false;
            this.#lastHeardMs = performance.now();
            if (this.#handleInbox()) this.#socket.resume();
          },
          (error: unknown) => {
            this.#isHandling = false;
            this.fail(toFarkeepError(error));
            this.#settle();
          },
        );
        return false;
      }
    }
    this.#settle();
    return this.#failure === undefined;
  }

  #socketEnded(): void {
    // The other side has closed its direction. If no close record came before, data was cut off, and the connection fails.
    if (this.#opener?.isClosed !== true) this.fail(this.#cut());
    else this.#hasPeerEnded = true;
    this.#settle();
  }

  #socketClosed(error: FarkeepError | undefined): void {
    if (this.#opener?.isClosed !== true) this.#failure ??= error ?? this.#cut();
    else if (this.#sealer?.isClosed !== true) this.#failure ??= error;
    this.#sealer?.dispose();
    this.#opener?.dispose();
    this.#isEnded = true;
    this.#settle();
  }

  /** Reports the end of a direction only after everything that arrived before it has been handled. */
  #settle(): void {
    if (this.#isHandling || this.#inbox.length > 0) return;
    if (this.#hasPeerEnded && !this.#isPeerEndReported && this.#failure === undefined) {
      this.#isPeerEndReported = true;
      this.#handlers.onPeerEnd();
    }
    if (this.#isEnded && !this.#isCloseReported) {
      this.#isCloseReported = true;
      this.#handlers.onClose(this.#failure);
    }
  }

  #cut(): FarkeepError {
    // A gateway or target that does not know the ticket closes the connection without an answer. With a valid ticket the target sends its
    // nonce at once.
    if (this.#side === 'client' && this.#socket.bytesRead === 0) {
      return new FarkeepError('ticket.invalid', `The ticket of a data stream was refused: ${whyNoTicket}`);
    }
    return new FarkeepError('connection.lost', 'The data stream was cut before its authenticated end');
  }
}

function release(buffers: readonly Uint8Array[]): void {
  for (const buffer of buffers) releaseMemory(buffer);
}

/** A block inside one record is a view of that record; a block in several records was copied into new memory. */
function memoryOf(message: DataMessage, parts: readonly Buffer[]): readonly Uint8Array[] {
  if (message.type !== 'block' && message.type !== 'data') return [];
  return parts.length === 1 ? parts : [...parts, ...message.blocks.map((block) => block.stored)];
}
