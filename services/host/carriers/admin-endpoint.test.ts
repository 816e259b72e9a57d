import { mkdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CallError } from '../../contracts/client.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { countSubscribers, type CountedHub } from '../../testing/counted-hub.ts';
import { createSampleHandlers, sampleDomain } from '../../testing/sample-domain.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { connectAdmin, type AdminClient } from './admin-client.ts';
import { startAdminEndpoint, type AdminEndpoint } from './admin-endpoint.ts';
import { createDispatcher, serveDomain } from './dispatcher.ts';
import { createEventHub } from './event-hub.ts';

interface Fixture {
  home: string;
  roleFolder: string;
  endpoint: AdminEndpoint;
  events: CountedHub;
  onStopRequested: ReturnType<typeof vi.fn<(deadlineMs: number) => void>>;
  connectClient: () => Promise<AdminClient>;
}

async function startFixture({
  home,
  onWaiting = () => undefined,
}: { home?: string; onWaiting?: () => void } = {}): Promise<Fixture> {
  const root = home ?? (await makeTemporaryFolder());
  const roleFolder = path.join(root, 'provider');
  await mkdir(roleFolder, { recursive: true, mode: 0o700 });
  const events = countSubscribers(createEventHub({ logger: silentLogger }));
  const onStopRequested = vi.fn<(deadlineMs: number) => void>();
  const endpoint = await startAdminEndpoint({
    roleFolder,
    events,
    logger: silentLogger,
    onStopRequested,
    dispatcher: createDispatcher({
      domains: [serveDomain(sampleDomain, createSampleHandlers({ onWaiting }))],
      logger: silentLogger,
      clock: systemClock,
    }),
  });
  onTestFinished(() => endpoint.close());
  return {
    home: root,
    roleFolder,
    endpoint,
    events,
    onStopRequested,
    async connectClient() {
      const client = await connectAdmin({ home: root, role: 'provider' });
      onTestFinished(() => client.close());
      return client;
    },
  };
}

/** Writes to the socket without the client. Resolves with the received data when the other side closes the connection. */
function speak(address: string, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
    );
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

