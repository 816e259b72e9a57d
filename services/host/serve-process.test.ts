import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { gatewayNodeDomain } from '../contracts/rpc/gateway-node.ts';
import { serviceDomain } from '../contracts/rpc/service.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { findAdminAddress } from './carriers/admin-address.ts';
import { connectAdmin } from './carriers/admin-client.ts';
import { spawnService, type ServiceChild } from './service-child.ts';

type Behavior = 'normal' | 'slow-stop' | 'very-slow-stop' | 'refuse-start' | 'crash-on-call';

const entry = fileURLToPath(new URL('../testing/sample-service-entry.ts', import.meta.url));

async function prepareHome(behavior: Behavior): Promise<string> {
  const home = await makeTemporaryFolder();
  await writeFile(path.join(home, 'behavior'), behavior);
  return home;
}

async function spawnSample(home: string): Promise<ServiceChild> {
  const service = await spawnService({ role: 'gateway', home, logFile: path.join(home, 'log', 'gateway.log'), entry });
  onTestFinished(() => service.signal('SIGKILL'));
  return service;
}

describe('a service process', () => {
  it('reports that it is ready, answers at the local socket, and ends on request', async () => {
    const home = await prepareHome('normal');
    const service = await spawnSample(home);
    expect(service.ready).toMatchObject({
      role: 'gateway',
      pid: service.pid,
      listeners: { gateway: '127.0.0.1:6180' },
    });

    const client = await connectAdmin({ home, role: 'gateway' });
    expect(await client.domain(serviceDomain).info({})).toMatchObject({
      role: 'gateway',
      pid: service.pid,
      home: path.join(home, 'gateway'),
      health: 'degraded',
      reason: 'not enrolled',
    });
    expect(await client.domain(gatewayNodeDomain).status({})).toMatchObject({ isEnrolled: false });

    expect(await service.stop(1_000)).toEqual({ code: 0, signal: null });
    await client.closed;
    await expect(stat(path.join(home, 'gateway', 'admin.sock'))).rejects.toThrow('ENOENT');
    await expect(connectAdmin({ home, role: 'gateway' })).rejects.toMatchObject({ code: 'service.not-running' });
  });

  it('makes its files and its log readable only for its account', async () => {
    const home = await prepareHome('normal');
    const service = await spawnSample(home);
    for (const name of await readdir(path.join(home, 'gateway'))) {
      expect((await stat(path.join(home, 'gateway', name))).mode & 0o077, name).toBe(0);
    }
    await service.stop(1_000);
    expect((await stat(path.join(home, 'log', 'gateway.log'))).mode & 0o077).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends in order on %s', async (signal) => {
    const service = await spawnSample(await prepareHome('normal'));
    service.signal(signal);
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('ends at its deadline when the role does not stop, with a special exit code', async () => {
    const home = await prepareHome('slow-stop');
    const service = await spawnSample(home);
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(await readFile(path.join(home, 'log', 'gateway.log'), 'utf8')).toContain('did not end within');
  });

  it('ends at once on the second signal', async () => {
    const home = await prepareHome('very-slow-stop');
    const service = await spawnSample(home);
    // Signals within the first second count as the same Ctrl-C, because other programs pass it on.
    const repeat = setInterval(() => service.signal('SIGINT'), 100);
    onTestFinished(() => clearInterval(repeat));
    expect(await service.exited).toEqual({ code: 130, signal: null });
  });

  it('stops on a request over the local socket', async () => {
    const home = await prepareHome('normal');
    const service = await spawnSample(home);
    const socket = connect(await findAdminAddress(path.join(home, 'gateway')));
    onTestFinished(() => void socket.destroy());
    socket.write('{"kind":"stop","deadlineMs":1000}\n');
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('logs why it cannot start, and its parent gets the same error', async () => {
    const home = await prepareHome('refuse-start');
    await expect(spawnSample(home)).rejects.toMatchObject({
      code: 'service.port-in-use',
      message: 'Port 6180 is in use by another program',
    });
    // The lock was released: the folder can be used at once.
    await writeFile(path.join(home, 'behavior'), 'normal');
    await (await spawnSample(home)).stop(1_000);
  });

  it('never shares its folder with a second service', async () => {
    const home = await prepareHome('normal');
    const first = await spawnSample(home);
    await expect(spawnSample(home)).rejects.toMatchObject({ code: 'service.locked' });
    const client = await connectAdmin({ home, role: 'gateway' });
    expect((await client.domain(serviceDomain).info({})).pid).toBe(first.pid);
    client.close();
  });

  it('ends with a special exit code after an unexpected error, and releases its folder at once', async () => {
    const home = await prepareHome('crash-on-call');
    const service = await spawnSample(home);
    const client = await connectAdmin({ home, role: 'gateway' });
    await client.domain(gatewayNodeDomain).status({});
    expect(await service.exited).toEqual({ code: 70, signal: null });
    await client.closed;
    await (await spawnSample(home)).stop(1_000);
  });

  it('ends when its parent process has ended', async () => {
    const home = await prepareHome('normal');
    const child = fork(entry, ['gateway', '--home', home], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [message] = (await once(child, 'message')) as [{ kind: string }];
    expect(message.kind).toBe('ready');
    const exit = once(child, 'exit');
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  it('carries calls and heartbeats over the process channel', async () => {
    const home = await prepareHome('normal');
    const child = fork(entry, ['gateway', '--home', home], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const messages: { kind: string }[] = [];
    child.on('message', (message: { kind: string }) => messages.push(message));
    const seen = (kind: string): Promise<{ kind: string }> =>
      vi.waitFor(
        () => {
          const found = messages.find((message) => message.kind === kind);
          if (found === undefined) throw new Error(`no ${kind} yet`);
          return found;
        },
        { timeout: 10_000 },
      );
    await seen('ready');
    // Without it, a gateway that is not enrolled would be shown as running until its first regular heartbeat.
    await seen('heartbeat');
    expect(messages.map(({ kind }) => kind).slice(0, 2)).toEqual(['ready', 'heartbeat']);
    child.send({ kind: 'call', id: 'a', domain: 'service', command: 'info', input: {} });
    expect(await seen('result')).toMatchObject({ id: 'a', result: { ok: true, value: { pid: child.pid } } });
    expect(await seen('heartbeat')).toEqual({ kind: 'heartbeat', health: 'degraded', reason: 'not enrolled' });
    const exit = once(child, 'exit');
    child.send({ kind: 'stop', deadlineMs: 500 });
    expect(await exit).toEqual([0, null]);
  });
});
