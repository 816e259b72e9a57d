// The supervisor against real processes: ready, calls, crash, hang, restart, give-up, orderly and forced stop.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import { systemClock } from '../../../services/kernel/clock.ts';
import { silentLogger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { Secret } from '../../../services/kernel/secret.ts';
import { defaultServiceTimings, type ServiceTimings } from './service-process.ts';
import { Supervisor, type SupervisedEvent } from './supervisor.ts';

const fakeService = fileURLToPath(new URL('../../testing/fake-service.ts', import.meta.url));
const restartPolicy = { firstDelayMs: 5, maxDelayMs: 20, maxCrashes: 3, windowMs: 60_000 };
const never = new AbortController().signal;

let folder: string;
let marker: string;
let logLines: string[];
let supervisor: Supervisor | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-supervisor-'));
  marker = path.join(folder, 'marker');
  logLines = [];
});

afterEach(async () => {
  await supervisor?.leaveAll(100);
  rmSync(folder, { recursive: true, force: true });
});

function supervise(
  mode: string,
  timings: Partial<ServiceTimings> = {},
  executable = process.execPath,
  keychainKey?: KeychainKey,
): Supervisor {
  supervisor = new Supervisor({
    programOf: () => ({ executable, args: [fakeService], environment: { MODE: mode, MARKER: marker }, keychainKey }),
    writeLogLine: (_role, line) => logLines.push(line),
    logger: silentLogger,
    clock: systemClock,
    timings: { ...defaultServiceTimings, ...timings },
    restartPolicy,
  });
  return supervisor;
}

/** Resolves with the first state of the tenant service for which `fits` is true, beginning with the present state. */
function whenTenant(watched: Supervisor, fits: (service: SupervisedService) => boolean): Promise<SupervisedService> {
  return new Promise((resolve) => {
    const now = watched.find('tenant');
    if (fits(now)) {
      resolve(now);
      return;
    }
    const stop = watched.onStateChanged((service) => {
      if (service.role !== 'tenant' || !fits(service)) return;
      stop();
      resolve(service);
    });
  });
}

const isIn =
  (...states: SupervisedService['state'][]) =>
  (service: SupervisedService): boolean =>
    states.includes(service.state);

const call = (watched: Supervisor, command: string, input: unknown = {}, signal = never) =>
  watched.call('tenant', { domain: 'service', command, input }, signal);

describe('a service that behaves', () => {
  it('gets the key of the keychain over the channel alone', async () => {
    using key = Secret.random();
    const watched = supervise('waits-for-keychain', {}, process.execPath, { keychain: 'KWallet', key });
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    const text = key.bytes.toString('base64');
    const given = await call(watched, 'keychain');
    expect(given).toMatchObject({ ok: true, value: { handedOver: text } });
    expect(
      JSON.stringify([(given as { value: { argv: string[] } }).value.argv, await call(watched, 'environment')]),
    ).not.toContain(text);
    expect(logLines.join('')).not.toContain(text);
  });

  it('becomes running with its listeners, answers calls and passes events', async () => {
    const watched = supervise('well');
    const firstEvent = new Promise<SupervisedEvent>((resolve) => watched.onEvent(resolve));
    watched.start('tenant');
    expect(watched.find('tenant').state).toBe('starting');
    const running = await whenTenant(watched, isIn('running'));
    expect(running).toMatchObject({ restarts: 0, incarnation: 1, listeners: { control: '127.0.0.1:1' } });
    expect(running.pid).not.toBe(process.pid);
    expect(await call(watched, 'echo', { word: 'täst' })).toEqual({ ok: true, value: { word: 'täst' } });
    expect(await firstEvent).toMatchObject({ role: 'tenant', incarnation: 1, event: { event: 'healthChanged' } });
  });

  it('keeps a call that comes while it is starting until it can answer', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    expect(await call(watched, 'echo', 1)).toEqual({ ok: true, value: 1 });
  });

  it('runs on after the deadline for its start', async () => {
    const startDeadlineMs = 1_500;
    const watched = supervise('well', { startDeadlineMs });
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    const ended = whenTenant(watched, ({ state }) => state !== 'running').then(() => 'ended');
    expect(await Promise.race([ended, systemClock.sleep(startDeadlineMs * 1.2).then(() => 'runs on')])).toBe('runs on');
  });

  it('inherits nothing but what it was given', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    const result = await call(watched, 'environment');
    const names = result.ok
      ? Object.keys(result.value as object).filter((name) => !name.startsWith('NODE_CHANNEL'))
      : [];
    expect(names.sort()).toEqual(['MARKER', 'MODE']);
  });

  it('passes the cancellation of a call on', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    const controller = new AbortController();
    const pending = call(watched, 'never-answered', {}, controller.signal);
    controller.abort();
    expect(await pending).toMatchObject({ ok: false, error: { code: 'call.canceled' } });
  });

  it('ends in an orderly way when it is stopped, and can be started again', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    await Promise.all([watched.stop('tenant', 5_000), watched.stop('tenant', 5_000)]);
    expect(readFileSync(marker, 'utf8')).toBe('stopped in order');
    expect(watched.find('tenant')).toMatchObject({ state: 'stopped', pid: null, error: null });
    expect(await call(watched, 'echo')).toMatchObject({ ok: false, error: { code: 'service.not-running' } });
    watched.start('tenant');
    expect(await whenTenant(watched, isIn('running'))).toMatchObject({ incarnation: 2, restarts: 0 });
  });

  it('shows why it is degraded', async () => {
    const watched = supervise('degraded');
    watched.start('tenant');
    const degraded = await whenTenant(watched, isIn('degraded'));
    expect(degraded.reason).toBe('The gateway lost its provider.');
  });
});

