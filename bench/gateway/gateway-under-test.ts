// Owns a gateway in its own process whose provider link is in this process, for measuring the gateway alone.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeAuthority, makeSelfSigned } from '../../services/testing/certificates/certificate-fixture.ts';
import { startProviderFixture } from '../../services/testing/site/gateway-fixture.ts';

export interface GatewayUnderTest {
  readonly pid: number;
  /** Port to which tenants connect. */
  readonly port: number;
  /** Makes tickets. The gateway relays a connection with one of these tickets to `targetPort` of 127.0.0.1. */
  makeRoutes(count: number, targetPort: number): Promise<Buffer[]>;
  stop(): Promise<void>;
}

export async function startGatewayUnderTest(home: string): Promise<GatewayUnderTest> {
  await mkdir(home, { recursive: true });
  const authority = await makeAuthority('infrastructure');
  const provider = await startProviderFixture({
    authority,
    infrastructure: await authority.issueServer('provider infrastructure'),
    identity: await makeSelfSigned('provider'),
  });
  const tokenFile = path.join(home, 'token');
  await writeFile(tokenFile, provider.makeToken(), { mode: 0o600 });
  const gateway = fork(
    new URL('../../services/host/serve-entry.ts', import.meta.url),
    ['gateway', '--home', home, '--listen', '127.0.0.1:0', '--token-file', tokenFile, '--log-level', 'error'],
    { serialization: 'json', execArgv: [] },
  );
  const exited = new Promise((resolve) => gateway.once('exit', resolve));
  const stop = async (): Promise<void> => {
    gateway.kill();
    await exited;
    await provider.close();
  };
  try {
    const address = await new Promise<string>((resolve, reject) => {
      gateway.once('exit', (code) => reject(new Error(`The gateway ended with ${String(code)}`)));
      gateway.on('message', (message: { kind?: string; listeners?: Record<string, string> }) => {
        if (message.kind === 'ready') resolve(message.listeners?.['gateway'] ?? '');
      });
    });
    const gatewayId = await provider.untilConnected();
    return {
      pid: gateway.pid ?? 0,
      port: Number(address.split(':').at(-1)),
      makeRoutes: async (count, port) => {
        const tickets = Array.from({ length: count }, () => randomBytes(32));
        await provider.links.pushRoutes(
          gatewayId,
          tickets.map((ticket) => ({ ticket, kind: 'data', port })),
        );
        return tickets;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
