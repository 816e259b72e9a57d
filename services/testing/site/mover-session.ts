// Runs one attempt between two data movers over a relay, in place of the two services. For tests only. The relay can observe, change,
// delay or cut the data.
import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Secret } from '../../kernel/secret.ts';
import type { MoverEvent, MoverExit, MoverLimits, SourceStart } from '../../mover/link/local-link.ts';
import type { DataMover, StartMover } from '../../mover/link/data-mover.ts';
import { MoverProcess, startMoverProcess } from '../../mover/link/mover-process.ts';
import { connectData } from '../../transport/data-socket.ts';
import { folderLocation } from '../../repository/storage/repository-location.ts';
import { TunnelClient } from '../../wire/tunnel.ts';

export interface RelayedBytes {
  /** 0 is the tunnel; then the data streams in order of arrival. */
  readonly connection: number;
  readonly direction: 'up' | 'down';
  /** Position of the first byte of `chunk` in its direction, preamble included. */
  readonly offset: number;
}

/** Returns the bytes to pass on; undefined cuts the connection. */
export type RelayHook = (chunk: Buffer, where: RelayedBytes) => Buffer | undefined;

export interface MoverSessionOptions {
  readonly tenantFolder: string;
  readonly operation: SourceStart['operation'];
  readonly streams?: number;
  readonly sessionId?: string;
  readonly attempt?: number;
  readonly quotaBytes?: number;
  readonly limits?: MoverLimits;
  readonly relayHook?: RelayHook;
  /** Returns the port of an external relay, used in place of the relay in this process. */
  readonly relayPort?: (targetPort: number) => Promise<number>;
  /** Key B for the source, if it shall differ from the delivered Key B. */
  readonly sourceKeyB?: Buffer;
  /** Starts both movers; as child processes by default. */
  readonly startMover?: StartMover;
  readonly onSource?: (event: MoverEvent, mover: DataMover) => void;
  readonly onTarget?: (event: MoverEvent, mover: DataMover) => void;
}

export interface MoverSessionResult {
  readonly source: MoverExit | undefined;
  readonly target: MoverExit;
  readonly sourceEvents: readonly MoverEvent[];
  readonly targetEvents: readonly MoverEvent[];
  readonly tunnelError: unknown;
  /** Time from the start of the source to its end. */
  readonly sourceMs: number;
}

export async function runMoverSession(options: MoverSessionOptions): Promise<MoverSessionResult> {
  const { operation, tenantFolder, streams = 2, attempt = 1, startMover = startMoverProcess } = options;
  const sessionId = options.sessionId ?? randomBytes(16).toString('hex');
  using keyA = Secret.random();
  using keyB = Secret.random();
  const tickets = { tunnel: randomBytes(32), streams: Array.from({ length: streams }, () => randomBytes(32)) };
  const sourceEvents: MoverEvent[] = [];
  const targetEvents: MoverEvent[] = [];
  const listening = Promise.withResolvers<number>();
  listening.promise.catch(() => undefined); // when the target ends first, its exit gives the reason
  const target = startMover(
    { side: 'target', sessionId, attempt },
    {
      onEvent: (event) => {
        targetEvents.push(event);
        if (event.type === 'listening') listening.resolve(event.port);
        options.onTarget?.(event, target);
      },
    },
  );
  target.begin({
    type: 'start',
    side: 'target',
    sessionId,
    attempt,
    keyA: Buffer.from(keyA.bytes),
    operation: operation.kind,
    location: folderLocation(tenantFolder),
    quotaBytes: options.quotaBytes ?? -1,
    pointId: operation.pointId,
    job: { id: 'job', name: 'Job' },
    listenHost: '127.0.0.1',
    tickets,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  void target.exited.then(() => {
    listening.reject(new Error('The target ended before it listened'));
  });
  let targetPort: number;
  try {
    targetPort = await listening.promise;
  } catch {
    return {
      source: undefined,
      target: await target.exited,
      sourceEvents,
      targetEvents,
      tunnelError: undefined,
      sourceMs: 0,
    };
  }
  const relay = options.relayPort === undefined ? await startRelay(targetPort, options.relayHook) : undefined;
  const port = relay?.port ?? (await options.relayPort?.(targetPort)) ?? targetPort;
  try {
    try {
      await deliverKeyB(port, tickets.tunnel, new TunnelClient({ keyA, keyB, sessionId, attempt }));
    } catch (tunnelError) {
      return { source: undefined, target: await target.exited, sourceEvents, targetEvents, tunnelError, sourceMs: 0 };
    }
    const beganMs = performance.now();
    const source = startMover(
      { side: 'source', sessionId, attempt, streams },
      {
        onEvent: (event) => {
          sourceEvents.push(event);
          options.onSource?.(event, source);
        },
      },
    );
    source.begin({
      type: 'start',
      side: 'source',
      sessionId,
      attempt,
      keyB: options.sourceKeyB ?? Buffer.from(keyB.bytes),
      operation,
      gateway: { host: '127.0.0.1', port },
      streamTickets: tickets.streams,
    });
    const sourceExit = await source.exited;
    const sourceMs = performance.now() - beganMs;
    return {
      source: sourceExit,
      target: await target.exited,
      sourceEvents,
      targetEvents,
      tunnelError: undefined,
      sourceMs,
    };
  } finally {
    relay?.close();
    await target.stop();
  }
}

/** Ends a mover's process at once, without its help. */
export function killMover(mover: DataMover): void {
  if (!(mover instanceof MoverProcess)) throw new Error('This mover has no process of its own');
  mover.kill();
}

export async function deliverKeyB(port: number, ticket: Buffer, tunnel: TunnelClient): Promise<void> {
  const socket = await connectData({ host: '127.0.0.1', port, kind: 'tunnel', ticket });
  await new Promise<void>((resolve, reject) => {
    socket.start({
      onChunk: (chunk) => {
        try {
          const step = tunnel.push(Buffer.from(chunk));
          if (step.send !== undefined) void socket.write(step.send);
          if (step.done !== undefined) {
            socket.end();
            resolve();
          }
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          socket.destroy();
        }
        return true;
      },
      onEnd: () => {
        reject(new Error('The tunnel was ended'));
        socket.end();
      },
      onClose: (error) => {
        reject(error ?? new Error('The tunnel was closed'));
      },
    });
    void socket.write(tunnel.start());
  });
}

async function startRelay(
  targetPort: number,
  hook: RelayHook | undefined,
): Promise<{ port: number; close: () => void }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const connection = connections;
    connections += 1;
    const upstream = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true });
    const pass = (from: Socket, to: Socket, direction: 'up' | 'down'): void => {
      let offset = 0;
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      from.on('end', () => to.end());
      from.on('data', (chunk: Buffer) => {
        const passed = hook === undefined ? chunk : hook(chunk, { connection, direction, offset });
        offset += chunk.length;
        if (passed === undefined) {
          from.resetAndDestroy();
          to.resetAndDestroy();
        } else if (!to.write(passed)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    pass(client, upstream, 'up');
    pass(upstream, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