describe.skipIf(process.platform === 'win32')('local socket', () => {
  it('can be used by this account only', async () => {
    const { endpoint, roleFolder } = await startFixture();
    expect((await stat(endpoint.address)).mode & 0o777).toBe(0o600);
    expect((await stat(roleFolder)).mode & 0o777).toBe(0o700);
  });

  it('carries calls with results and typed errors', async () => {
    const client = await (await startFixture()).connectClient();
    const sample = client.domain(sampleDomain);
    expect(await sample.add({ left: 2, right: 3 })).toEqual({ sum: 5 });
    const failure = await sample.refuse({}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CallError);
    expect((failure as CallError).info).toMatchObject({ code: 'call.conflict', field: 'name' });
  });

  it('keeps simultaneous calls separate', async () => {
    const client = await (await startFixture()).connectClient();
    const sums = await Promise.all(
      Array.from({ length: 200 }, (_, left) => client.domain(sampleDomain).add({ left, right: 1 })),
    );
    expect(sums.map(({ sum }) => sum)).toEqual(Array.from({ length: 200 }, (_, left) => left + 1));
  });

  it('refuses calls above the limit of simultaneous calls, and answers each call', async () => {
    const client = await (await startFixture()).connectClient();
    const controller = new AbortController();
    const waiting = Array.from({ length: 256 }, () => client.call('sample', 'wait', {}, { signal: controller.signal }));
    const refused = await client.call('sample', 'add', { left: 1 });
    expect(refused).toMatchObject({ ok: false, error: { code: 'connection.refused-limit' } });
    controller.abort();
    for (const result of await Promise.all(waiting))
      expect(result).toMatchObject({ ok: false, error: { code: 'call.canceled' } });
    expect(await client.call('sample', 'add', { left: 1 })).toMatchObject({ ok: true });
  });

  it('cancels one call', async () => {
    const controller = new AbortController();
    const client = await (await startFixture({ onWaiting: () => controller.abort() })).connectClient();
    const result = await client.call('sample', 'wait', {}, { signal: controller.signal });
    expect(result).toMatchObject({ ok: false, error: { code: 'call.canceled' } });
  });

  it('cancels the calls of a client that disconnects', async () => {
    const waiting = Promise.withResolvers<undefined>();
    const fixture = await startFixture({ onWaiting: () => waiting.resolve(undefined) });
    const client = await fixture.connectClient();
    client.subscribe(() => undefined);
    const result = client.call('sample', 'wait', {});
    await waiting.promise;
    expect(fixture.events.subscriberCount()).toBe(1);
    client.close();
    expect(await result).toMatchObject({ ok: false, error: { code: 'connection.lost' } });
    await vi.waitFor(() => expect(fixture.events.subscriberCount()).toBe(0));
  });

  it('sends events to subscribers, in order and without gaps', async () => {
    const { connectClient, events } = await startFixture();
    const [watching, calling] = [await connectClient(), await connectClient()];
    const sequences: number[] = [];
    const last = Promise.withResolvers<undefined>();
    watching.subscribe(({ sequence }) => {
      sequences.push(sequence);
      if (sequence === 500) last.resolve(undefined);
    });
    // An answer to a call sent after "subscribe" proves that the subscription is active.
    await watching.call('sample', 'add', { left: 1 });
    expect(events.subscriberCount()).toBe(1);
    for (let count = 1; count <= 500; count += 1) events.publish(sampleDomain, 'counted', { count });
    await last.promise;
    expect(sequences).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    await calling.call('sample', 'add', { left: 1 });
  });

  it('disconnects a subscriber that does not read, and serves the others', async () => {
    const { endpoint, events, connectClient } = await startFixture();
    const deaf = connect(endpoint.address);
    onTestFinished(() => void deaf.destroy());
    const hungUp = new Promise<void>((resolve) => deaf.once('close', () => resolve()));
    deaf.on('error', () => undefined);
    deaf.pause();
    deaf.write('{"kind":"subscribe"}\n');
    await vi.waitFor(() => expect(events.subscriberCount()).toBe(1));
    const client = await connectClient();
    for (let round = 0; round < 400 && events.subscriberCount() > 0; round += 1) {
      for (let count = 0; count < 2_000; count += 1) events.publish(sampleDomain, 'counted', { count });
      await client.call('sample', 'add', { left: 1 });
    }
    expect(events.subscriberCount()).toBe(0);
    deaf.resume();
    await hungUp;
    expect(await client.call('sample', 'add', { left: 1 })).toMatchObject({ ok: true });
  });

  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['a document that is not a message', '{"hello":1}\n'],
    ['a name with a dot', '{"kind":"cancel","id":7}\n'],
    ['zeros', Buffer.alloc(100, 0).fill('\n', 99)],
    ['a line without an end', Buffer.alloc(9 * 1024 * 1024, 0x61)],
  ])('disconnects after %s', async (_name, bytes) => {
    const { endpoint, connectClient } = await startFixture();
    expect(await speak(endpoint.address, bytes)).toBe('');
    const client = await connectClient();
    expect(await client.call('sample', 'add', { left: 1 })).toMatchObject({ ok: true });
  });

  it('answers a call of another version instead of disconnecting', async () => {
    const { endpoint } = await startFixture();
    const socket = connect(endpoint.address);
    onTestFinished(() => void socket.destroy());
    const answer = new Promise<string>((resolve) => socket.setEncoding('utf8').once('data', resolve));
    socket.write('{"kind":"call","id":"1","domain":"a b","command":"x"}\n');
    expect(JSON.parse(await answer)).toMatchObject({ id: '1', result: { ok: false, error: { code: 'call.invalid' } } });
  });

  it('passes on a request to stop', async () => {
    const { endpoint, onStopRequested } = await startFixture();
    const socket = connect(endpoint.address);
    onTestFinished(() => void socket.destroy());
    socket.write('{"kind":"stop","deadlineMs":1234}\n');
    await vi.waitFor(() => expect(onStopRequested).toHaveBeenCalledWith(1_234));
  });

  it('carries answers of several MiB', async () => {
    const client = await (await startFixture()).connectClient();
    const { text } = await client.domain(sampleDomain).big({ sizeBytes: 5 * 1024 * 1024 });
    expect(text.length).toBe(5 * 1024 * 1024);
  });

  it('uses a folder that only this account can enter when the path of the home is too long for a socket', async () => {
    const home = path.join(await makeTemporaryFolder(), 'deep'.repeat(30));
    const { endpoint, roleFolder, connectClient } = await startFixture({ home });
    expect(Buffer.byteLength(endpoint.address)).toBeLessThanOrEqual(100);
    expect((await stat(path.dirname(endpoint.address))).mode & 0o777).toBe(0o700);
    expect((await readFile(path.join(roleFolder, 'admin.sock.path'), 'utf8')).trim()).toBe(endpoint.address);
    expect(await (await connectClient()).call('sample', 'add', { left: 1 })).toMatchObject({ ok: true });
    await endpoint.close();
    await expect(stat(path.dirname(endpoint.address))).rejects.toThrow('ENOENT');
  });

  it('replaces a socket that a killed service has left', async () => {
    const first = await startFixture();
    const second = await startFixture({ home: first.home });
    expect(second.endpoint.address).toBe(first.endpoint.address);
    expect(await (await second.connectClient()).call('sample', 'add', { left: 1 })).toMatchObject({ ok: true });
  });

  it('says which command starts a service that is not running', async () => {
    const home = await makeTemporaryFolder();
    await expect(connectAdmin({ home, role: 'provider' })).rejects.toMatchObject({
      code: 'service.not-running',
      hint: `Start it: farkeep serve provider --home ${home}`,
    });
  });
});
