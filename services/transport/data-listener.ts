// Owns accepting data connections for a data mover: reads the preamble within time and bounds and hands the connection over.
// Must not judge tickets; the mover knows which ones it was told of.
import { createServer, type Server, type Socket } from 'node:net';

import { systemClock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { classifyFirstBytes, preambleLengthBytes, type Preamble } from '../wire/preamble.ts';
import { DataSocket } from './data-socket.ts';
import { PendingPlaces } from './pending-places.ts';

/** All streams of a session come through one gateway, so one address may have many connections; each sends its preamble at once. */
const maxPendingPerAddress = 64;

export interface AcceptedData extends Preamble {
  readonly socket: DataSocket;
  /** Bytes that came with the preamble; pass them to `socket.start(handlers, firstBytes)`. */
  readonly firstBytes: Buffer;
}

export interface DataListenerOptions {
  /** Address to listen on; a mover behind a gateway on the same machine listens on 127.0.0.1. */
  readonly host?: string;
  /** 0 picks a free port. */
  readonly port?: number;
  readonly preambleTimeoutMs?: number;
  /** Connections that have not sent a whole preamble yet; more are dropped. */
  readonly maxPending?: number;
  readonly logger?: Logger;
  /** Takes the connection over; must `destroy()` it when the ticket is not one it knows. */
  readonly onConnection: (accepted: AcceptedData) => void;
}

export interface DataListener {
  readonly port: number;
  /** Stops accepting and drops connections that were not handed over yet; those handed over go on. */
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
    const place = places.take(accepted.remoteAddress, () => drop('no preamble, and others wait'));
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
        // After this callback has returned, so that the new owner's start() does not race with the read that is going on.
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

/** Binds, and says which port it was and why it failed. Later errors of the listener are left to `server.on('error')` of the caller. */
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
      // A failed accept (too many open files) must not end the process; the next one may work.
      server.on('error', () => undefined);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
