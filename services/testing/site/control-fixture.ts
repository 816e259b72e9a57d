// Owns starting and ending servers and clients of the control channel for tests, on loopback. Must not be used by the product.
import type { AddressInfo, Server, Socket } from 'node:net';

import { connectControl, type ConnectControlOptions, type ControlChannel } from '../../transport/control-client.ts';
import { ControlServer, type ControlConnection, type ControlServerOptions } from '../../transport/control-server.ts';
import type { FixtureIdentity } from '../certificates/certificate-fixture.ts';

export interface ControlFixture {
  startServer(
    options?: Partial<ControlServerOptions>,
  ): Promise<{ server: ControlServer; connections: ControlConnection[]; next: () => Promise<ControlConnection> }>;
  connectTo(port: number, options?: Partial<ConnectControlOptions>): Promise<ControlChannel>;
  /** Starts any other server in place of a provider. */
  listenTcp(server: Server): Promise<number>;
}

export function clientOptions(port: number, options: Partial<ConnectControlOptions> = {}): ConnectControlOptions {
  return {
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    decideTrust: () => Promise.resolve({ isAccepted: true }),
    timeoutMs: 5_000,
    ...options,
  };
}

/** @param undo gets functions that end what was started; call them in reverse order */
export function controlFixture(undo: (() => unknown)[], identity: () => FixtureIdentity): ControlFixture {
  async function startServer(
    options: Partial<ControlServerOptions> = {},
  ): Promise<{ server: ControlServer; connections: ControlConnection[]; next: () => Promise<ControlConnection> }> {
    const connections: ControlConnection[] = [];
    const waiting: ((connection: ControlConnection) => void)[] = [];
    const server = await ControlServer.start({
      identity: identity(),
      authenticateProxy: () => undefined,
      isDirectAllowed: true,
      onConnection: (connection) => {
        connections.push(connection);
        waiting.shift()?.(connection);
      },
      ...options,
    });
    undo.push(() => server.close());
    return { server, connections, next: () => new Promise((resolve) => waiting.push(resolve)) };
  }

  async function connectTo(port: number, options: Partial<ConnectControlOptions> = {}): Promise<ControlChannel> {
    const channel = await connectControl(clientOptions(port, options));
    undo.push(() => channel.peer.close());
    return channel;
  }

  async function listenTcp(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    undo.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  return { startServer, connectTo, listenTcp };
}
