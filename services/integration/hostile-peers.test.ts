// A peer with false messages must not stop a service: wrong, excessive or endless messages of a gateway, a provider or a tenant, while
// other peers are still served. Limits are in memory and CPU time, because the machine may be busy.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import { serviceProvidersDomain } from '../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import { newId } from '../kernel/identifier.ts';
import { askProvider } from '../wire/control-calls.ts';
import { makeSelfSigned } from '../testing/certificates/certificate-fixture.ts';
import {
  enrollHostileGateway,
  fatReport,
  logInAs,
  quietReport,
  startHostileProvider,
  startInput,
} from '../testing/hostile/hostile-peers.ts';
import { Stack, stackNames } from '../testing/site/stack.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** CPU time of this process in ms; all services of the stack run in it. */
async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('a stack with hostile gateways and tenants', () => {
  let folder: string;
  let stack: Stack;
  let providerId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-liars-'));
    stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
    providerId = (await stack.addProvider()).id;
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const list = async (): Promise<{ id: string; connections: number; relayedBytes: number }[]> =>
    (await stack.provider.domain(gatewaysDomain).list({})).gateways;

  it('a gateway that reports the largest numbers does not hide other gateways, and can be managed', async () => {
    const { gatewayId, client } = await enrollHostileGateway(stack, 'a-liar');
    undo.push(() => client.stop());
    const most = Number.MAX_SAFE_INTEGER;
    client.report({
      ...quietReport,
      controlConnections: most,
      dataConnections: most,
      bytesFromClients: most,
      bytesToClients: most,
    });
    await vi.waitFor(async () =>
      expect((await list()).find(({ id }) => id === gatewayId)?.connections).toBeGreaterThan(0),
    );
    // Repeated counter resets must not increase the sum without limit.
    for (const bytes of [0, most, 0]) client.report({ ...quietReport, bytesFromClients: bytes, bytesToClients: bytes });
    const { rescan } = stack.tenant.domain(serviceProvidersDomain);
    const provider = await rescan({ providerId });
    expect(provider.problem).toBeNull();
    expect(provider.gateways.map(({ name }) => name)).toEqual(expect.arrayContaining(['gw0', 'a-liar']));
    const { setEnabled, remove } = stack.provider.domain(gatewaysDomain);
    expect(await setEnabled({ gatewayId, isEnabled: false })).toMatchObject({ state: 'disabled' });
    expect(await setEnabled({ gatewayId, isEnabled: true })).toMatchObject({ name: 'a-liar' });
    await remove({ gatewayId });
    expect((await list()).map(({ id }) => id)).not.toContain(gatewayId);
  }, 30_000);

  it('a gateway that reports no load does not attract all tenants', async () => {
    const { gatewayId, client } = await enrollHostileGateway(stack, 'b-liar');
    undo.push(async () => {
      await client.stop();
      await stack.provider.domain(gatewaysDomain).remove({ gatewayId });
    });
    client.report(quietReport);
    // The dead gateway relays no connection: after the first try, the tenant tries the other gateway first.
    const { rescan } = stack.tenant.domain(serviceProvidersDomain);
    for (let each = 0; each < 3; each += 1) expect((await rescan({ providerId })).problem).toBeNull();
    const { peer } = await logInAs(stack);
    undo.push(() => peer.close());
    const { gateways } = await askProvider(peer, 'gateways.list', {});
    // The provider counts this connection at the working gateway.
    expect(gateways.find(({ name }) => name === 'gw0')?.connections).toBeGreaterThan(0);
    expect(gateways.find(({ name }) => name === 'b-liar')?.connections).toBe(0);
  }, 30_000);

  it('a gateway that reports without pause is read once in two seconds, and costs no more CPU time than a login', async () => {
    const { gatewayId, client } = await enrollHostileGateway(stack, 'c-liar');
    undo.push(async () => {
      await client.stop();
      await stack.provider.domain(gatewaysDomain).remove({ gatewayId });
    });
    const loginMs = await cpuMsOf(async () => (await logInAs(stack)).peer.close());
    const heardOf = (): number =>
      stack.provider.events.of(gatewaysDomain, 'changed').filter(({ id }) => id === gatewayId).length;
    const heardBefore = heardOf();
    const startedAt = performance.now();
    const floodMs = await cpuMsOf(async () => {
      for (let count = 1; count <= 20_000; count += 1) client.report({ ...quietReport, controlConnections: count });
      const { peer } = await logInAs(stack);
      await peer.close();
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const reportCount = heardOf() - heardBefore;
    // Two more for the state of the gateway itself, which also changes when its link is opened.
    expect(reportCount).toBeLessThanOrEqual(4 + seconds / 2);
    // This process also writes the 20,000 messages, which takes more CPU time on a busy machine.
    expect(floodMs).toBeLessThan(6 * loginMs + 4000);
  }, 30_000);

  it('a tenant that starts and cancels many sessions with long reports does not fill the disk and does not displace sessions of others', async () => {
    const database = path.join(folder, 'provider', 'provider.sqlite');
    const bytes = async (): Promise<number> => {
      const sizes = await Promise.all(['', '-wal'].map(async (suffix) => (await stat(`${database}${suffix}`)).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    };
    const { peer } = await logInAs(stack);
    undo.push(() => peer.close());
    const before = await bytes();
    let refused = 0;
    let retryAfterMs: unknown;
    let started = 0;
    // More than one request a second, for longer than the burst; the provider accepts only the burst.
    for (let each = 0; each < 70; each += 1) {
      const start = startInput({ repository: 'not there' });
      try {
        await askProvider(peer, 'session.start', start);
      } catch (thrown) {
        const { code, details } = toFarkeepError(thrown);
        if (code !== 'session.limit') started += 1;
        else {
          refused += 1;
          retryAfterMs = details?.['retryAfterMs'];
        }
      }
    }
    expect(started).toBeLessThan(70);
    expect(refused).toBeGreaterThan(0);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(await bytes()).toBe(before);

    const quotas = [{ repository: stackNames.repository, limitBytes: 1e9 }];
    await stack.provider.domain(tenantsDomain).add({ name: 'fat', password: 'the fat tenant', quotas });
    const hostileTenant = await logInAs(stack, 'fat', 'the fat tenant');
    undo.push(() => hostileTenant.peer.close());
    const rounds = 3;
    for (let each = 0; each < rounds; each += 1) {
      const start = startInput();
      await askProvider(hostileTenant.peer, 'session.start', start);
      for (let report = 0; report < 2; report += 1)
        hostileTenant.peer.notify('session.report', fatReport(start.sessionId, report));
      await askProvider(hostileTenant.peer, 'session.cancel', { sessionId: start.sessionId });
    }
    const { sessions } = await stack.provider.domain(sessionsDomain).list({ limit: 100 });
    const own = sessions.filter(({ otherSide }) => otherSide === 'fat');
    expect(own).toHaveLength(rounds);
    for (const { id } of own) {
      const detail = await stack.provider.domain(sessionsDomain).show({ sessionId: id });
      expect(JSON.stringify(detail).length).toBeLessThan(300_000);
    }
  }, 60_000);

  it('a tenant that sends reports without pause is read more slowly, and others are served', async () => {
    const { peer } = await logInAs(stack);
    undo.push(() => peer.terminate());
    const report = { sessionId: newId(), attempt: 1, warningCount: 1 };
    for (let each = 0; each < 30_000; each += 1) peer.notify('session.report', report);
    const loginMs = await cpuMsOf(async () => {
      const other = await logInAs(stack);
      await askProvider(other.peer, 'gateways.list', {});
      await other.peer.close();
    });
    expect(loginMs).toBeLessThan(3000);
  }, 30_000);
});

describe('a hostile provider', () => {
  const password = 'a password of the tenant';
  let folder: string;
  let stack: Stack;
  let honestId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-lying-provider-'));
    stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
    honestId = (await stack.addProvider()).id;
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const addLiar = async (answers: Parameters<typeof startHostileProvider>[2]): Promise<string> => {
    const identity = await makeSelfSigned('liar');
    const hostileProvider = await startHostileProvider(identity, password, answers);
    undo.push(() => hostileProvider.close());
    const { id } = await stack.tenant.domain(serviceProvidersDomain).add({
      name: 'liar',
      host: '127.0.0.1',
      port: hostileProvider.port,
      userName: 'tenant',
      password,
      fingerprint: new X509Certificate(identity.certificatePem).fingerprint256,
    });
    return id;
  };

  /** Functions that must work whatever a provider sends. */
  const expectUsable = async (liarId: string): Promise<void> => {
    const providers = stack.tenant.domain(serviceProvidersDomain);
    expect((await providers.list({})).providers.map(({ name }) => name)).toEqual(['liar', stackNames.provider]);
    expect((await providers.rescan({ providerId: honestId })).problem).toBeNull();
    await stack.tenant.domain(pointsDomain).list({});
    await providers.remove({ providerId: liarId });
    expect((await providers.list({})).providers.map(({ name }) => name)).toEqual([stackNames.provider]);
  };

  it('with false names and hosts loses only the invalid rows; the valid rows are kept', async () => {
    const good = {
      id: newId(),
      name: 'good',
      addresses: [{ host: 'gw.example', port: 6180 }],
      connections: 0,
      isConnected: true,
    };
    const names = ['\u001b[2Jname', '', ' padded', 'n'.repeat(101), 7, null];
    const hosts = ['a b', 'host\u0000', '[::1]', 'ünïcode', '', 'h'.repeat(300), {}];
    const liarId = await addLiar({
      'gateways.list': () => ({
        gateways: [
          ...names.map((name) => ({ ...good, id: newId(), name })),
          ...hosts.map((host) => ({ ...good, id: newId(), name: 'odd', addresses: [{ host, port: 6180 }] })),
          { ...good, connections: Number.MAX_SAFE_INTEGER * 4 },
          good,
        ],
      }),
      'repositories.list': () => ({
        repositories: [
          ...names.map((name) => ({ name, limitBytes: 1, usedBytes: 1 })),
          { name: 'too much', limitBytes: 1e300, usedBytes: 0 },
          { name: 'kept', limitBytes: 10, usedBytes: 1 },
        ],
      }),
    });
    const { rescan } = stack.tenant.domain(serviceProvidersDomain);
    const rescanned = await rescan({ providerId: liarId });
    expect(rescanned.repositories).toEqual([{ name: 'kept', limitBytes: 10, usedBytes: 1 }]);
    expect(rescanned.gateways.map(({ name, host }) => [name, host])).toEqual([['good', 'gw.example']]);
    expect(rescanned.problem).toMatch(/7 rows are invalid/);
    await expectUsable(liarId);
  }, 30_000);

  it.each<[string, (page: number) => { points: unknown[]; hasMore: boolean }]>([
    ['with the same page', () => ({ points: [pointNamed('a')], hasMore: true })],
    ['with empty pages', () => ({ points: [], hasMore: true })],
    ['with rows that do not fit', (page) => ({ points: [{ id: page }], hasMore: true })],
    [
      'with ever new points',
      (page) => ({
        points: Array.from({ length: 500 }, (_each, index) => pointNamed(`${page} ${index}`)),
        hasMore: true,
      }),
    ],
  ])(
    'about an end of its restore points is left: %s',
    async (_what, pageOf) => {
      let pages = 0;
      const liarId = await addLiar({
        'points.list': () => {
          pages += 1;
          return pageOf(pages);
        },
      });
      const heapBefore = process.memoryUsage().heapUsed;
      const { unreachable } = await stack.tenant.domain(pointsDomain).list({});
      expect(unreachable).toMatchObject([
        { provider: 'liar', message: expect.stringContaining('endless list') as string },
      ]);
      expect(pages).toBeLessThanOrEqual(202);
      expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(300e6);
      await expectUsable(liarId);
    },
    60_000,
  );
});

function pointNamed(name: string): object {
  return {
    id: Buffer.from(name.padEnd(16).slice(0, 16)).toString('hex'),
    jobId: newId(),
    jobName: 'job',
    repository: 'main',
    createdAt: new Date(0).toISOString(),
    sourceBytes: 1,
    files: 1,
    encrypted: false,
    warnings: 0,
  };
}
