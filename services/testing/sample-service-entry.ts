// A service process for tests of hosting: serves the gateway's node domain with fixed answers. The file "behavior" in its home selects the
// behavior: normal, slow-stop, very-slow-stop, refuse-start, crash-on-call.
import '../contracts/zod-setup.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { RunningService } from '../kernel/running-service.ts';
import { serveProcess } from '../host/serve-process.ts';

const home = process.argv[process.argv.indexOf('--home') + 1] ?? '';
const behavior = readFileSync(path.join(home, 'behavior'), 'utf8').trim();
const startedAt = new Date().toISOString();

const status = {
  isEnrolled: false,
  link: 'not-enrolled',
  linkReason: null,
  providerAddress: null,
  listeners: [],
  connections: 0,
  relayedBytes: 0,
  refusedConnections: 0,
  startedAt,
} as const;

function start(): Promise<RunningService> {
  if (behavior === 'refuse-start')
    throw new FarkeepError('service.port-in-use', 'Port 6180 is in use by another program');
  return Promise.resolve({
    domains: {
      gatewayNode: {
        status: () => {
          if (behavior === 'crash-on-call') setImmediate(() => void Promise.reject(new Error('seeded crash')));
          return { ...status, listeners: [...status.listeners] };
        },
        enroll: () => ({ ...status, listeners: [...status.listeners] }),
      },
    },
    listeners: { gateway: '127.0.0.1:6180' },
    health: () => ({ health: 'degraded', reason: 'not enrolled' }),
    onHealthChanged: () => () => undefined,
    activeSessions: () => 0,
    stop: () => (behavior.endsWith('slow-stop') ? new Promise<void>(() => undefined) : Promise.resolve()),
  });
}

process.exit(
  await serveProcess({
    role: 'gateway',
    home,
    logLevel: 'debug',
    start,
    stopDeadlineMs: behavior === 'very-slow-stop' ? 60_000 : 300,
  }),
);
