// Owns a TCP proxy for tests in the position of an attacker: in front of a gateway. It can record, change one byte, cut, or hold data. It
// distinguishes data connections from TLS by their first bytes, as the gateway does. Must not be used by the product.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../../kernel/clock.ts';

export type TrafficKind = 'control' | 'tunnel' | 'data';
export type TrafficDirection = 'to-gateway' | 'to-tenant';

export interface Traffic {
  readonly kind: TrafficKind;
  readonly direction: TrafficDirection;
  /** Position of `chunk` in this direction of its connection. */
  readonly offset: number;
  /** Number of this connection among those of its kind, from 0. */
  readonly connection: number;
}

/** May change the chunk, or return "cut" to break the connection. undefined passes the chunk unchanged. */
export type Interference = (traffic: Traffic, chunk: Buffer) => Buffer | 'cut' | undefined;

export const preambleBytes = 40;

export class TamperingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #counts: Record<TrafficKind, number> = { control: 0, tunnel: 0, data: 0 };
  interfere: Interference = () => undefined;
  /** Slows each data connection down, in each direction. Gives a test time to act in the middle of a transfer of few bytes. */
  dataBytesPerSecond = Infinity;
  port = 0;
  #held: PromiseWithResolvers<void> | undefined;
  #heldAfterBytes = 0;

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client, target));
  }

  static async start(target: { host: string; port: number }): Promise<TamperingProxy> {
    const proxy = new TamperingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
    return proxy;
  }

  /** Number of connections of this kind so far. */
  count(kind: TrafficKind): number {
    return this.#counts[kind];
  }

  /** From now on a data connection passes this many bytes in each direction, then nothing until `release`. */
  holdData(afterBytes: number): void {
    this.#heldAfterBytes = afterBytes;
    this.#held ??= Promise.withResolvers<void>();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Breaks every open connection. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cutAll();
    await closed;
  }

  #accept(client: Socket, target: { host: string; port: number }): void {
    const upstream = connect({ ...target, allowHalfOpen: true });
    const destroy = (): void => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', destroy);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let identity: { kind: TrafficKind; connection: number } | undefined;
    const pass = (from: Socket, to: Socket, direction: TrafficDirection): void => {
      let offset = 0;
      /** True while a chunk is held back or delayed. It must be sent before later chunks and before "end", which Node.js
       * emits even on a paused socket. */
      let isWaiting = false;
      let hasEnded = false;
      const deliver = (chunk: Buffer): void => {
        identity ??= this.#identify(chunk);
        const changed = this.interfere({ ...identity, direction, offset }, chunk);
        offset += chunk.length;
        if (changed === 'cut') {
          destroy();
          return;
        }
        if (!to.write(changed ?? chunk)) {
          from.pause();
          to.once('drain', () => {
            if (!isWaiting) from.resume();
          });
        }
      };
      from.on('data', (chunk: Buffer) => {
        identity ??= this.#identify(chunk);
        const isDue = identity.kind === 'data' && offset >= this.#heldAfterBytes;
        const isSlow = identity.kind === 'data' && this.dataBytesPerSecond < Infinity;
        const held = isDue ? this.#held?.promise : undefined;
        if (held === undefined && !isSlow) {
          deliver(chunk);
          return;
        }
        from.pause();
        isWaiting = true;
        const waiting = held ?? systemClock.sleep((chunk.length / this.dataBytesPerSecond) * 1000);
        void waiting.then(() => {
          isWaiting = false;
          from.resume();
          deliver(chunk);
          if (hasEnded) to.end();
        });
      });
      from.on('end', () => {
        hasEnded = true;
        if (!isWaiting) to.end();
      });
    };
    pass(client, upstream, 'to-gateway');
    pass(upstream, client, 'to-tenant');
  }

  #identify(first: Buffer): { kind: TrafficKind; connection: number } {
    const isData = first.subarray(0, 4).toString('latin1') === 'FKD1';
    const kind: TrafficKind = !isData ? 'control' : first[5] === 1 ? 'tunnel' : 'data';
    const connection = this.#counts[kind];
    this.#counts[kind] += 1;
    return { kind, connection };
  }
}

/** Flips one bit of the byte at `position` of a direction, and then calls `onFlipped`. */
export function flipAt(
  wanted: { readonly kind: TrafficKind; readonly direction: TrafficDirection; readonly position: number },
  onFlipped: () => void = () => undefined,
): Interference {
  let isDone = false;
  return ({ kind, direction, offset }, chunk) => {
    const at = wanted.position - offset;
    if (isDone || kind !== wanted.kind || direction !== wanted.direction || at < 0 || at >= chunk.length)
      return undefined;
    isDone = true;
    onFlipped();
    const changed = Buffer.from(chunk);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    return changed;
  };
}

/** Position of a byte of the stream, which begins after the preamble. */
export const behindPreamble = (position: number): number => preambleBytes + position;
