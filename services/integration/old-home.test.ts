// A home and a repository of an earlier version: settings, databases, keys, pins, jobs and restore points are still read. The version of
// 2026-11-28 made them with `farkeep demo --source DIR --keep DIR`, from the folder that `makeSource` makes again here.
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { expect, it, onTestFinished } from 'vitest';
import { finalSessionStates, type SessionDetail } from '../contracts/models/session.ts';
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { jobsDomain } from '../contracts/rpc/jobs.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import { trustDomain } from '../contracts/rpc/trust.ts';
import { gatewayConfigSchema } from '../gateway/config.ts';
import { startGateway } from '../gateway/service.ts';
import { systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/logger.ts';
import { startProvider } from '../provider/service.ts';
import { providerConfigSchema } from '../provider/state/config.ts';
import { startTenant } from '../tenant/service.ts';
import { tenantConfigSchema } from '../tenant/state/config.ts';
import { RecordedEvents } from '../testing/recorded-events.ts';
import { clientOf } from '../testing/site/stack.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

const archive = fileURLToPath(new URL('./homes/home-2026-11-28.zip', import.meta.url));
/** The ports in the old home. */
const old = { control: 33259, infrastructure: 43137, gateway: 44481 };
const fileTime = new Date('2020-02-03T04:05:06.500Z');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function unpack(home: string): void {
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(archive)))) {
    mkdirSync(path.dirname(path.join(home, name)), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(home, name), bytes, { mode: 0o600 });
  }
}

/** Replaces the old paths and ports, because the home had another path and other ports are free here. */
function moveTo(home: string, source: string, ports: typeof old): void {
  for (const file of ['provider/provider.json', 'gateway1/gateway.json', 'gateway1/gateway/link-identity.json']) {
    let text = readFileSync(path.join(home, file), 'utf8');
    for (const role of ['control', 'infrastructure', 'gateway'] as const)
      text = text.replaceAll(new RegExp(`("port": ?)${old[role]}\\b`, 'g'), `$1${ports[role]}`);
    writeFileSync(path.join(home, file), text);
  }
  using provider = new DatabaseSync(path.join(home, 'provider/provider/provider.sqlite'));
  provider.prepare('UPDATE repositories SET folder = ?').run(path.join(home, 'repository'));
  provider
    .prepare('UPDATE gateways SET addresses = replace(addresses, ?, ?)')
    .run(`${old.gateway}`, `${ports.gateway}`);
  using tenant = new DatabaseSync(path.join(home, 'tenant/tenant/tenant.sqlite'));
  tenant.prepare('UPDATE providers SET port = ?').run(ports.gateway);
  tenant.prepare('UPDATE jobs SET source_paths = ?').run(JSON.stringify([source]));
}

function makeSource(folder: string): void {
  mkdirSync(path.join(folder, 'folder'), { recursive: true });
  writeFileSync(path.join(folder, 'a.txt'), 'one\n');
  writeFileSync(path.join(folder, 'folder/text'), 'x'.repeat(30_000));
  symlinkSync('a.txt', path.join(folder, 'link'));
  linkSync(path.join(folder, 'a.txt'), path.join(folder, 'second'));
  for (const name of ['a.txt', 'folder/text', 'folder']) utimesSync(path.join(folder, name), fileTime, fileTime);
}

function expectRestored(folder: string): void {
  expect(readFileSync(path.join(folder, 'a.txt'), 'utf8')).toBe('one\n');
  expect(readFileSync(path.join(folder, 'folder/text'), 'utf8')).toBe('x'.repeat(30_000));
  expect(readlinkSync(path.join(folder, 'link'))).toBe('a.txt');
  expect(statSync(path.join(folder, 'second')).ino).toBe(statSync(path.join(folder, 'a.txt')).ino);
  for (const name of ['a.txt', 'folder/text', 'folder'])
    expect(statSync(path.join(folder, name)).mtime).toEqual(fileTime);
}

