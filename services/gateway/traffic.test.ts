// Tests the traffic through a real gateway over real sockets: both kinds of connections, and misbehaving clients.
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock, type Clock } from '../kernel/clock.ts';
import {
  gatewaySite,
  makeGatewayCertificates,
  portOf,
  readAll,
  type GatewayCertificates,
} from '../testing/site/gateway-site.ts';
import { listenData } from '../transport/data-listener.ts';
import { connectData } from '../transport/data-socket.ts';
import { encodePreamble } from '../wire/preamble.ts';

let certificates: GatewayCertificates;
beforeAll(async () => {
  certificates = await makeGatewayCertificates();
});

let home = '';
const homes: string[] = [];
async function useNewHome(): Promise<void> {
  home = await mkdtemp(path.join(tmpdir(), 'farkeep-gateway-'));
  homes.push(home);
}
const cleanUps: (() => unknown)[] = [];
beforeEach(useNewHome);
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  for (const used of homes.splice(0)) await rm(used, { recursive: true, force: true });
});

const site = gatewaySite({ certificates: () => certificates, home: () => home, undo: cleanUps });
const { startProvider, start, startBoth, connectTenant, startMover, rawClient } = site;

describe('control connections', () => {
  it('reach the provider end to end, and the provider gets the real client address', async () => {
    const { provider, port, gatewayId } = await startBoth();
    const accepted = provider.nextConnection();
    const channel = await connectTenant(port);
    const connection = await accepted;
    expect(connection).toMatchObject({ gatewayId, remoteAddress: '127.0.0.1' });
    expect(connection.channelBinding.equals(channel.channelBinding())).toBe(true);
    expect(channel.tls).toMatchObject({ version: 'TLSv1.3', group: 'X25519MLKEM768' });
    connection.peer.onRequest((_type, payload) => Promise.resolve(payload));
    expect(await channel.peer.request('echo', 'through the gateway')).toBe('through the gateway');
  });

  it('are closed quickly while the provider is down, and work again when it is back', async () => {
    const { provider, gateway, port } = await startBoth();
    const infrastructurePort = provider.links.port;
    await provider.close();
    await vi.waitFor(() => expect(gateway.status().link).toBe('waiting'));
    const before = performance.now();
    await expect(connectTenant(port)).rejects.toMatchObject({ code: 'gateway.provider-unreachable' });
    expect(performance.now() - before).toBeLessThan(2_000);
    const again = await startProvider({ infrastructurePort, known: provider.known });
    await again.untilConnected();
    await vi.waitFor(() => expect(gateway.status().link).toBe('connected'));
    await connectTenant(port);
    expect(again.connections).toHaveLength(1);
  });

  it('continue while the link is down', async () => {
    const { provider, gateway, gatewayId, port } = await startBoth();
    const accepted = provider.nextConnection();
    const channel = await connectTenant(port);
    const connection = await accepted;
    connection.peer.onRequest((_type, payload) => Promise.resolve(payload));
    const { FarkeepError } = await import('../kernel/farkeep-error.ts');
    await provider.links.disconnect(gatewayId, new FarkeepError('gateway.link-down'));
    await vi.waitFor(() => expect(gateway.status().link).not.toBe('connected'));
    expect(await channel.peer.request('echo', 'still here')).toBe('still here');
  });

  it('cannot be replayed or forged by an attacker who reaches the control port', async () => {
    const provider = await startProvider();
    // The attacker, between gateway and provider, records the first bytes that the gateway writes.
    const recorded: Buffer[] = [];
    const recorder = createServer((fromGateway) => {
      const toProvider = connect(provider.control.port, '127.0.0.1');
      fromGateway.once('data', (chunk: Buffer) => recorded.push(Buffer.from(chunk)));
      fromGateway.on('error', () => toProvider.destroy()).pipe(toProvider);
      toProvider.on('error', () => fromGateway.destroy()).pipe(fromGateway);
    });
    await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => recorder.close());
    provider.setControlPort((recorder.address() as AddressInfo).port);
    const gateway = await start({ enrollmentToken: provider.makeToken() });
    await vi.waitFor(() => expect(gateway.status().link).toBe('connected'));
    await connectTenant(portOf(gateway));
    expect(provider.connections).toHaveLength(1);
    const [first] = recorded;
    if (first === undefined) throw new Error('nothing was recorded');
    const replay = rawClient(provider.control.port);
    let answered = 0;
    replay.socket.on('data', (chunk: Buffer) => (answered += chunk.length));
    replay.socket.write(first);
    await replay.closed;
    expect(answered).toBe(0);
    // A header with another counter and the recorded MAC is refused too.
    const forged = Buffer.from(first);
    forged.writeUInt8(forged.readUInt8(70) ^ 1, 70);
    const attempt = rawClient(provider.control.port);
    attempt.socket.write(forged);
    await attempt.closed;
    expect(provider.connections).toHaveLength(1);
    await expect(connectTenant(provider.control.port)).rejects.toMatchObject({ code: 'gateway.provider-unreachable' });
  });
});

