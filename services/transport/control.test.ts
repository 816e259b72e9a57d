// Tests both ends of the control channel with real TLS on loopback: keys, certificates, calls, and closing.
import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  makeAuthority,
  makeSelfSigned,
  type FixtureAuthority,
  type FixtureIdentity,
} from '../testing/certificates/certificate-fixture.ts';
import { clientOptions, controlFixture } from '../testing/site/control-fixture.ts';
import { connectControl, type PresentedCertificate } from './control-client.ts';
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

const { startServer, connectTo, listenTcp } = controlFixture(cleanUps, () => identity);

describe('control channel', () => {
  it('negotiates TLS 1.3 with the post-quantum group, and both sides report the same', async () => {
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

  it('has another channel binding for every connection', async () => {
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

  it('prefers the post-quantum group also when the client lists another group first', async () => {
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

  it('shows the certificate to the client before the client sends anything, and nothing is sent after a refusal', async () => {
    const { server, connections } = await startServer();
    // A recorder between client and server records what the client sends after its handshake.
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
          // The client's Finished message is on its way; wait until the recorder has passed it on.
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
    // After the decision the client sends at most a close alert; no request, no message.
    expect(toServer.slice(recordedAtDecision).every((length) => length <= 24)).toBe(true);
    expect(connections).toHaveLength(0);
  });

  it('trusts a chain that leads to an added root, and sends the intermediates', async () => {
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

  it('carries requests in both directions with answers, errors and notifications', async () => {
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

  it('does not show an internal error to the other side', async () => {
    const { server, next } = await startServer();
    const accepted = next();
    const channel = await connectTo(server.port);
    (await accepted).peer.onRequest(() => Promise.reject(new Error('password is hunter2')));
    const failure = await channel.peer.request('login', {}).catch((error: unknown) => error as FarkeepError);
    expect(failure).toMatchObject({ code: 'call.internal' });
    expect(JSON.stringify(failure)).not.toContain('hunter2');
  });

  it('cancels a request at the other side too, and a time-out names the request', async () => {
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
            reject(new FarkeepError('call.canceled'));
          }),
        ),
    );
    const controller = new AbortController();
    const canceled = channel.peer.request('long', {}, { signal: controller.signal });
    controller.abort();
    await expect(canceled).rejects.toMatchObject({ code: 'call.canceled' });
    await expect(channel.peer.request('slow', {}, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'call.timeout' });
    await both.promise;
    expect(aborted).toEqual(['long', 'slow']);
  });

  it('ends with the reason of the other side, also for open requests', async () => {
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

  it('detects a dead peer by missing pongs', async () => {
    const { server, next } = await startServer({ pingIntervalMs: 20 });
    const accepted = next();
    // Once `isCut` is set, this proxy drops all data like a cut cable: no end, no reset.
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

describe('replacing the certificate', () => {
  it('gives new connections the new certificate and does not touch open ones', async () => {
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

  it('keeps the old certificate in service when the new one cannot be used', async () => {
    const { server } = await startServer();
    expect(() =>
      server.setIdentity({ certificatePem: identity.certificatePem, privateKeyPem: otherIdentity.privateKeyPem }),
    ).toThrow(expect.objectContaining({ code: 'certificate.key-mismatch' }) as Error);
    const channel = await connectTo(server.port);
    expect(channel.presented.leafDer.equals(new X509Certificate(identity.certificatePem).raw)).toBe(true);
  });
});
