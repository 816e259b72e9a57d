// Tests wrong peers of the control channel, with real TLS on loopback: other programs, misbehaving clients, forged PROXY headers.
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { makeSelfSigned, type FixtureIdentity } from '../testing/certificates/certificate-fixture.ts';
import { clientOptions, controlFixture } from '../testing/site/control-fixture.ts';
import { encodeProxyHeader } from '../wire/proxy-header.ts';
import { connectControl, type ControlChannel } from './control-client.ts';
import type { ControlServerOptions } from './control-server.ts';
import { controlProtocol } from './tls-settings.ts';

let identity: FixtureIdentity;
beforeAll(async () => {
  identity = await makeSelfSigned('provider one');
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const { startServer, connectTo, listenTcp } = controlFixture(cleanUps, () => identity);

describe('other servers at the address of a provider', () => {
  it('a TLS 1.2 server: tls.version, no fall-back', async () => {
    const server = createTlsServer({
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      maxVersion: 'TLSv1.2',
    });
    server.on('tlsClientError', () => undefined);
    const port = await listenTcp(server);
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({
      code: 'tls.version',
      message: expect.stringContaining('TLS 1.2') as string,
    });
  });

  it('a server without a common key agreement group: tls.group', async () => {
    const server = createTlsServer({
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      minVersion: 'TLSv1.3',
      ecdhCurve: 'P-521',
      ALPNProtocols: [controlProtocol],
    });
    server.on('tlsClientError', () => undefined);
    const port = await listenTcp(server);
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({ code: 'tls.group' });
  });

  it('a TLS 1.3 server of another protocol: tls.failed', async () => {
    const server = createTlsServer({
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      minVersion: 'TLSv1.3',
    });
    server.on('tlsClientError', () => undefined);
    const port = await listenTcp(server);
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({ code: 'tls.failed' });
  });

  it('an HTTP server: tls.failed', async () => {
    const port = await listenTcp(createHttpServer((_request, response) => response.end('hello')));
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({ code: 'tls.failed' });
  });

  it('a server that sends garbage: tls.failed', async () => {
    const port = await listenTcp(
      createTcpServer((socket) => socket.on('error', () => undefined).end(Buffer.alloc(4096, 0xa5))),
    );
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({ code: 'tls.failed' });
  });

  it('a port without a listener: gateway.unreachable', async () => {
    const server = createTcpServer();
    const port = await listenTcp(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({
      code: 'gateway.unreachable',
      hint: expect.stringContaining(`TCP ${port} `) as string,
    });
  });

  it.each(['end', 'resetAndDestroy'] as const)(
    'a gateway that accepts the connection and drops it (%s): gateway.provider-unreachable',
    async (how) => {
      const port = await listenTcp(
        createTcpServer((socket) => {
          socket.on('error', () => undefined);
          socket.once('data', () => socket[how]());
        }),
      );
      await expect(connectControl(clientOptions(port))).rejects.toMatchObject({ code: 'gateway.provider-unreachable' });
    },
  );

  it('a gateway that accepts the connection and sends nothing: gateway.provider-unreachable', async () => {
    const port = await listenTcp(createTcpServer((socket) => void cleanUps.push(() => socket.destroy())));
    await expect(connectControl(clientOptions(port, { timeoutMs: 50 }))).rejects.toMatchObject({
      code: 'gateway.provider-unreachable',
    });
  });

  it('connecting ends at once when it is canceled', async () => {
    const port = await listenTcp(createTcpServer((socket) => void cleanUps.push(() => socket.destroy())));
    const controller = new AbortController();
    const connecting = connectControl(
      clientOptions(port, { signal: controller.signal, onStep: () => controller.abort() }),
    );
    await expect(connecting).rejects.toMatchObject({ code: 'call.canceled' });
  });
});

/** Resolves with everything that the server sent, when the server has closed the connection. */
function untilClosed(socket: ReturnType<typeof connectTcp>): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => parts.push(chunk));
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(parts))));
}

