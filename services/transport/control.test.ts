// Both ends of the control channel, with real TLS on loopback, and peers that do it wrong.
import { X509Certificate } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  makeAuthority,
  makeSelfSigned,
  type FixtureAuthority,
  type FixtureIdentity,
} from '../testing/certificate-fixture.ts';
import { encodeProxyHeader } from '../wire/proxy-header.ts';
import {
  connectControl,
  type ConnectControlOptions,
  type ControlChannel,
  type PresentedCertificate,
} from './control-client.ts';
import { ControlServer, type ControlConnection, type ControlServerOptions } from './control-server.ts';
import { controlProtocol } from './tls-settings.ts';

let identity: FixtureIdentity;
let otherIdentity: FixtureIdentity;
let authority: FixtureAuthority;
beforeAll(async () => {
  identity = await makeSelfSigned('provider one');
  authority = await makeAuthority('test authority');
  otherIdentity = await authority.issueServer('provider two');
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startServer(
  options: Partial<ControlServerOptions> = {},
): Promise<{ server: ControlServer; connections: ControlConnection[]; next: () => Promise<ControlConnection> }> {
  const connections: ControlConnection[] = [];
  const waiting: ((connection: ControlConnection) => void)[] = [];
  const server = await ControlServer.start({
    identity,
    authenticateProxy: () => undefined,
    isDirectAllowed: true,
    onConnection: (connection) => {
      connections.push(connection);
      waiting.shift()?.(connection);
    },
    ...options,
  });
  cleanUps.push(() => server.close());
  return { server, connections, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

function clientOptions(port: number, options: Partial<ConnectControlOptions> = {}): ConnectControlOptions {
  return {
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    decideTrust: () => Promise.resolve({ isAccepted: true }),
    timeoutMs: 5_000,
    ...options,
  };
}

async function connectTo(port: number, options: Partial<ConnectControlOptions> = {}): Promise<ControlChannel> {
  const channel = await connectControl(clientOptions(port, options));
  cleanUps.push(() => channel.peer.close());
  return channel;
}

async function listenTcp(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('control channel', () => {
  it('agrees on TLS 1.3 with the post-quantum group, and both sides say the same', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    const connection = await accepted;
    expect(channel.tls.version).toBe('TLSv1.3');
    expect(channel.tls.group).toBe('X25519MLKEM768');
    expect(connection.tls).toEqual(channel.tls);
    expect(connection.channelBinding).toHaveLength(32);
    expect(connection.channelBinding.equals(channel.channelBinding())).toBe(true);
    expect(connection.gatewayId).toBeUndefined();
  });

  it('gives another channel binding to every connection', async () => {
    const { server } = await startServer();
    const [first, second] = [await connectTo(server.port), await connectTo(server.port)];
    expect(first.channelBinding().equals(second.channelBinding())).toBe(false);
  });

  it.each(['X25519', 'P-256'] as const)('names the group when a client offers only %s', async (group) => {
    const { server, next } = await startServer();
    const accepted = next();
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ecdhCurve: group,
      ALPNProtocols: [controlProtocol],
    });
    socket.on('error', () => undefined);
    cleanUps.push(() => socket.destroy());
    socket.once('secureConnect', () => {
      socket.write(
        'GET /control HTTP/1.1\r\nHost: p\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
    });
    expect((await accepted).tls.group).toBe(group);
  });

  it('prefers the post-quantum group even when the client puts another one first', async () => {
    const { server } = await startServer();
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ecdhCurve: 'P-256:X25519:X25519MLKEM768',
      ALPNProtocols: [controlProtocol],
    });
    cleanUps.push(() => socket.destroy());
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' });
  });

  it('shows the certificate before a byte is sent, and sends none when it is refused', async () => {
    const { server, connections } = await startServer();
    // A recorder between the two sees what the client sends after its handshake.
    const toServer: number[] = [];
    const recorder = createTcpServer((client) => {
      const upstream = connectTcp(server.port, '127.0.0.1');
      client.on('data', (chunk: Buffer) => toServer.push(chunk.length));
      client.pipe(upstream).pipe(client);
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
    });
    const port = await listenTcp(recorder);
    let seen: PresentedCertificate | undefined;
    let recordedAtDecision = 0;
    const refused = connectControl(
      clientOptions(port, {
        decideTrust: async (presented) => {
          seen = presented;
          // The client's Finished is on its way; wait until it has passed the recorder.
          while (toServer.length < 2) await new Promise((resolve) => setImmediate(resolve));
          recordedAtDecision = toServer.length;
          return { isAccepted: false, error: new FarkeepError('trust.refused') };
        },
      }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'trust.refused' });
    expect(seen?.isAuthorized).toBe(false);
    expect(seen?.authorizationError).toContain('SELF_SIGNED');
    expect(new X509Certificate(seen?.leafDer ?? '').fingerprint256).toBe(
      new X509Certificate(identity.certificatePem).fingerprint256,
    );
    // At most a close alert follows; no request, no message.
    expect(toServer.slice(recordedAtDecision).every((length) => length <= 24)).toBe(true);
    expect(connections).toHaveLength(0);
  });

  it('trusts a chain that leads to an added root, and sends intermediates along', async () => {
    const { server } = await startServer({ identity: { ...otherIdentity, chainPem: authority.certificatePem } });
    let presented: PresentedCertificate | undefined;
    await connectTo(server.port, {
      roots: [authority.certificatePem],
      decideTrust: (value) => {
        presented = value;
        return Promise.resolve({ isAccepted: true });
      },
    });
    expect(presented?.isAuthorized).toBe(true);
    expect(presented?.authorizationError).toBeUndefined();
    expect(presented?.chainDer).toHaveLength(2);
  });

  it('calls both ways with answers, errors and notifications', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    const { peer } = await accepted;
    peer.onRequest((type, payload) => {
      if (type === 'double') return Promise.resolve((payload as number) * 2);
      throw new FarkeepError('call.unknown', `No "${type}" here`);
    });
    channel.peer.onRequest(() => Promise.resolve('from the tenant'));
    const notified = new Promise((resolve) => channel.peer.onNotify((type, payload) => resolve({ type, payload })));
    expect(await channel.peer.request('double', 21)).toBe(42);
    expect(await peer.request('anything', null)).toBe('from the tenant');
    await expect(channel.peer.request('nonsense', {})).rejects.toMatchObject({
      code: 'call.unknown',
      message: 'No "nonsense" here',
    });
    peer.notify('progress', { bytes: 5 });
    expect(await notified).toEqual({ type: 'progress', payload: { bytes: 5 } });
  });

  it('does not tell the other side what went wrong inside', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    (await accepted).peer.onRequest(() => Promise.reject(new Error('password is hunter2')));
    const failure = await channel.peer.request('login', {}).catch((error: unknown) => error as FarkeepError);
    expect(failure).toMatchObject({ code: 'call.internal' });
    expect(JSON.stringify(failure)).not.toContain('hunter2');
  });

  it('cancels at the other side too, and times out by name', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    const aborted: string[] = [];
    const both = Promise.withResolvers<undefined>();
    (await accepted).peer.onRequest(
      (type, _payload, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborted.push(type);
            if (aborted.length === 2) both.resolve(undefined);
            reject(new FarkeepError('call.cancelled'));
          }),
        ),
    );
    const controller = new AbortController();
    const cancelled = channel.peer.request('long', {}, { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'call.cancelled' });
    await expect(channel.peer.request('slow', {}, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'call.timeout' });
    await both.promise;
    expect(aborted).toEqual(['long', 'slow']);
  });

  it('ends with the reason the other side gave, for open requests too', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    const connection = await accepted;
    connection.peer.onRequest(() => new Promise(() => undefined));
    const open = channel.peer.request('never', {});
    const closed = new Promise((resolve) => channel.peer.onClose(resolve));
    void connection.peer.close(new FarkeepError('login.disabled', 'The account "acme" is disabled'));
    await expect(open).rejects.toMatchObject({ code: 'login.disabled' });
    expect(await closed).toMatchObject({ code: 'login.disabled', message: 'The account "acme" is disabled' });
  });

  it('finds a dead peer by its missing pongs', async () => {
    const { server, next } = await startServer({ pingIntervalMs: 20 });
    const accepted = next();
    // Once `isCut`, this proxy swallows everything, as a cut cable does: no end, no reset.
    let isCut = false;
    const proxy = createTcpServer((client) => {
      const upstream = connectTcp(server.port, '127.0.0.1');
      upstream.on('data', (chunk) => isCut || client.write(chunk));
      client.on('data', (chunk) => isCut || upstream.write(chunk));
      client.on('error', () => undefined);
      upstream.on('error', () => undefined);
      cleanUps.push(() => upstream.destroy());
    });
    await connectTo(await listenTcp(proxy));
    const { peer } = await accepted;
    const closed = new Promise<FarkeepError | undefined>((resolve) => peer.onClose(resolve));
    isCut = true;
    expect((await closed)?.message).toContain('does not answer');
  });
});

