// Owns one fast TCP connection: reads into its own reused buffer (net's `onread`), writes with back-pressure, supports half-closed
// connections. Must not parse or encrypt data; the movers and the relay do.
import { connect, Socket, type NetConnectOpts } from 'node:net';

import { describeSocketFailure } from './socket-failure.ts';
import { Deadline } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { encodePreamble, type PreambleKind } from '../wire/preamble.ts';

/** A quiet connection needs only the smallest buffer; a connection that fills its buffer gets the next size at once. */
const readBufferSizesBytes = [4 * 1024, 64 * 1024, 256 * 1024] as const;
/** After this many successive reads that would have fitted into the next smaller buffer, the large buffer is freed. */
const shrinkAfterReads = 256;
const keepAliveDelayMs = 30_000;

/**
 * Possible reasons when a connection is closed without an answer. The other side does not give the reason, so that an attacker cannot learn
 * which tickets exist.
 */
export const whyNoTicket = 'it is unknown, was used already, or is older than a minute';

export interface DataSocketHandlers {
  /**
   * Gets the bytes in order. `chunk` is a view of the read buffer: it is valid until this function returns, or, if it returns false, until
   * `resume()` is called. Returning false stops reading, so TCP slows the sender down.
   */
  onChunk(chunk: Buffer): boolean;
  /** The other side has ended its direction; this side may still write. */
  onEnd?(): void;
  /** Both directions have ended. `error` is undefined after an orderly end. Called once. */
  onClose?(error: FarkeepError | undefined): void;
}

/**
 * Internal fields of Node's sockets. They are changed so that an accepted connection can have `onread`, which net.Server does not offer.
 */
interface SocketInternals {
  _handle: object | null;
}

export class DataSocket {
  readonly #socket: Socket;
  readonly #describe: string;
  #handlers: DataSocketHandlers | undefined;
  #buffer: Buffer = Buffer.allocUnsafeSlow(readBufferSizesBytes[0]);
  #sizeIndex = 0;
  #smallReads = 0;
  #isClosed = false;
  #hasEnded = false;
  #closeError: FarkeepError | undefined;
  #drained: PromiseWithResolvers<undefined> | undefined;