it('reads the home and the repository of an earlier version', async () => {
  const folder = await makeTemporaryFolder();
  const home = path.join(folder, 'home');
  const source = path.join(folder, 'source');
  unpack(home);
  makeSource(source);
  moveTo(home, source, { control: await freePort(), infrastructure: await freePort(), gateway: await freePort() });
  const json = (file: string): unknown => JSON.parse(readFileSync(path.join(home, file), 'utf8'));
  const common = { logger: silentLogger, clock: systemClock };

  const providerEvents = new RecordedEvents();
  const provider = await startProvider({
    ...common,
    home: path.join(home, 'provider/provider'),
    config: providerConfigSchema.parse(json('provider/provider.json')),
    publish: providerEvents.publish,
  });
  onTestFinished(() => provider.stop(10_000));
  const gateway = await startGateway({
    ...common,
    home: path.join(home, 'gateway1/gateway'),
    config: gatewayConfigSchema.parse(json('gateway1/gateway.json')),
    version: 'test',
  });
  onTestFinished(() => gateway.stop(10_000));
  const tenantEvents = new RecordedEvents();
  const tenant = await startTenant({
    ...common,
    home: path.join(home, 'tenant/tenant'),
    config: tenantConfigSchema.parse({}),
    publish: tenantEvents.publish,
  });
  onTestFinished(() => tenant.stop(10_000));
  const untilEnded = async (sessionId: string): Promise<SessionDetail> => {
    const isEnd = ({ id, state }: { id: string; state: SessionDetail['state'] }): boolean =>
      id === sessionId && finalSessionStates.includes(state);
    await tenantEvents.waitFor(sessionsDomain, 'changed', isEnd, 60_000);
    return clientOf(sessionsDomain, tenant).show({ sessionId });
  };

  expect((await clientOf(tenantsDomain, provider).list({})).tenants).toMatchObject([{ name: 'demo' }]);
  expect((await clientOf(sessionsDomain, provider).list({})).sessions.map(({ kind }) => kind)).toEqual([
    'restore',
    'backup',
  ]);
  expect(await clientOf(repositoriesDomain, provider).verify({ isDeep: true })).toMatchObject({
    ok: true,
    damaged: [],
  });
  if ((await clientOf(gatewaysDomain, provider).list({})).gateways[0]?.state !== 'connected')
    await providerEvents.waitFor(gatewaysDomain, 'changed', ({ state }) => state === 'connected', 30_000);

  const trust = clientOf(trustDomain, tenant);
  expect((await trust.listPins({})).pins).toMatchObject([{ identity: 'demo-provider' }]);
  expect(await trust.journal({})).toMatchObject({ isIntact: true, entries: [{ action: 'accepted' }] });
  const { jobs } = await clientOf(jobsDomain, tenant).list({});
  expect(jobs).toMatchObject([{ name: 'demo', sourcePaths: [source], lastRun: { state: 'succeeded' } }]);

  const points = clientOf(pointsDomain, tenant);
  const [oldPoint] = (await points.list({})).points;
  expect(oldPoint).toMatchObject({ job: 'demo', files: 2 });
  const restored = path.join(folder, 'restored');
  const { sessionId } = await points.restore({ pointId: oldPoint?.id ?? '', destination: restored, paths: [] });
  expect(await untilEnded(sessionId)).toMatchObject({ state: 'succeeded', error: null });
  expectRestored(restored);

  const run = await clientOf(jobsDomain, tenant).run({ jobId: jobs[0]?.id ?? '' });
  const backup = await untilEnded(run.sessionId);
  expect(backup).toMatchObject({ state: 'succeeded', error: null });
  // Its blocks equal those that the earlier version stored, so they are not sent again.
  expect(backup.progress.transferredBytes).toBeLessThan(1000);
  expect((await points.list({})).points).toHaveLength(2);
}, 180_000);