describe('certificate swap', () => {
  it('gives new connections the new certificate and leaves running ones alone', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const running = await connectTo(server.port);
    (await accepted).peer.onRequest((_type, payload) => Promise.resolve(payload));
    server.setIdentity({ ...otherIdentity, chainPem: authority.certificatePem });
    const fresh = await connectTo(server.port, { roots: [authority.certificatePem] });
    expect(fresh.presented.isAuthorized).toBe(true);
    expect(fresh.presented.leafDer.equals(running.presented.leafDer)).toBe(false);
    expect(fresh.tls.group).toBe('X25519MLKEM768');
    expect(await running.peer.request('still there', 1)).toBe(1);
  });

  it('keeps the old one in service when the new one cannot be used', async () => {
    const { server } = await startServer();
    expect(() =>
      server.setIdentity({ certificatePem: identity.certificatePem, privateKeyPem: otherIdentity.privateKeyPem }),
    ).toThrow(expect.objectContaining({ code: 'certificate.key-mismatch' }) as Error);
    const channel = await connectTo(server.port);
    expect(channel.presented.leafDer.equals(new X509Certificate(identity.certificatePem).raw)).toBe(true);
  });
});

describe('other programs in the place of a provider', () => {
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

  it('a server without a common group: tls.group', async () => {
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

  it('nothing listens: gateway.unreachable', async () => {
    const server = createTcpServer();
    const port = await listenTcp(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(connectControl(clientOptions(port))).rejects.toMatchObject({
      code: 'gateway.unreachable',
      hint: expect.stringContaining(`TCP ${port} `) as string,
    });
  });

  it.each(['end', 'resetAndDestroy'] as const)(
    'a gateway that takes the connection and drops it (%s): gateway.provider-unreachable',
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

  it('a gateway that takes the connection and stays silent: gateway.provider-unreachable', async () => {
    const port = await listenTcp(createTcpServer((socket) => void cleanUps.push(() => socket.destroy())));
    await expect(connectControl(clientOptions(port, { timeoutMs: 50 }))).rejects.toMatchObject({
      code: 'gateway.provider-unreachable',
    });
  });

  it('ends at once when it is cancelled', async () => {
    const port = await listenTcp(createTcpServer((socket) => void cleanUps.push(() => socket.destroy())));
    const controller = new AbortController();
    const connecting = connectControl(
      clientOptions(port, { signal: controller.signal, onStep: () => controller.abort() }),
    );
    await expect(connecting).rejects.toMatchObject({ code: 'call.cancelled' });
  });
});

/** Resolves when the server has closed the connection; with everything it sent. */
function untilClosed(socket: ReturnType<typeof connectTcp>): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => parts.push(chunk));
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(parts))));
}

