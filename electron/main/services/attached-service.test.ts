// The supervisor beside services that it did not start: real processes, local sockets of this process, and a forwarded socket.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import { serviceDomain } from '../../../services/contracts/rpc/service.ts';
import { connectAdmin } from '../../../services/host/carriers/admin-client.ts';
import { startAdminEndpoint } from '../../../services/host/carriers/admin-endpoint.ts';
import { createDispatcher, serveDomain } from '../../../services/host/carriers/dispatcher.ts';
import { createEventHub, type EventHub } from '../../../services/host/carriers/event-hub.ts';
import { spawnService, type ServiceChild } from '../../../services/host/service-child.ts';
import { systemClock } from '../../../services/kernel/clock.ts';
import { silentLogger } from '../../../services/kernel/logger.ts';
import type { AttachTimings } from './attached-service.ts';
import { Supervisor, type SupervisedEvent } from './supervisor.ts';

const fakeService = fileURLToPath(new URL('../../testing/fake-service.ts', import.meta.url));
const timings: AttachTimings = { retryMs: 50, graceMs: 60_000, signOfLifeMs: 60_000 };
const never = new AbortController().signal;

let home: string;
let launched: number;
let supervisor: Supervisor;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'farkeep-attach-'));
  launched = 0;
});
afterEach(async () => {
  await supervisor.leaveAll(100);
  await rm(home, { recursive: true, force: true });
});

function supervise({
  mode = 'well',
  isStartedElsewhere = false,
  ofHome = home,
  ...changed
}: Partial<AttachTimings> & { mode?: string; isStartedElsewhere?: boolean; ofHome?: string } = {}): Supervisor {
  supervisor = new Supervisor({
    programOf: () => {
      launched += 1;
      return { executable: process.execPath, args: [fakeService], environment: { MODE: mode } };
    },
    connect: (role) => connectAdmin({ home: ofHome, role }),
    isStartedElsewhere: () => isStartedElsewhere,
    writeLogLine: () => undefined,
    logger: silentLogger,
    clock: systemClock,
    attachTimings: { ...timings, ...changed },
  });
  return supervisor;
}

/** Resolves with the first state of the tenant service that fits, beginning with the present state. */
function whenTenant(fits: (service: SupervisedService) => boolean): Promise<SupervisedService> {
  return new Promise((resolve) => {
    const now = supervisor.find('tenant');
    if (fits(now)) {
      resolve(now);
      return;
    }
    const stop = supervisor.onStateChanged((service) => {
      if (service.role !== 'tenant' || !fits(service)) return;
      stop();
      resolve(service);
    });
  });
}

const isIn =
  (state: SupervisedService['state']) =>
  (service: SupervisedService): boolean =>
    service.state === state;

const info = () => supervisor.call('tenant', { domain: 'service', command: 'info', input: {} }, never);

async function runTenant(): Promise<ServiceChild> {
  const service = await spawnService({ role: 'tenant', home, logFile: path.join(home, 'tenant.log') });
  onTestFinished(async () => void (await service.stop(1_000)));
  return service;
}

describe('a service that runs already', () => {
  it('is attached, answers calls, survives the console, and is awaited and attached again after its restart', async () => {
    const first = await runTenant();
    supervise();
    supervisor.start('tenant');
    const attached = await whenTenant(isIn('running'));
    expect(attached).toMatchObject({ origin: 'attached', pid: first.pid, incarnation: 1, restarts: 0 });
    expect(await info()).toMatchObject({ ok: true, value: { role: 'tenant', pid: first.pid } });

    await first.stop(5_000);
    expect(await whenTenant(isIn('awaited'))).toMatchObject({ pid: null, canStartHere: false });
    expect(await info()).toMatchObject({ ok: false, error: { code: 'service.not-running', retryable: true } });
    const second = await runTenant();
    const again = await whenTenant(isIn('running'));
    expect(again).toMatchObject({ origin: 'attached', pid: second.pid, incarnation: 2 });

    await supervisor.leaveAll(1_000);
    expect(supervisor.find('tenant')).toMatchObject({ state: 'stopped', pid: null });
    const client = await connectAdmin({ home, role: 'tenant' });
    expect(await client.domain(serviceDomain).info({})).toMatchObject({ pid: second.pid });
    client.close();
    expect(launched).toBe(0);
  });

  it('ends when a person stops it', async () => {
    const service = await runTenant();
    supervise();
    supervisor.start('tenant');
    await whenTenant(isIn('running'));
    await supervisor.stop('tenant', 5_000);
    expect(supervisor.find('tenant').state).toBe('stopped');
    expect(await service.exited).toMatchObject({ code: 0 });
  });

  it('is reached through a forwarded socket, and awaited while the tunnel is down', async () => {
    const service = await runTenant();
    const ofHome = path.join(home, 'elsewhere');
    await mkdir(path.join(ofHome, 'tenant'), { recursive: true, mode: 0o700 });
    const forward = (): Promise<Tunnel> =>
      openTunnel(path.join(ofHome, 'tenant', 'admin.sock'), path.join(home, 'tenant', 'admin.sock'));
    const tunnel = await forward();
    supervise({ ofHome });
    supervisor.start('tenant');
    expect(await whenTenant(isIn('running'))).toMatchObject({ origin: 'attached', pid: service.pid });
    await tunnel.close();
    await whenTenant(isIn('awaited'));
    await forward();
    expect(await whenTenant(isIn('running'))).toMatchObject({ pid: service.pid, incarnation: 2 });
    expect(launched).toBe(0);
  });
});

