// A ticket is valid for 60 s and for one connection. A late or repeated one is refused, both sides report it, and the session succeeds with
// new tickets.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { gatewayConfigSchema } from '../../gateway/config.ts';
import { startGateway } from '../../gateway/service.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { Stack } from '../../testing/site/stack.ts';
import { preambleBytes, TamperingProxy } from '../../testing/hostile/tampering-proxy.ts';

let folder: string;
let stack: Stack;
let proxy: TamperingProxy;
let gatewayOffsetMs = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'farkeep-late-'));
  stack = await Stack.start({ folder, gateways: 0 });
  const home = path.join(folder, 'gateway');
  await mkdir(home);
  const gateway = await startGateway({
    home,
    config: gatewayConfigSchema.parse({ name: 'slow', listen: [{ host: '127.0.0.1', port: 0 }] }),
    logger: silentLogger,
    clock: { ...systemClock, now: () => Date.now() + gatewayOffsetMs },
    version: 'test',
  });
  stack.gateways.push(gateway);
  const [real] = gateway.addresses;
  proxy = await TamperingProxy.start(real ?? { host: '', port: 0 });
  const address = { host: '127.0.0.1', port: proxy.port };
  stack.gatewayAddresses.push(address);
  const { token } = await stack.provider
    .domain(gatewaysDomain)
    .createEnrollToken({ name: 'slow', addresses: [address] });
  await gateway.enroll({ token, replace: false });
  await stack.provider.events.waitFor(gatewaysDomain, 'changed', ({ state }) => state === 'connected');
}, 60_000);

afterAll(async () => {
  await stack.stop();
  await proxy.close();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

/** Both admins can read why and where the first attempt failed. */
async function expectToldOnBothSides(session: SessionDetail): Promise<void> {
  for (const side of [session, await stack.untilEndedAtProvider(session.id)]) {
    const failed = side.steps.find(({ attempt, outcome }) => attempt === 1 && outcome === 'failed');
    const texts = [failed?.detail, ...side.actions.map(({ text }) => text)];
    const reason = 'it is unknown, was used already, or is older than a minute';
    expect(texts.filter((text) => text?.includes(reason) === true).length, JSON.stringify(texts)).toBeGreaterThan(1);
  }
}

for (const kind of ['tunnel', 'data'] as const) {
  it(`is refused with a ticket for the ${kind} that is a minute old`, async () => {
    const source = path.join(folder, `source-${kind}`);
    await mkdir(source);
    await writeFile(path.join(source, 'a.txt'), kind);
    const { providers } = await stack.tenant.domain(serviceProvidersDomain).list({});
    const { id } = providers[0] ?? (await stack.addProvider());
    const jobId = await stack.addJob(id, source, { name: `job ${kind}` });
    let isLate = false;
    proxy.interfere = (traffic) => {
      if (isLate || traffic.kind !== kind || traffic.direction !== 'to-gateway') return undefined;
      isLate = true;
      gatewayOffsetMs += 61_000;
      return undefined;
    };
    const session = await stack.runJob(jobId);
    expect(isLate).toBe(true);
    expect(session, JSON.stringify(session.actions)).toMatchObject({
      error: null,
      state: 'succeeded',
      attempt: 2,
      hasSecurityWarning: false,
    });
    const failed = session.steps.find(({ attempt, outcome }) => attempt === 1 && outcome === 'failed');
    expect(failed?.step).toBe(kind === 'tunnel' ? 'tunnel-opened' : 'streams-open');
    await expectToldOnBothSides(session);
  }, 40_000);
}

it('is refused with a ticket for the data that was used already', async () => {
  const source = path.join(folder, 'source-twice');
  await mkdir(source);
  await writeFile(path.join(source, 'a.txt'), 'twice');
  const { providers } = await stack.tenant.domain(serviceProvidersDomain).list({});
  const { id } = providers[0] ?? (await stack.addProvider());
  const jobId = await stack.addJob(id, source, { name: 'job twice' });
  let used: Buffer | undefined;
  let isTwice = false;
  proxy.interfere = ({ kind, direction, offset }, chunk) => {
    if (kind !== 'data' || direction !== 'to-gateway' || offset !== 0 || isTwice) return undefined;
    if (used === undefined) {
      used = Buffer.from(chunk.subarray(0, preambleBytes));
      return undefined;
    }
    isTwice = true;
    return Buffer.concat([used, chunk.subarray(preambleBytes)]);
  };
  const session = await stack.runJob(jobId);
  expect(isTwice).toBe(true);
  expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2, hasSecurityWarning: false });
  await expectToldOnBothSides(session);
}, 40_000);