  private constructor(
    makeSocket: (onread: {
      buffer: () => Buffer;
      callback: (lengthBytes: number, buffer: Uint8Array) => boolean;
    }) => Socket,
    describe: string,
  ) {
    this.#describe = describe;
    this.#socket = makeSocket({
      buffer: () => this.#buffer,
      callback: (lengthBytes) => this.#onRead(lengthBytes),
    });
    const socket = this.#socket;
    const settleWrites = (): void => {
      this.#drained?.resolve(undefined);
      this.#drained = undefined;
    };
    socket.on('drain', settleWrites);
    // After end() Node emits "finish" instead of "drain".
    socket.on('finish', settleWrites);
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#guard(() => this.#handlers?.onEnd?.());
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#closeError ??= new FarkeepError('connection.lost', describeSocketFailure(this.#describe, error), {
        cause: error,
      });
    });
    socket.on('close', () => {
      this.#isClosed = true;
      const error = this.#closeError;
      this.#drained?.reject(
        error ?? new FarkeepError('connection.lost', `${this.#describe}: closed before everything was written`),
      );
      this.#drained = undefined;
      this.#guard(() => this.#handlers?.onClose?.(error));
    });
  }

  /**
   * Becomes the owner of an accepted connection. The server must have `pauseOnConnect: true` and `allowHalfOpen: true`, and nothing may
   * have been read. Reading begins with `start()`.
   */
  static adopt(accepted: Socket): DataSocket {
    const describe = `The other end at ${accepted.remoteAddress ?? 'an unknown address'}`;
    const internals = accepted as unknown as SocketInternals;
    const handle = internals._handle;
    internals._handle = null;
    accepted.destroy();
    const socket = new DataSocket(
      (onread) =>
        new Socket({
          handle,
          onread,
          allowHalfOpen: true,
          pauseOnCreate: true,
          writableHighWaterMark: 0,
        } as unknown as ConstructorParameters<typeof Socket>[0]),
      describe,
    );
    socket.#socket.setNoDelay(true);
    socket.#socket.setKeepAlive(true, keepAliveDelayMs);
    return socket;
  }

  /**
   * Opens a connection; nothing is read before `start()`.
   * @throws FarkeepError `gateway.unreachable` (also after `timeoutMs`), `call.canceled`
   */
  static open({
    host,
    port,
    signal,
    timeoutMs = 15_000,
  }: {
    host: string;
    port: number;
    signal?: AbortSignal;
    timeoutMs?: number;
  }): Promise<DataSocket> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new FarkeepError('call.canceled'));
        return;
      }
      const describe = `${host}:${port}`;
      const opened = new DataSocket(
        (onread) =>
          connect({
            host,
            port,
            onread,
            allowHalfOpen: true,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: keepAliveDelayMs,
            writableHighWaterMark: 0,
          } as unknown as NetConnectOpts),
        describe,
      );
      const socket = opened.#socket;
      const settle = (error?: FarkeepError): void => {
        deadline.stop();
        socket.removeListener('connect', onConnect);
        socket.removeListener('close', onFailure);
        if (error === undefined) resolve(opened);
        else {
          socket.destroy();
          reject(error);
        }
      };
      const onConnect = (): void => {
        socket.pause();
        settle();
      };
      const onFailure = (): void =>
        settle(
          new FarkeepError('gateway.unreachable', opened.#closeError?.message ?? `${describe}: closed`, {
            cause: opened.#closeError,
          }),
        );
      const deadline = new Deadline({ limitMs: timeoutMs, signal }, (reason) =>
        settle(
          reason === 'aborted'
            ? new FarkeepError('call.canceled')
            : new FarkeepError('gateway.unreachable', `${describe} did not answer within ${timeoutMs} ms`),
        ),
      );
      socket.once('connect', onConnect);
      socket.once('close', onFailure);
    });
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#socket.destroyed;
  }

  /** Whether the other side has ended its direction. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Starts (or continues) reading with these handlers; `firstBytes` are delivered before later bytes. */
  start(handlers: DataSocketHandlers, firstBytes?: Buffer): void {
    this.#handlers = handlers;
    if (this.#isClosed) {
      const error = this.#closeError;
      queueMicrotask(() => this.#guard(() => handlers.onClose?.(error)));
      return;
    }
    let isWanted = true;
    if (firstBytes !== undefined && firstBytes.length > 0) isWanted = this.#deliver(firstBytes);
    if (isWanted) this.resume();
  }

  resume(): void {
    if (!this.isClosed) this.#socket.resume();
  }

  pause(): void {
    if (!this.isClosed) this.#socket.pause();
  }

  /**
   * Writes one buffer, or several with one system call.
   * @returns true when the kernel has copied everything and the buffers may be reused at once; otherwise a promise for that moment, which
   *   rejects with `connection.lost` if the connection breaks first. Wait for it before the next write, or memory grows.
   */
  write(data: Uint8Array | readonly Uint8Array[]): true | Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) {
      const refused: Promise<void> = Promise.reject(
        this.#closeError ?? new FarkeepError('connection.lost', `${this.#describe}: closed`),
      );
      // A caller that does not wait gets the error by `onClose`; an unhandled rejection must not end the process.
      refused.catch(() => undefined);
      return refused;
    }
    if (data instanceof Uint8Array) socket.write(data);
    else {
      socket.cork();
      for (const part of data) socket.write(part);
      socket.uncork();
    }
    // libuv tries the system call at once, so what the kernel has copied is no longer counted by the stream.
    if (socket.writableLength === 0) return true;
    this.#drained ??= Promise.withResolvers<undefined>();
    this.#drained.promise.catch(() => undefined);
    return this.#drained.promise;
  }

  /** Ends this side's direction after all data written so far; the other direction stays open. */
  end(): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.end();
  }

  /** Closes the connection now. With an error the other side gets a reset instead of an orderly end. */
  destroy(error?: FarkeepError): void {
    if (this.#socket.destroyed) return;
    this.#closeError ??= error;
    if (error === undefined) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #onRead(lengthBytes: number): boolean {
    const buffer = this.#buffer;
    this.#adaptBuffer(lengthBytes);
    return this.#deliver(buffer.subarray(0, lengthBytes));
  }

  /**
   * Node requests the next buffer after each read, so a change takes effect with the next read; a chunk that is still used keeps the old
   * buffer alive.
   */
  #adaptBuffer(lengthBytes: number): void {
    const smaller = readBufferSizesBytes[this.#sizeIndex - 1];
    if (lengthBytes === this.#buffer.length && this.#sizeIndex < readBufferSizesBytes.length - 1)
      this.#useBuffer(this.#sizeIndex + 1);
    else if (smaller === undefined || lengthBytes >= smaller) this.#smallReads = 0;
    else if ((this.#smallReads += 1) >= shrinkAfterReads) this.#useBuffer(this.#sizeIndex - 1);
  }

  #useBuffer(sizeIndex: number): void {
    this.#sizeIndex = sizeIndex;
    this.#smallReads = 0;
    this.#buffer = Buffer.allocUnsafeSlow(readBufferSizesBytes[sizeIndex] ?? readBufferSizesBytes[0]);
  }

  #deliver(chunk: Buffer): boolean {
    const handlers = this.#handlers;
    if (handlers === undefined) return false;
    let isWanted = false;
    this.#guard(() => {
      isWanted = handlers.onChunk(chunk);
    });
    return isWanted;
  }

  /** Runs a handler. An exception closes only this connection; thrown into the event loop, it would end the process. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.destroy(
        error instanceof FarkeepError
          ? error
          : new FarkeepError('call.internal', `${this.#describe}: ${String(error)}`, { cause: error }),
      );
    }
  }
}

/**
 * Connects to a gateway (or directly to a data mover) and sends the preamble of docs/protocol.md, section 1. A gateway that does not know
 * the ticket closes the connection; `onClose` is then called before the first byte.
 * @param ticket 32 bytes
 * @throws FarkeepError `gateway.unreachable`, `call.canceled`
 */
export async function connectData({
  kind,
  ticket,
  ...target
}: {
  host: string;
  port: number;
  kind: PreambleKind;
  ticket: Buffer;
  signal?: AbortSignal;
  timeoutMs?: number;
}): Promise<DataSocket> {
  const socket = await DataSocket.open(target);
  await socket.write(encodePreamble({ kind, ticket }));
  return socket;
}
