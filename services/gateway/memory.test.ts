// Measures the memory of a gateway with a thousand idle connections, from outside on a process as on a server.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, vi } from 'vitest';

import { makeAuthority, makeSelfSigned } from '../testing/certificates/certificate-fixture.ts';
import { startProviderFixture } from '../testing/site/gateway-fixture.ts';
import { listenData } from '../transport/data-listener.ts';
import type { DataSocket } from '../transport/data-socket.ts';
import { encodePreamble } from '../wire/preamble.ts';

const connections = 1_000;
const limitBytes = 150 * 1024 * 1024;

/** Resident memory of a process. Only Linux shows it without another program. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

it.runIf(process.platform === 'linux')('holds 1,000 idle connections in less than 150 MiB', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'farkeep-gateway-memory-'));
  const authority = await makeAuthority('infrastructure');
  const provider = await startProviderFixture({
    authority,
    infrastructure: await authority.issueServer('provider infrastructure'),
    identity: await makeSelfSigned('provider'),
  });
  const arrived: DataSocket[] = [];
  const mover = await listenData({
    maxPending: connections,
    onConnection: ({ socket }) => {
      // Reads, so that the server notices the end of the connection.
      socket.start({ onChunk: () => true, onEnd: () => socket.end() });
      arrived.push(socket);
    },
  });
  const tokenFile = path.join(home, 'token');
  await writeFile(tokenFile, provider.makeToken(), { mode: 0o600 });
  const gateway = fork(
    new URL('../host/serve-entry.ts', import.meta.url),
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
      // The data is as long as a ClientHello, so that every buffer on the way was used.
      client.write(randomBytes(2_000));
      // The listener allows 64 connections of one address without a first byte.
      if (clients.length % 50 === 0)
        await vi.waitFor(() => expect(arrived).toHaveLength(clients.length), { timeout: 60_000 });
    }
    await vi.waitFor(() => expect(arrived).toHaveLength(connections), { timeout: 60_000 });
    expect(await residentBytes(gateway.pid ?? 0)).toBeLessThan(limitBytes);
  } finally {
    for (const client of clients) client.destroy();
    for (const socket of arrived) socket.destroy();
    const exited = new Promise((resolve) => gateway.once('exit', resolve));
    gateway.kill('SIGTERM');
    await Promise.all([exited, mover.close(), provider.close()]);
    await rm(home, { recursive: true, force: true });
  }
});
