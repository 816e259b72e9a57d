// Owns two ends of a connection in memory, for tests of what speaks over a DataSocket: in order, with pauses, half-closes and cuts.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { DataSocket, DataSocketHandlers } from '../transport/data-socket.ts';

export class MemorySocket {
  #peer: MemorySocket | undefined;
  #handlers: DataSocketHandlers | undefined;
  readonly #incoming: Buffer[] = [];
  #isPaused = false;
  #hasEnded = false;
  #hasPeerEnded = false;
  #isEndTold = false;
  #isClosed = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Changes what this end receives. */
  change: (chunk: Buffer) => Buffer = (chunk) => chunk;

  static pair(): [MemorySocket, MemorySocket] {
    const [one, other] = [new MemorySocket(), new MemorySocket()];
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  /** The product knows sockets of the network only. */
  asDataSocket(): DataSocket {
    return this as unknown as DataSocket;
  }

  start(handlers: DataSocketHandlers, firstBytes?: Buffer): void {
    this.#handlers = handlers;
    if (firstBytes !== undefined && firstBytes.length > 0) this.#incoming.unshift(firstBytes);
    this.#deliverSoon();
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliverSoon();
  }

  write(data: Uint8Array | readonly Uint8Array[]): true {
    const bytes = data instanceof Uint8Array ? Buffer.from(data) : Buffer.concat(data);
    this.bytesWritten += bytes.length;
    const peer = this.#peer;
    if (peer !== undefined) {
      peer.#incoming.push(bytes);
      peer.#deliverSoon();
    }
    return true;
  }

  end(): void {
    this.#hasEnded = true;
    const peer = this.#peer;
    if (peer !== undefined) {
      peer.#hasPeerEnded = true;
      peer.#deliverSoon();
    }
    this.#deliverSoon();
  }

  destroy(error?: FarkeepError): void {
    this.#close(error);
    const peer = this.#peer;
    if (peer !== undefined) peer.#close(new FarkeepError('connection.lost', 'The other end is gone'));
  }

  #close(error: FarkeepError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    setImmediate(() => this.#handlers?.onClose?.(error));
  }

  #deliverSoon(): void {
    setImmediate(() => {
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#handlers === undefined || this.#isClosed) return;
    while (!this.#isPaused) {
      const chunk = this.#incoming.shift();
      if (chunk === undefined) break;
      this.bytesRead += chunk.length;
      this.#isPaused = !this.#handlers.onChunk(this.change(chunk));
    }
    if (this.#isPaused || !this.#hasPeerEnded) return;
    if (!this.#isEndTold) this.#handlers.onEnd?.();
    this.#isEndTold = true;
    if (this.#hasEnded) this.#close(undefined);
  }
}