describe('data connections', () => {
  it('reach the mover of the ticket, with unchanged preamble, in both directions', async () => {
    const { provider, gatewayId, port, gateway } = await startBoth();
    const mover = await startMover();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'data', host: '127.0.0.1', port: mover.port }]);
    const accepted = mover.next();
    const client = await connectData({ host: '127.0.0.1', port, kind: 'data', ticket });
    cleanUps.push(() => client.destroy());
    const payload = randomBytes(3_000_000);
    await client.write(payload);
    client.end();
    const { socket, firstBytes, kind, ticket: seen } = await accepted;
    expect(kind).toBe('data');
    expect(seen.equals(ticket)).toBe(true);
    expect((await readAll(socket, firstBytes)).equals(payload)).toBe(true);
    // The client has ended its direction. The mover has not ended its direction.
    await socket.write(payload.subarray(0, 1_000_000));
    socket.end();
    expect((await readAll(client)).equals(payload.subarray(0, 1_000_000))).toBe(true);
    await vi.waitFor(() =>
      expect(gateway.counters()).toMatchObject({
        dataConnections: 0,
        bytesFromClients: 3_000_040,
        bytesToClients: 1_000_000,
      }),
    );
    await vi.waitFor(() => expect(provider.reports.at(-1)).toMatchObject({ bytesFromClients: 3_000_040 }));
  });

  it('need a ticket that is unused, not expired and of the right kind', async () => {
    let now = Date.now();
    const clock: Clock = { now: () => now, sleep: systemClock.sleep };
    const { provider, gatewayId, port, gateway } = await startBoth({}, clock);
    const mover = await startMover();
    const [used, late, otherKind, unknown] = Array.from({ length: 4 }, () => randomBytes(32)) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const route = { kind: 'data', port: mover.port } as const;
    await provider.links.pushRoutes(
      gatewayId,
      [used, late, otherKind].map((ticket) => ({ ...route, ticket })),
    );
    const accepted = mover.next();
    const first = await connectData({ host: '127.0.0.1', port, kind: 'data', ticket: used });
    cleanUps.push(() => first.destroy());
    await accepted;
    const refused = async (ticket: Buffer, kind: 'data' | 'tunnel' = 'data'): Promise<void> => {
      const client = await connectData({ host: '127.0.0.1', port, kind, ticket });
      expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    };
    await refused(used);
    await refused(otherKind, 'tunnel');
    await refused(otherKind);
    await refused(unknown);
    now += 60_000;
    await refused(late);
    expect(mover.accepted).toHaveLength(1);
    expect(gateway.counters().refusals.unknownTicket).toBe(5);
  });

  it('are refused with a ticket that the provider sent only to another gateway', async () => {
    const { provider, gatewayId } = await startBoth();
    await useNewHome();
    const other = await start({ enrollmentToken: provider.makeToken(), name: 'gw-other' });
    await vi.waitFor(() => expect(provider.links.gateways()).toHaveLength(2));
    const mover = await startMover();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'data', port: mover.port }]);
    const client = await connectData({ host: '127.0.0.1', port: portOf(other), kind: 'data', ticket });
    expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    expect(mover.accepted).toHaveLength(0);
  });

  it('are closed when the mover cannot be reached', async () => {
    const { provider, gatewayId, port, gateway } = await startBoth();
    const mover = await listenData({ onConnection: () => undefined });
    await mover.close();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'tunnel', port: mover.port }]);
    const client = await connectData({ host: '127.0.0.1', port, kind: 'tunnel', ticket });
    expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    expect(gateway.counters().refusals.providerUnreachable).toBe(1);
  });

  it('can end during a graceful stop', async () => {
    const { provider, gatewayId, port, gateway } = await startBoth();
    const mover = await startMover();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'data', port: mover.port }]);
    const accepted = mover.next();
    const client = await connectData({ host: '127.0.0.1', port, kind: 'data', ticket });
    const { socket, firstBytes } = await accepted;
    let isStopped = false;
    const stopping = gateway.stop(20_000).then(() => (isStopped = true));
    await expect(connectTenant(port)).rejects.toMatchObject({ code: 'gateway.unreachable' });
    await client.write(Buffer.from('the rest of it'));
    client.end();
    expect((await readAll(socket, firstBytes)).toString()).toBe('the rest of it');
    expect(isStopped).toBe(false);
    socket.end();
    await readAll(client);
    await stopping;
    expect(gateway.counters().dataConnections).toBe(0);
  });

  it('are dropped when the time limit of a stop is over', async () => {
    const { provider, gatewayId, port, gateway } = await startBoth();
    const mover = await startMover();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'data', port: mover.port }]);
    const accepted = mover.next();
    const client = await connectData({ host: '127.0.0.1', port, kind: 'data', ticket });
    await accepted;
    const lost = readAll(client);
    await Promise.all([gateway.stop(50), expect(lost).rejects.toMatchObject({ code: 'connection.lost' })]);
  });
});