describe('misbehaving clients', () => {
  it('a TLS 1.2 client gets an alert', async () => {
    const { server } = await startServer();
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ALPNProtocols: [controlProtocol],
    });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toContain('PROTOCOL_VERSION');
  });

  it('a client without a common group gets an alert', async () => {
    const { server } = await startServer();
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ecdhCurve: 'P-521',
      ALPNProtocols: [controlProtocol],
    });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toContain('HANDSHAKE_FAILURE');
  });

  it('a silent client, one that stops after the handshake and one that does not log in are disconnected', async () => {
    const { server } = await startServer({ limits: { loginTimeoutMs: 150 } });
    const silent = connectTcp(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    const idle = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: [controlProtocol],
    });
    idle.on('error', () => undefined);
    // These promises are created before any wait: on a busy machine the server may close both connections early.
    const closed = [untilClosed(silent), untilClosed(idle)];
    // On a busy machine the login time can end before the connection is complete.
    const lazy = connectControl(clientOptions(server.port)).then(
      ({ peer }) => new Promise((resolve) => peer.onClose(resolve)),
      (error: unknown) => error,
    );
    await Promise.all([...closed, lazy]);
  });

  it('a client that logged in stays connected', async () => {
    const { server, next } = await startServer({ limits: { loginTimeoutMs: 100 } });
    const accepted = next();
    const channel = await connectTo(server.port);
    const connection = await accepted;
    connection.confirmLogin();
    connection.peer.onRequest((_type, payload) => Promise.resolve(payload));
    // Another client started later and has reached its time limit, so the limit of this client would have been reached too.
    await untilClosed(connectTcp(server.port, '127.0.0.1'));
    const big = 'x'.repeat(200 * 1024);
    expect(await channel.peer.request('echo', big)).toBe(big);
  });

  it('a client that sends more than 16 KiB before login is disconnected', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    await accepted;
    channel.peer.notify('flood', 'x'.repeat(20 * 1024));
    const error = await new Promise<FarkeepError | undefined>((resolve) => channel.peer.onClose(resolve));
    expect(error?.code).toBe('connection.lost');
  });

  it('an owner that fails loses only its own connection', async () => {
    let count = 0;
    const { server } = await startServer({
      onConnection: () => {
        count += 1;
        if (count === 1) throw new TypeError('a mistake of ours');
      },
    });
    const first = await connectControl(clientOptions(server.port)).catch((error: unknown) => error as FarkeepError);
    if (!(first instanceof FarkeepError)) await new Promise((resolve) => first.peer.onClose(resolve));
    await connectTo(server.port);
    expect(count).toBe(2);
  });

  it('messages over 256 KiB, binary messages and invalid envelopes are refused, and other connections continue', async () => {
    const { server, next } = await startServer();
    const { WebSocket } = await import('ws');
    const bystander = next();
    const other = await connectTo(server.port);
    (await bystander).peer.onRequest((_type, payload) => Promise.resolve(payload));
    const attempts: [string | Buffer, RegExp][] = [
      ['x'.repeat(300 * 1024), /protocol\.malformed/],
      [Buffer.from('binary'), /protocol\.malformed/],
      ['{"id":', /protocol\.malformed/],
      ['{"id":-1,"type":"a","payload":1}', /protocol\.malformed/],
      ['[]', /protocol\.malformed/],
      ['['.repeat(100_000), /protocol\.malformed/],
      ['{"__proto__":{"type":"x"}}', /protocol\.malformed/],
    ];
    for (const [message, expected] of attempts) {
      const accepted = next();
      const socket = connectTls({
        port: server.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: [controlProtocol],
      });
      const raw = new WebSocket('ws://provider/control', { createConnection: () => socket, perMessageDeflate: false });
      raw.on('error', () => undefined);
      await new Promise((resolve) => raw.once('open', resolve));
      const connection = await accepted;
      connection.confirmLogin();
      const closed = new Promise<FarkeepError | undefined>((resolve) => connection.peer.onClose(resolve));
      raw.send(message);
      const error = await closed;
      expect(error?.code).toMatch(expected);
      raw.terminate();
    }
    expect(await other.peer.request('echo', 'fine')).toBe('fine');
  });

  it('the 101st connection of an address is refused with the reason', async () => {
    const { server } = await startServer({ limits: { connectionsPerAddress: 3 } });
    const channels: ControlChannel[] = [];
    for (let count = 0; count < 3; count += 1) channels.push(await connectTo(server.port));
    await expect(connectControl(clientOptions(server.port))).rejects.toMatchObject({
      code: 'connection.refused-limit',
    });
    await channels[0]?.peer.close();
    // The place becomes free when the provider has seen the close.
    for (;;) {
      const channel = await connectControl(clientOptions(server.port)).catch((error: unknown) => error as FarkeepError);
      if (!(channel instanceof FarkeepError)) {
        cleanUps.push(() => channel.peer.close());
        break;
      }
      expect(channel.code).toBe('connection.refused-limit');
    }
  });
});

describe('PROXY header', () => {
  const key = Buffer.alloc(32, 9);
  const header = (counter: bigint) =>
    encodeProxyHeader(
      {
        sourceAddress: '198.51.100.7',
        sourcePort: 40_000,
        destinationAddress: '203.0.113.1',
        destinationPort: 6180,
        linkId: Buffer.alloc(16, 1),
        counter,
      },
      key,
    );
  const authenticated: Partial<ControlServerOptions> = {
    isDirectAllowed: false,
    authenticateProxy: (received) => (received.isAuthentic(key) ? { gatewayId: 'gateway-1' } : undefined),
  };

  it('passes the client address and the gateway, also when the header arrives byte by byte', async () => {
    const { server, next } = await startServer(authenticated);
    const accepted = next();
    const proxy = createTcpServer((client) => {
      const upstream = connectTcp(server.port, '127.0.0.1');
      upstream.setNoDelay(true);
      for (const byte of header(0n)) upstream.write(Buffer.from([byte]));
      client.pipe(upstream).pipe(client);
      client.on('error', () => undefined);
      upstream.on('error', () => undefined);
    });
    const channel = await connectTo(await listenTcp(proxy));
    const connection = await accepted;
    expect(connection).toMatchObject({ remoteAddress: '198.51.100.7', remotePort: 40_000, gatewayId: 'gateway-1' });
    expect(connection.channelBinding.equals(channel.channelBinding())).toBe(true);
  });

  it.each([
    ['none at all', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    [
      'a wrong key',
      encodeProxyHeader(
        {
          sourceAddress: '198.51.100.7',
          sourcePort: 1,
          destinationAddress: '203.0.113.1',
          destinationPort: 6180,
          linkId: Buffer.alloc(16, 1),
          counter: 0n,
        },
        Buffer.alloc(32, 8),
      ),
    ],
    ['garbage', Buffer.alloc(2000, 0x0d)],
  ])('refuses %s', async (_name, bytes) => {
    const { server, connections } = await startServer(authenticated);
    const socket = connectTcp(server.port, '127.0.0.1');
    const closed = untilClosed(socket);
    socket.write(bytes);
    expect((await closed).length).toBe(0);
    expect(connections).toHaveLength(0);
  });
});
