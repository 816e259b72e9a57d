// Owns the local socket of a running service: command line and consoles connect to it and exchange JSON lines of contracts/carrier.ts.
// Only this account (and root) can connect: folder 0700, socket 0600. Must not interpret calls; the dispatcher does.
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import type { MessageFromService } from '../../contracts/carrier.ts';
import { systemClock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { claimAdminAddress } from './admin-address.ts';
import { createCarrierSession, type CarrierSessionOptions } from './carrier-session.ts';
import { createLineReader, encodeLine } from './json-lines.ts';

export interface AdminEndpoint {
  readonly address: string;
  /** Disconnects all clients and removes the socket. */
  close(): Promise<void>;
}

const maxConnections = 64;
/** Limit of unsent data for a client that does not read. Above it, the client is disconnected and can reconnect for a snapshot. */
const maxUnsentBytes = 16 * 1024 * 1024;

export async function startAdminEndpoint({
  roleFolder,
  dispatcher,
  events,
  logger,
  onStopRequested,
}: Pick<CarrierSessionOptions, 'dispatcher' | 'events' | 'logger' | 'onStopRequested'> & {
  readonly roleFolder: string;
}): Promise<AdminEndpoint> {
  const { address, release } = await claimAdminAddress(roleFolder);
  const sockets = new Set<Socket>();
  const caller = { kind: 'command line', account: userInfo().username } as const;

  const server = createServer((socket) => {
    sockets.add(socket);
    const hangUp = (reason: string): void => {
      logger.warn('disconnected a client of the local socket', { reason });
      socket.destroy();
    };
    const send = (message: MessageFromService): void => {
      if (socket.destroyed || !socket.writable) return;
      socket.write(encodeLine(message));
      if (socket.writableLength > maxUnsentBytes) hangUp('it does not read');
    };
    const session = createCarrierSession({ dispatcher, events, caller, logger, send, onStopRequested });
    const reader = createLineReader((document) => {
      if (!session.receive(document)) hangUp('not a message of the contract');
    });
    socket.on('data', (chunk: Buffer) => {
      const fault = reader.push(chunk);
      if (fault !== undefined) hangUp(fault);
    });
    socket.on('error', (error) => logger.debug('local socket', { error: error.message }));
    socket.on('close', () => {
      sockets.delete(socket);
      session.close();
    });
  });
  server.maxConnections = maxConnections;

  try {
    await listen(server, address);
  } catch (error) {
    await release();
    throw new FarkeepError('service.start-failed', `The local socket ${address} cannot be opened: ${String(error)}`, {
      cause: error,
    });
  }

  return {
    address,
    async close() {
      // A client that never reads would keep its socket open for ever.
      using _limit = systemClock.startTimer(500, () => sockets.forEach((socket) => socket.destroy()));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroySoon();
      });
      await release();
    },
  };
}

async function listen(server: Server, address: string): Promise<void> {
  const isUnix = process.platform !== 'win32';
  // The socket must never be open to other accounts, not even between bind and chmod. Node binds inside `listen`.
  const before = isUnix ? process.umask(0o177) : 0;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, () => {
        server.off('error', reject);
        resolve();
      });
      if (isUnix) process.umask(before);
    });
  } finally {
    if (isUnix) process.umask(before);
  }
  if (isUnix) await chmod(address, 0o600);
}