describe('events of an attached service', () => {
  it('are passed on with the incarnation of the connection', async () => {
    const { events } = await serve();
    supervise();
    const heard = new Promise<SupervisedEvent>((resolve) => supervisor.onEvent(resolve));
    supervisor.start('tenant');
    await whenTenant(isIn('running'));
    // The subscription was sent before this call, so it has arrived when the call is answered.
    await info();
    events.publish(serviceDomain, 'healthChanged', { health: 'degraded', reason: 'The disk is full' });
    expect(await heard).toMatchObject({ role: 'tenant', incarnation: 1, event: { event: 'healthChanged' } });
  });

  it('that a broken connection lost lead to another incarnation, so that clients fetch snapshots', async () => {
    const first = await serve();
    supervise();
    supervisor.start('tenant');
    const { incarnation } = await whenTenant(isIn('running'));
    await first.close();
    await whenTenant(isIn('awaited'));
    await serve();
    expect((await whenTenant(isIn('running'))).incarnation).toBe(incarnation + 1);
  });
});

describe('a service that does not answer', () => {
  it('may be started here only after a while, and only when a person asks', async () => {
    supervise({ isStartedElsewhere: true, graceMs: 200 });
    supervisor.start('tenant');
    await whenTenant(isIn('awaited'));
    await whenTenant(({ canStartHere }) => canStartHere);
    expect(launched).toBe(0);
    supervisor.startHere('tenant');
    expect(await whenTenant(isIn('running'))).toMatchObject({ origin: 'started', canStartHere: false });
    expect(launched).toBe(1);
  });

  it('is not started in its place during the time of grace', async () => {
    supervise({ isStartedElsewhere: true, retryMs: 10 });
    supervisor.start('tenant');
    await whenTenant(isIn('awaited'));
    await systemClock.sleep(100);
    expect(supervisor.find('tenant')).toMatchObject({ state: 'awaited', canStartHere: false });
    expect(launched).toBe(0);
  });

  it('is awaited when it holds the lock of the folder', async () => {
    supervise({ mode: 'refuses' });
    supervisor.start('tenant');
    expect(await whenTenant(isIn('awaited'))).toMatchObject({ error: { code: 'service.locked' } });
    await serve();
    expect(await whenTenant(isIn('running'))).toMatchObject({ origin: 'attached', error: null });
    expect(launched).toBe(1);
  });

  it('is shown as degraded when it hangs', async () => {
    const service = await serve();
    supervise({ signOfLifeMs: 100 });
    supervisor.start('tenant');
    await whenTenant(isIn('running'));
    service.hang();
    expect((await whenTenant(isIn('degraded'))).reason).toContain('no sign of life');
  });

  it('is not attached for another role', async () => {
    await serve({ role: 'gateway' });
    supervise();
    supervisor.start('tenant');
    expect((await whenTenant(isIn('failed'))).error).toMatchObject({ code: 'call.refused' });
    expect(launched).toBe(0);
  });
});

interface ServedHere {
  readonly events: EventHub;
  close(): Promise<void>;
  /** From now on, no call is answered. */
  hang(): void;
}

/** Serves the local socket of the tenant in this process. */
async function serve({ role = 'tenant' }: { readonly role?: ServiceRole } = {}): Promise<ServedHere> {
  const roleFolder = path.join(home, 'tenant');
  await mkdir(roleFolder, { recursive: true, mode: 0o700 });
  const events = createEventHub({ logger: silentLogger });
  let isHanging = false;
  const handlers = {
    info: async () => {
      if (isHanging) await new Promise(() => undefined);
      return {
        ...{ role, version: '0', node: '', openssl: '', pid: 42, home: roleFolder },
        ...{ startedAt: new Date().toISOString(), listeners: {}, health: 'running' as const, reason: null },
      };
    },
  };
  const endpoint = await startAdminEndpoint({
    roleFolder,
    events,
    logger: silentLogger,
    onStopRequested: () => undefined,
    dispatcher: createDispatcher({
      domains: [serveDomain(serviceDomain, handlers)],
      logger: silentLogger,
      clock: systemClock,
    }),
  });
  onTestFinished(() => endpoint.close());
  return {
    events,
    close: () => endpoint.close(),
    hang: () => {
      isHanging = true;
    },
  };
}

interface Tunnel {
  close(): Promise<void>;
}

/** Stands for `ssh -L LOCAL:REMOTE`. */
async function openTunnel(local: string, remote: string): Promise<Tunnel> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(remote);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
    }
  });
  await rm(local, { force: true });
  await new Promise<void>((resolve) => server.listen(local, resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(close);
  return { close };
}
