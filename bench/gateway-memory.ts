// Owns one figure: what 1,000 waiting data connections cost a gateway process, from outside (Linux only).
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { makeAuthority, makeSelfSigned } from '../services/testing/certificate-fixture.ts';
import { startProviderFixture } from '../services/testing/gateway-fixture.ts';
import { listenData } from '../services/transport/data-listener.ts';
import type { DataSocket } from '../services/transport/data-socket.ts';
import { encodePreamble } from '../services/wire/preamble.ts';

const connections = 1_000;
/** Opened together before waiting for them, so that no backlog overflows. */
const stride = 50;

/** Resident bytes with all connections open and used once; undefined where /proc does not exist. */
export async function gatewayIdleMemory(home: string): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  await mkdir(home, { recursive: true });
  const authority = await makeAuthority('infrastructure');
  const provider = await startProviderFixture({
    authority,
    infrastructure: await authority.issueServer('provider infrastructure'),
    identity: await makeSelfSigned('provider'),
  });
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
  const tokenFile = path.join(home, 'token');
  await writeFile(tokenFile, provider.makeToken(), { mode: 0o600 });
  const gateway = fork(
    new URL('../services/host/serve-entry.ts', import.meta.url),
    ['gateway', '--home', home, '--listen', '127.0.0.1:0', '--token-file', tokenFile, '--log-level', 'error'],
    { serialization: 'json', execArgv: [] },
  );
  const clients: Socket[] = [];
  try {
    const address = await new Promise<string>((resolve, reject) => {
      gateway.once('exit', (code) => reject(new Error(`The gateway ended with ${String(code)}`)));
      gateway.on('message', (message: { kind?: string; listeners?: Record<string, string> }) => {
        if (message.kind === 'ready') resolve(message.listeners?.['gateway'] ?? '');
      });
    });
    const port = Number(address.split(':').at(-1));
    const gatewayId = await provider.untilConnected();
    const tickets = Array.from({ length: connections }, () => randomBytes(32));
    await provider.links.pushRoutes(
      gatewayId,
      tickets.map((ticket) => ({ ticket, kind: 'data', port: mover.port })),
    );
    for (const ticket of tickets) {
      const client = connect(port, '127.0.0.1');
      client.on('error', () => undefined);
      clients.push(client);
      client.write(encodePreamble({ kind: 'data', ticket }));
      client.write(randomBytes(2_000));
      if (clients.length % stride === 0) await untilArrived(clients.length);
    }
    const status = await readFile(`/proc/${gateway.pid ?? 0}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  } finally {
    for (const client of clients) client.destroy();
    for (const socket of arrived) socket.destroy();
    const exited = new Promise((resolve) => gateway.once('exit', resolve));
    gateway.kill();
    await exited;
    await mover.close();
    await provider.close();
  }
}
