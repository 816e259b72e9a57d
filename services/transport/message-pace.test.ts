// Unsolicited messages of a peer are read at a limited rate, without loss. Answers to own requests are not delayed.
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { TokenBucket } from '../kernel/token-bucket.ts';
import { makeSelfSigned, type FixtureIdentity } from '../testing/certificates/certificate-fixture.ts';
import { controlFixture } from '../testing/site/control-fixture.ts';
import type { ControlChannel } from './control-client.ts';
import type { ControlConnection } from './control-server.ts';

let identity: FixtureIdentity;
beforeAll(async () => {
  identity = await makeSelfSigned('provider');
});
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
const { startServer, connectTo } = controlFixture(undo, () => identity);

async function connect(): Promise<{ channel: ControlChannel; connection: ControlConnection; heard: number[] }> {
  const { server, next } = await startServer();
  const accepted = next();
  const channel = await connectTo(server.port);
  const connection = await accepted;
  connection.confirmLogin();
  const received: number[] = [];
  connection.peer.onNotify((_type, payload) => received.push(payload as number));
  connection.peer.onRequest((_type, payload) => Promise.resolve(payload));
  return { channel, connection, heard: received };
}

it('reads 1,000 messages at once and then 200 a second from a peer that sends 20,000', async () => {
  const { channel, heard } = await connect();
  const startedAt = performance.now();
  for (let count = 0; count < 20_000; count += 1) channel.peer.notify('report', count);
  // Without the limit all messages would arrive well before this time.
  const isHeard = vi.waitFor(() => expect(heard).toHaveLength(20_000), { timeout: 4_000 });
  await expect(isHeard).rejects.toThrow();
  expect(heard.length).toBeGreaterThan(1000);
  const seconds = (performance.now() - startedAt) / 1000;
  // Messages in the last read (64 KiB) are also delivered; later reads wait for them.
  expect(heard.length).toBeLessThan(1000 + 200 * seconds + 4000);
}, 20_000);

it('loses no message and keeps the order', async () => {
  const { channel, heard } = await connect();
  const sent = Array.from({ length: 1_300 }, (_each, index) => index);
  for (const count of sent) channel.peer.notify('report', count);
  await vi.waitFor(() => expect(heard).toEqual(sent), { timeout: 15_000 });
}, 20_000);

it('does not count answers to own requests, whatever their length is', async () => {
  const { channel, connection } = await connect();
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
  connection.peer.countInto(bucket);
  channel.peer.onRequest((_type, payload) => Promise.resolve(payload));
  const long = 'x'.repeat(100 * 1024);
  // If these answers counted as unsolicited, the first one would cost 51, and the next would wait for almost a minute.
  for (let each = 0; each < 5; each += 1) expect(await connection.peer.request('echo', long)).toBe(long);
});

it('counts several connections into one bucket', async () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 50 });
  const [first, second] = [await connect(), await connect()];
  for (const { connection } of [first, second]) connection.peer.countInto(bucket);
  const { channel, heard } = second;
  for (let count = 0; count < 60; count += 1) first.channel.peer.notify('report', count);
  await vi.waitFor(() => expect(first.heard).toHaveLength(60));
  // The shared bucket is empty: the other connection can send one message and then has to wait.
  channel.peer.notify('report', 0);
  await vi.waitFor(() => expect(heard).toEqual([0]));
  channel.peer.notify('report', 1);
  // A request after this message is not read either.
  await expect(channel.peer.request('echo', 1, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'call.timeout' });
  expect(heard).toEqual([0]);
});