describe('a service that fails', () => {
  it('is started again after a crash, and waiting calls learn that the answer is lost', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    const { pid } = await whenTenant(watched, isIn('running'));
    const lost = call(watched, 'never-answered');
    expect(await call(watched, 'crash')).toMatchObject({
      ok: false,
      error: { code: 'connection.lost', retryable: true },
    });
    expect(await lost).toMatchObject({ ok: false, error: { code: 'connection.lost' } });
    const again = await whenTenant(watched, ({ state, incarnation }) => state === 'running' && incarnation === 2);
    expect(again).toMatchObject({ restarts: 1 });
    expect(again.pid).not.toBe(pid);
    expect(await call(watched, 'echo', 2)).toEqual({ ok: true, value: 2 });
  });

  it('tells exit code and signal apart', async () => {
    const watched = supervise('well');
    watched.start('tenant');
    const { pid } = await whenTenant(watched, isIn('running'));
    const seen = whenTenant(watched, ({ state, error }) => state === 'starting' && error !== null);
    process.kill(pid ?? 0, 'SIGKILL');
    expect((await seen).reason).toContain('signal SIGKILL');
    await whenTenant(watched, ({ state, incarnation }) => state === 'running' && incarnation === 2);
    const seenAgain = whenTenant(watched, ({ state, error }) => state === 'starting' && error !== null);
    await call(watched, 'crash');
    expect((await seenAgain).reason).toContain('code 3');
  });

  it('comes back when only the first start crashes', async () => {
    const watched = supervise('crashes-once');
    watched.start('tenant');
    expect(await whenTenant(watched, isIn('running'))).toMatchObject({ restarts: 1, incarnation: 2 });
  });

  it('is given up after too many crashes, and a person can start it again', async () => {
    const watched = supervise('crashes-at-start');
    watched.start('tenant');
    const failed = await whenTenant(watched, isIn('failed'));
    expect(failed.incarnation).toBe(restartPolicy.maxCrashes);
    expect(failed.reason).toContain('code 7');
    expect(failed.error?.hint).toContain('service log');
    watched.start('tenant');
    expect(watched.find('tenant').state).toBe('starting');
    expect((await whenTenant(watched, isIn('failed'))).incarnation).toBe(2 * restartPolicy.maxCrashes);
  });

  it('is not started again when it says itself that it cannot start', async () => {
    const watched = supervise('refuses');
    watched.start('tenant');
    const failed = await whenTenant(watched, isIn('failed'));
    expect(failed).toMatchObject({ restarts: 0, incarnation: 1, error: { code: 'service.locked' } });
  });

  it('fails with a next step when there is no runtime', async () => {
    const watched = supervise('well', {}, path.join(folder, 'no-such-node'));
    watched.start('tenant');
    const failed = await whenTenant(watched, isIn('failed'));
    expect(failed.error).toMatchObject({ code: 'service.start-failed' });
    expect(failed.reason).toContain('no-such-node');
  });

  it('is ended and started again when it does not become ready', async () => {
    const watched = supervise('never-ready', { startDeadlineMs: 300 });
    watched.start('tenant');
    const failed = await whenTenant(watched, isIn('failed'));
    expect(failed.reason).toContain('was not ready');
  });

  it('is shown as degraded when it hangs, then ended and started again', async () => {
    const watched = supervise('well', { heartbeatIntervalMs: 100, missedForDegraded: 3, missedForHung: 8 });
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    const degraded = whenTenant(watched, isIn('degraded'));
    void call(watched, 'hang');
    expect((await degraded).reason).toContain('no sign of life');
    const again = await whenTenant(watched, ({ state, incarnation }) => state === 'running' && incarnation === 2);
    expect(again.restarts).toBe(1);
  });

  it('is ended by force when it ignores the request to stop', async () => {
    const watched = supervise('deaf');
    watched.start('tenant');
    const { pid } = await whenTenant(watched, isIn('running'));
    await watched.stop('tenant', 0);
    expect(watched.find('tenant').state).toBe('stopped');
    expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
    expect(existsSync(marker)).toBe(false);
  });

  it('is not started after a stop that comes while it waits for its restart', async () => {
    const watched = supervise('crashes-at-start');
    watched.start('tenant');
    await whenTenant(watched, ({ restarts }) => restarts === 1);
    await watched.stop('tenant', 100);
    const { incarnation, state } = watched.find('tenant');
    expect(state).toBe('stopped');
    await systemClock.sleep(restartPolicy.maxDelayMs * 3);
    expect(watched.find('tenant')).toMatchObject({ incarnation, state: 'stopped' });
  });
});

describe('what a service writes', () => {
  it('reaches the log line by line, without secrets and without lines that have no end', async () => {
    const watched = supervise('babbles');
    watched.start('tenant');
    await whenTenant(watched, isIn('running'));
    await watched.stop('tenant', 1_000);
    const log = logLines.join('\n');
    expect(log).toContain('"msg":"started"');
    expect(log).not.toContain('hunter2');
    expect(log).not.toContain('abcdef0123456789');
    expect(log).toContain('[cut]');
    expect(Math.max(...logLines.map((line) => line.length))).toBeLessThan(70_000);
  });
});
