// Owns accepting data connections for a data mover: reads the preamble within time and size limits and passes the connection on. Must not
// judge tickets; only the mover knows the valid ones.
import { createServer, type Server, type Socket } from 'node:net';

import { systemClock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { classifyFirstBytes, preambleLengthBytes, type Preamble } from '../wire/preamble.ts';
import { DataSocket } from './data-socket.ts';
import { PendingPlaces } from './pending-places.ts';

/**
 * All streams of a session come through one gateway, so one address may have many connections. Each connection sends its preamble at once.
 */
const maxPendingPerAddress = 64;

export interface AcceptedData extends Preamble {
  readonly socket: DataSocket;
  /** Bytes that arrived together with the preamble; pass them to `socket.start(handlers, firstBytes)`. */
  readonly firstBytes: Buffer;
}

export interface DataListenerOptions {
  /** Address to listen on; a mover behind a gateway on the same machine listens on 127.0.0.1. */
  readonly host?: string;
  /** 0 lets the system choose a free port. */
  readonly port?: number;
  readonly preambleTimeoutMs?: number;
  /** Limit of connections that have not sent a complete preamble; more are dropped. */
  readonly maxPending?: number;
  readonly logger?: Logger;
  /** Becomes the owner of the connection; must `destroy()` it when the ticket is unknown. */
  readonly onConnection: (accepted: AcceptedData) => void;
}

export interface DataListener {
  readonly port: number;
  /** Stops accepting and drops connections that were not passed on yet; connections that were passed on stay open. */
  close(): Promise<void>;
}

/** @throws FarkeepError `service.port-in-use`, `service.start-failed` */
export async function listenData({
  host = '127.0.0.1',
  port = 0,
  preambleTimeoutMs = 5_000,
  maxPending = 256,
  logger = silentLogger,
  onConnection,
}: DataListenerOptions): Promise<DataListener> {
  const pending = new Set<DataSocket>();
  const places = new PendingPlaces({ total: maxPending, perAddress: Math.min(maxPending, maxPendingPerAddress) });
  const accept = (accepted: Socket): void => {
    const place = places.take(accepted.remoteAddress, () => drop('no preamble, and others need the place'));
    if (place === undefined) {
      accepted.destroy();
      return;
    }
    const socket = DataSocket.adopt(accepted);
    pending.add(socket);
    let received = Buffer.alloc(0);
    const drop = (reason: string): void => {
      logger.warn('Data connection dropped before its preamble was complete', {
        address: socket.remoteAddress,
        reason,
      });
      socket.destroy(new FarkeepError('protocol.malformed', reason));
    };
    const timer = systemClock.startTimer(preambleTimeoutMs, () => drop('no preamble in time'));
    const settle = (): void => {
      timer.stop();
      place.release();
      pending.delete(socket);
    };
    socket.start({
      onChunk: (chunk) => {
        place.heardFrom();
        received = Buffer.concat([received, chunk]);
        const first = classifyFirstBytes(received);
        if (first.type === 'need-more') return true;
        if (first.type !== 'preamble') {
          drop('not a data preamble');
          return false;
        }
        settle();
        const firstBytes = received.subarray(preambleLengthBytes);
        // Runs after this callback has returned, so that `start()` of the new owner does not overlap with the current read.
        queueMicrotask(() => {
          try {
            onConnection({ ...first.preamble, socket, firstBytes });
          } catch (error) {
            logger.error('A data connection could not be taken over', { error });
            socket.destroy(toFarkeepError(error));
          }
        });
        return false;
      },
      onEnd: () => drop('ended before the preamble'),
      onClose: settle,
    });
  };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept);
  const boundPort = await listen(server, { host, port });
  return {
    port: boundPort,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of pending) socket.destroy();
      }),
  };
}

/** Binds to a port. The error names the port and the reason. Later errors of the listener go to the caller's `server.on('error')`. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(
        new FarkeepError(
          error.code === 'EADDRINUSE' ? 'service.port-in-use' : 'service.start-failed',
          `Cannot listen on ${host}:${port}: ${error.code ?? error.message}`,
          { cause: error },
        ),
      );
    };
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.removeListener('error', onError);
      // A failed accept (too many open files) must not end the process; the next accept may succeed.
      server.on('error', () => undefined);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
