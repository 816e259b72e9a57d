// Owns one data stream between movers: DataSocket, nonces, records, messages; in order, with back-pressure both ways, and an authenticated end.
// Both sides use it, on the main thread or on a worker. Does not know what messages mean.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../kernel/release-memory.ts';
import { whyNoTicket, type DataSocket } from '../../transport/data-socket.ts';
import { DataStreamHandshake } from '../../wire/data-stream.ts';
import type { DataStreamOptions } from '../../wire/data-stream.ts';
import { MessageAssembler } from '../../wire/message-assembler.ts';
import { encodeMessage } from '../../wire/messages.ts';
import type { DataMessage } from '../../wire/messages.ts';
import type { RecordOpener, RecordSealer } from '../../wire/records.ts';

/** A source that has nothing to say for so long sends an offer of nothing, which is answered. */
export const aliveIntervalMs = 10_000;
/** The line is taken for dead when nothing came for so long; TCP by itself would need many minutes. */
export const maxSilentMs = 90_000;

export interface DataConnectionHandlers {
  /** Keys are there; messages can be sent. */
  onOpen(): void;
  /**
   * Messages come one by one; while the returned promise is pending nothing more is read. A rejection fails the connection.
   * `memory` is what the blocks of a message lie in; it may be released when they are not needed any more.
   */
  onMessage(message: DataMessage, memory: readonly Uint8Array[]): void | Promise<void>;
  /** The other side has ended its direction with a close record; everything it sent has been handled. */
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

  /** @param firstBytes what came with the preamble */
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

  /** How long the other side has said nothing although this side was listening. */
  get silentMs(): number {
    return this.#isHandling ? 0 : performance.now() - this.#lastHeardMs;
  }

  /** Sealed bytes so far, both ways, headers included. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get isOpen(): boolean {
    return this.#sealer !== undefined && !this.#isEnded && this.#failure === undefined;
  }

  /** Seals and writes; the message's buffers are free at once. Wait for the promise before sending more, or memory grows. */
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

  /** Drops the connection; nothing that arrives later is used. */
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

  /** Whether more may be read now. */
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
    // The other side has no more to say. Cut before its close record: nothing good can follow on this connection.
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

  /** Ends are told only after everything that came before them has been handled. */
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
    // Gateway and target close without a word when they do not know the ticket; with a good one the target's nonce comes at once.
    if (this.#side === 'client' && this.#socket.bytesRead === 0) {
      return new FarkeepError('ticket.invalid', `The ticket of a data stream was not taken: ${whyNoTicket}`);
    }
    return new FarkeepError('connection.lost', 'The data stream was cut before its authenticated end');
  }
}

function release(buffers: readonly Uint8Array[]): void {
  for (const buffer of buffers) releaseMemory(buffer);
}

/** Blocks that lie in one record are views of it, others have been joined. */
function memoryOf(message: DataMessage, parts: readonly Buffer[]): readonly Uint8Array[] {
  if (message.type !== 'block' && message.type !== 'data') return [];
  return parts.length === 1 ? parts : [...parts, ...message.blocks.map((block) => block.stored)];
}