describe('misbehaving clients', () => {
  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a wrong magic', Buffer.from('FKD2')],
    ['an unknown version', Buffer.from('FKD1\x02')],
    ['an unknown kind', Buffer.from('FKD1\x01\x03')],
    ['flags that nobody knows', Buffer.from('FKD1\x01\x01\x00\x01')],
    ['SSL 2', Buffer.from([0x80, 0x2e, 0x01])],
  ])('are disconnected at once: %s', async (_name, bytes) => {
    const { gateway, port } = await startBoth();
    const { socket, closed } = rawClient(port);
    socket.write(bytes);
    await closed;
    expect(gateway.counters().refusals.unknownFirstBytes).toBe(1);
  });

  it('are disconnected when they take too long for their first bytes', async () => {
    const { gateway, port } = await startBoth({ limits: { firstBytesTimeoutMs: 100 } });
    const silent = rawClient(port);
    const slow = rawClient(port);
    const preamble = encodePreamble({ kind: 'data', ticket: randomBytes(32) });
    let sent = 0;
    const dripping = setInterval(() => slow.socket.write(preamble.subarray(sent, (sent += 1))), 20);
    await Promise.all([silent.closed, slow.closed]);
    clearInterval(dripping);
    expect(sent).toBeLessThan(preamble.length);
    expect(gateway.counters().refusals.tooSlow).toBe(2);
  });

  it('may send byte by byte within the time limit', async () => {
    const { provider, gatewayId, port } = await startBoth();
    const mover = await startMover();
    const ticket = randomBytes(32);
    await provider.links.pushRoutes(gatewayId, [{ ticket, kind: 'tunnel', port: mover.port }]);
    const accepted = mover.next();
    const { socket } = rawClient(port);
    socket.setNoDelay(true);
    for (const byte of encodePreamble({ kind: 'tunnel', ticket })) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await accepted).ticket.equals(ticket)).toBe(true);
  });

  it('are refused for a while after ten bad connections, and accepted again later', async () => {
    let now = Date.now();
    const clock: Clock = { now: () => now, sleep: systemClock.sleep };
    const { gateway, port } = await startBoth({}, clock);
    for (let count = 0; count < 10; count += 1) {
      const { socket, closed } = rawClient(port);
      socket.write('nonsense');
      await closed;
    }
    await expect(connectTenant(port)).rejects.toMatchObject({ code: 'gateway.provider-unreachable' });
    expect(gateway.counters().refusals).toMatchObject({ unknownFirstBytes: 10, blockedAddress: 1 });
    now += 60_001;
    await connectTenant(port);
  });

  it('end neither gateway nor provider, whatever they send', async () => {
    const { provider, gateway, port } = await startBoth({
      limits: { badConnections: 1_000_000, firstBytesTimeoutMs: 200 },
    });
    const bystander = await connectTenant(port);
    const sample = (count: number): Buffer[] =>
      fc.sample(
        fc
          .tuple(
            fc.constantFrom(
              '',
              '\x16\x03\x01',
              '\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03',
              'FKD1\x01\x02\x00\x00',
              '\r\n\r\n\x00\r\nQUIT\n!',
            ),
            fc.uint8Array({ maxLength: 600 }),
          )
          .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'latin1'), rest])),
        { numRuns: count, seed: 7 },
      );
    for (const target of [port, provider.control.port, provider.links.port]) {
      await Promise.all(
        sample(60).map(async (bytes, index) => {
          const { socket, closed } = rawClient(target);
          await new Promise((resolve) => socket.once('connect', resolve));
          socket.write(bytes);
          if (index % 3 === 0) socket.end();
          else if (index % 3 === 1) socket.resetAndDestroy();
          // Does not wait for the time limits of both ends; other tests cover them.
          else setTimeout(() => socket.destroy(), 100);
          await closed;
        }),
      );
    }
    expect(bystander.peer.isClosed).toBe(false);
    await connectTenant(port);
    await vi.waitFor(() => expect(gateway.counters()).toMatchObject({ controlConnections: 2, dataConnections: 0 }));
  });

  it('are not counted for connecting without sending a byte', async () => {
    const { gateway, port } = await startBoth();
    for (let count = 0; count < 15; count += 1) {
      const { socket, closed } = rawClient(port);
      socket.once('connect', () => socket.end());
      await closed;
    }
    await connectTenant(port);
    expect(gateway.status().refusedConnections).toBe(0);
  });
});
