// Starts each role in this process. Then starts the role repeatedly, and makes the start fail once after each part that the role opens.
import { mkdir, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { gatewayConfigSchema } from '../gateway/config.ts';
import { systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/logger.ts';
import { ServiceParts, type RunningService, type ServiceOptions } from '../kernel/running-service.ts';
import { providerConfigSchema } from '../provider/state/config.ts';
import { startProvider } from '../provider/service.ts';
import { tenantConfigSchema } from '../tenant/state/config.ts';
import { startTenant } from '../tenant/service.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { startHostedGateway } from './hosted-gateway.ts';
import { hostService } from './service-host.ts';

type Start = (options: Omit<ServiceOptions<never>, 'config'>) => Promise<Pick<RunningService, 'stop'>>;

const freePort = { host: '127.0.0.1', port: 0 };
const roles: readonly { readonly name: string; readonly start: Start }[] = [
  {
    name: 'provider',
    start: (options) => {
      const config = { control: freePort, infrastructure: freePort, certificateKeyBits: 2048 };
      return startProvider({ ...options, config: providerConfigSchema.parse(config) });
    },
  },
  {
    name: 'gateway',
    start: (options) =>
      startHostedGateway({ ...options, config: gatewayConfigSchema.parse({ listen: [freePort, freePort] }) }),
  },
  { name: 'tenant', start: (options) => startTenant({ ...options, config: tenantConfigSchema.parse({}) }) },
  {
    name: 'host of a role',
    start: ({ home, logger, clock }) =>
      hostService({
        ...{ role: 'tenant', home, logger, clock },
        onStopRequested: () => undefined,
        start: () => Promise.resolve(roleThatDoesNothing),
      }),
  },
];

const roleThatDoesNothing: RunningService = {
  domains: {},
  listeners: {},
  health: () => ({ health: 'running', reason: null }),
  onHealthChanged: () => () => undefined,
  activeSessions: () => 0,
  stop: () => Promise.resolve(),
};

interface WatchedParts {
  /** Numbers of the parts, in the order of closing. */
  readonly closed: number[];
  opened: number;
}

/** @param failAfter number of the part after which the start fails */
function watchParts(failAfter = 0): WatchedParts {
  vi.restoreAllMocks();
  const watched: WatchedParts = { closed: [], opened: 0 };
  const { defer } = ServiceParts.prototype;
  const open = (parts: ServiceParts, close: () => unknown): void => {
    const number = (watched.opened += 1);
    defer.call(parts, async () => {
      watched.closed.push(number);
      await close();
    });
    if (number === failAfter) throw new Error(`seeded after part ${number}`);
  };
  vi.spyOn(ServiceParts.prototype, 'defer').mockImplementation(function (this: ServiceParts, close) {
    open(this, close);
  });
  vi.spyOn(ServiceParts.prototype, 'use').mockImplementation(function (this: ServiceParts, part) {
    open(this, () => (part as Disposable)[Symbol.dispose]());
    return part;
  });
  return watched;
}

/** The resources of this process that a running role uses: ports and sockets, children, timers, open files below its folder. */
async function heldResources(folder: string): Promise<Record<string, number>> {
  const files = process.platform === 'linux' ? await openFiles(folder) : [];
  const held = process.getActiveResourcesInfo().filter((name) => /^(TCP|Pipe|Process)/.test(name));
  return { files: files.length, handles: held.length, timers: runningTimers.size };
}

async function openFiles(folder: string): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  const targets = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder));
}

const runningTimers = new Set<object>();

function watchTimers(): void {
  const { startTimer } = systemClock;
  vi.spyOn(systemClock, 'startTimer').mockImplementation((delayMs, onTime, options) => {
    const key = {};
    const timer = startTimer(
      delayMs,
      () => {
        runningTimers.delete(key);
        onTime();
      },
      options,
    );
    runningTimers.add(key);
    const stop = (): void => {
      runningTimers.delete(key);
      timer.stop();
    };
    const restart = (): void => {
      runningTimers.add(key);
      timer.restart();
    };
    return { restart, stop, [Symbol.dispose]: stop };
  });
}

afterEach(() => {
  vi.restoreAllMocks();
  runningTimers.clear();
});

describe.each(roles)('$name', ({ start }) => {
  it('closes its parts in reverse order at a stop and after a failed start at any part, and releases all resources', async () => {
    const home = await makeTemporaryFolder();
    await mkdir(path.join(home, 'role'));
    const options = {
      home: path.join(home, 'role'),
      logger: silentLogger,
      clock: systemClock,
      publish: () => undefined,
    };
    const nothing = await heldResources(home);

    const parts = watchParts();
    watchTimers();
    const service = await start(options);
    expect(await heldResources(home)).not.toEqual(nothing);
    expect(parts.closed).toEqual([]);
    await Promise.all([service.stop(1_000), service.stop(1_000)]);
    const inReverse = (count: number): number[] => Array.from({ length: count }, (_item, index) => count - index);
    expect(parts.opened).toBeGreaterThan(2);
    expect(parts.closed).toEqual(inReverse(parts.opened));
    expect(await heldResources(home)).toEqual(nothing);

    for (let part = 1; part <= parts.opened; part += 1) {
      const failed = watchParts(part);
      watchTimers();
      await expect(start(options)).rejects.toThrow(`seeded after part ${part}`);
      expect(failed.closed).toEqual(inReverse(part));
      expect(await heldResources(home), `after part ${part}`).toEqual(nothing);
    }
  }, 60_000);
});
