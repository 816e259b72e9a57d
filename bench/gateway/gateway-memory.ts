// Owns one figure: the memory of a gateway process for 1,000 idle data connections, from outside (Linux only).
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { listenData } from '../../services/transport/data-listener.ts';
import type { DataSocket } from '../../services/transport/data-socket.ts';
import { encodePreamble } from '../../services/wire/preamble.ts';
import type { GatewayUnderTest } from './gateway-under-test.ts';

const connections = 1_000;
/** Number of connections that are opened together, small enough that no listen queue overflows. */
const stride = 50;

/** Resident bytes when all connections are open and were used once. */
export async function gatewayIdleMemory(gateway: GatewayUnderTest): Promise<number> {
  const arrived: DataSocket[] = [];
  let onArrival = (): void => undefined;
  const mover = await listenData({
    maxPending: connections,
    onConnection: ({ socket }) => {
      socket.start({ onChunk: () => true, onEnd: () => socket.end() });
      arrived.push(socket);
      onArrival();
    },
  });
  const untilArrived = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onArrival = (): void => {
        if (arrived.length >= count) resolve();
      };
      onArrival();
    });
  const clients: Socket[] = [];
  try {
    for (const ticket of await gateway.makeRoutes(connections, mover.port)) {
      const client = connect(gateway.port, '127.0.0.1');
      client.on('error', () => undefined);
      clients.push(client);
      client.write(encodePreamble({ kind: 'data', ticket }));
      client.write(randomBytes(2_000));
      if (clients.length % stride === 0) await untilArrived(clients.length);
    }
    const status = await readFile(`/proc/${gateway.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  } finally {
    for (const client of clients) client.destroy();
    for (const socket of arrived) socket.destroy();
    await mover.close();
  }
}