describe('clients that do it wrong', () => {
  it('gives a TLS 1.2 client an alert', async () => {
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

  it('gives a client without a common group an alert', async () => {
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

  it('destroys a silent client, one that stops after the handshake and one that does not log in', async () => {
    const { server, next } = await startServer({ limits: { loginTimeoutMs: 150 } });
    const silent = connectTcp(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    const idle = connectTls({
      port: server.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: [controlProtocol],
    });
    idle.on('error', () => undefined);
    const accepted = next();
    const lazy = await connectControl(clientOptions(server.port));
    await accepted;
    const lost = new Promise((resolve) => lazy.peer.onClose(resolve));
    await Promise.all([untilClosed(silent), untilClosed(idle), lost]);
    await vi.waitFor(() => expect(server.connectionCount).toBe(0));
  });

  it('keeps a client that logged in', async () => {
    const { server, next } = await startServer({ limits: { loginTimeoutMs: 100 } });
    const accepted = next();
    const channel = await connectTo(server.port);
    const connection = await accepted;
    connection.confirmLogin();
    connection.peer.onRequest((_type, payload) => Promise.resolve(payload));
    // Another client's time limit, started later, has passed: this one's would have, too.
    await untilClosed(connectTcp(server.port, '127.0.0.1'));
    const big = 'x'.repeat(200 * 1024);
    expect(await channel.peer.request('echo', big)).toBe(big);
  });

  it('cuts a client off that sends more than 16 KiB before login', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    await accepted;
    channel.peer.notify('flood', 'x'.repeat(20 * 1024));
    const error = await new Promise<FarkeepError | undefined>((resolve) => channel.peer.onClose(resolve));
    expect(error?.code).toBe('connection.lost');
  });

  it('loses only the connection whose owner fails', async () => {
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

  it('refuses messages over 256 KiB, binary ones, and what is not an envelope; others go on', async () => {
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

  it('tells the 101st connection of an address that it is one too many', async () => {
    const { server } = await startServer({ limits: { connectionsPerAddress: 3 } });
    const channels: ControlChannel[] = [];
    for (let count = 0; count < 3; count += 1) channels.push(await connectTo(server.port));
    await expect(connectControl(clientOptions(server.port))).rejects.toMatchObject({
      code: 'connection.refused-limit',
    });
    await channels[0]?.peer.close();
    // The place is free as soon as the provider has seen the close.
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

  it('gives the client address and the gateway, even when it comes byte by byte', async () => {
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
