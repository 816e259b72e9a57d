// Owns a source of data streams that can break every rule, against a real target data mover: an attacker who is a tenant with a modified
// client. For tests only.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Secret } from '../../kernel/secret.ts';
import type { MoverEvent, MoverExit, MoverLimits } from '../../mover/link/local-link.ts';
import { MoverProcess } from '../../mover/link/mover-process.ts';
import { DataStreamHandshake } from '../../wire/data-stream.ts';
import { MessageAssembler } from '../../wire/message-assembler.ts';
import { encodeMessage, type DataMessage, type Operation } from '../../wire/messages.ts';
import { encodePreamble } from '../../wire/preamble.ts';
import type { RecordOpener, RecordSealer } from '../../wire/records.ts';
import { TunnelClient } from '../../wire/tunnel.ts';
import { deliverKeyB } from '../site/mover-session.ts';

export interface HostileOptions {
  readonly tenantFolder: string;
  readonly operation?: Operation;
  readonly pointId?: string;
  readonly streams?: number;
  readonly quotaBytes?: number;
  readonly limits?: MoverLimits;
}

export class HostileSource implements AsyncDisposable {
  readonly target: MoverProcess;
  readonly events: MoverEvent[];
  readonly pointId: string;
  readonly #port: number;
  readonly #keyB: Secret;
  readonly #sessionId: string;
  readonly #tickets: readonly Buffer[];
  readonly #sockets: Socket[] = [];
  readonly operation: Operation;

  private constructor(
    target: MoverProcess,
    events: MoverEvent[],
    own: { port: number; keyB: Secret; sessionId: string; pointId: string; tickets: Buffer[]; operation: Operation },
  ) {
    this.target = target;
    this.events = events;
    this.pointId = own.pointId;
    this.operation = own.operation;
    this.#port = own.port;
    this.#keyB = own.keyB;
    this.#sessionId = own.sessionId;
    this.#tickets = own.tickets;
  }

  /** A target mover that has Key B and waits for its streams. */
  static async start(options: HostileOptions): Promise<HostileSource> {
    const { tenantFolder, operation = 'backup', streams = 1, quotaBytes = -1, limits } = options;
    const sessionId = randomBytes(16).toString('hex');
    const pointId = options.pointId ?? randomBytes(16).toString('hex');
    using keyA = Secret.random();
    const keyB = Secret.random();
    const tickets = Array.from({ length: streams }, () => randomBytes(32));
    const tunnel = randomBytes(32);
    const listening = Promise.withResolvers<number>();
    const events: MoverEvent[] = [];
    const target = new MoverProcess(
      { side: 'target', sessionId, attempt: 1 },
      {
        onEvent: (event) => {
          events.push(event);
          if (event.type === 'listening') listening.resolve(event.port);
        },
      },
    );
    target.begin({
      type: 'start',
      side: 'target',
      sessionId,
      attempt: 1,
      keyA: Buffer.from(keyA.bytes),
      operation,
      tenantFolder,
      quotaBytes,
      pointId,
      job: { id: 'job', name: 'Job' },
      listenHost: '127.0.0.1',
      tickets: { tunnel, streams: tickets },
      ...(limits === undefined ? {} : { limits }),
    });
    const port = await listening.promise;
    await deliverKeyB(port, tunnel, new TunnelClient({ keyA, keyB, sessionId, attempt: 1 }));
    return new HostileSource(target, events, { port, keyB, sessionId, pointId, tickets, operation });
  }

  /** Connects a stream; `open` is not sent yet. */
  async connect(streamIndex = 0): Promise<HostileStream> {
    const stream = await HostileStream.connect(this.#port, this.#tickets[streamIndex] ?? randomBytes(32), {
      keyB: this.#keyB,
      sessionId: this.#sessionId,
      streamIndex,
    });
    this.#sockets.push(stream.socket);
    return stream;
  }

  /** Connects with the ticket of a stream and sends nothing else; the test does the rest. */
  connectSilently(streamIndex = 0): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(encodePreamble({ kind: 'data', ticket: this.#tickets[streamIndex] ?? randomBytes(32) }));
    this.#sockets.push(socket);
    return socket;
  }

  /** Connects a stream and opens it correctly. */
  async open(streamIndex = 0): Promise<HostileStream> {
    const stream = await this.connect(streamIndex);
    const { operation, pointId } = this;
    const streamCount = this.#tickets.length;
    stream.send({ type: 'open', protocol: 1, operation, streamIndex, streamCount, pointId, root: Buffer.alloc(0) });
    await stream.next('open');
    return stream;
  }

  /** Resident memory of the target now, and its peak, in bytes. */
  memory(): { readonly nowBytes: number; readonly peakBytes: number } {
    const status = readFileSync(`/proc/${this.target.pid ?? 0}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
    return { nowBytes: field('VmRSS'), peakBytes: field('VmHWM') };
  }

  ended(): Promise<MoverExit> {
    return this.target.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.target.kill();
    await this.target.exited;
    this.#keyB.dispose();
  }
}

export class HostileStream {
  readonly socket: Socket;
  readonly received: DataMessage[] = [];
  readonly #sealer: RecordSealer;
  #waiter: (() => void) | undefined;
  isClosed = false;

  private constructor(socket: Socket, sealer: RecordSealer) {
    this.socket = socket;
    this.#sealer = sealer;
  }

  static async connect(
    port: number,
    ticket: Buffer,
    { keyB, sessionId, streamIndex }: { keyB: Secret; sessionId: string; streamIndex: number },
  ): Promise<HostileStream> {
    const socket = connect(port, '127.0.0.1');
    const handshake = new DataStreamHandshake({ side: 'client', keyB, sessionId, attempt: 1, streamIndex });
    socket.write(Buffer.concat([encodePreamble({ kind: 'data', ticket }), handshake.start()]));
    const ready = Promise.withResolvers<HostileStream>();
    let stream: HostileStream | undefined;
    let opener: RecordOpener | undefined;
    const assembler = new MessageAssembler();
    socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      if (opener === undefined) {
        const open = handshake.push(chunk);
        if (open === undefined) return;
        ({ opener, rest } = open);
        stream = new HostileStream(socket, open.sealer);
        ready.resolve(stream);
      }
      for (const record of opener.push(rest)) {
        const message = assembler.push(record);
        if (message !== undefined) stream?.received.push(message);
      }
      stream?.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      ready.reject(new Error('The stream was closed before it was open'));
      if (stream !== undefined) stream.isClosed = true;
      stream?.wake();
    });
    return ready.promise;
  }

  send(message: DataMessage): boolean {
    return this.sendPieces(encodeMessage(message));
  }

  /** Sends any bytes as a message. */
  sendPieces(pieces: readonly Uint8Array[]): boolean {
    let isWritten = true;
    this.socket.cork();
    for (const part of this.#sealer.sealMessage(pieces)) isWritten = this.socket.write(part);
    this.socket.uncork();
    return isWritten;
  }

  /** Ends the stream in order. */
  end(): void {
    for (const part of this.#sealer.close()) this.socket.write(part);
    this.socket.end();
  }

  /** Removes and returns the next message of this kind; undefined when the stream is closed before. */
  async next<Type extends DataMessage['type']>(type: Type): Promise<(DataMessage & { type: Type }) | undefined> {
    for (;;) {
      const index = this.received.findIndex((message) => message.type === type);
      if (index !== -1) return this.received.splice(index, 1)[0] as DataMessage & { type: Type };
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => (this.#waiter = resolve));
    }
  }

  /** Called when a message has arrived or the stream has ended. */
  wake(): void {
    this.#waiter?.();
    this.#waiter = undefined;
  }
}
