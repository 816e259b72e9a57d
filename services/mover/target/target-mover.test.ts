// Tests one attempt at the provider without processes, sockets and disks: tickets, Key B, streams, durable blocks, quota, commit, abort,
// changed bytes.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockIdOf, type StoredBlock } from '../../blocks/block.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import { describeManifest } from '../../repository/points/manifest-chain.ts';
import { ManifestEncoder } from '../../repository/points/manifest.ts';
import { encodePointRoot } from '../../repository/points/point-root.ts';
import { folderLocation } from '../../repository/storage/repository-location.ts';
import type { TenantPlace } from '../../repository/store/tenant-place.ts';
import { TenantStore } from '../../repository/store/tenant-store.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { MemorySocket } from '../../testing/memory-socket.ts';
import { makeMemoryPlace } from '../../testing/repository/memory-place.ts';
import { entryOf, rootOf } from '../../testing/repository/repository-fixture.ts';
import type { DataListenerOptions } from '../../transport/data-listener.ts';
import type { DataMessage } from '../../wire/messages.ts';
import { TunnelClient } from '../../wire/tunnel.ts';
import { DataConnection } from '../link/data-connection.ts';
import type { MoverEvent } from '../link/local-link.ts';
import { TargetMover } from './target-mover.ts';

const pointId = 'a'.repeat(32);
const sessionId = 'b'.repeat(32);

/** Runs all pending work that waits for no timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

function blockOf(content: Buffer): StoredBlock {
  return { id: blockIdOf(content), encoding: 'raw', contentLength: content.length, stored: content };
}

/** The tenant's side of a data stream. */
class SourceStream {
  readonly received: DataMessage[] = [];
  readonly connection: DataConnection;
  closed: { readonly error: FarkeepError | undefined } | undefined;

  constructor(socket: MemorySocket, keyB: Secret, streamIndex: number) {
    this.connection = new DataConnection(
      socket.asDataSocket(),
      { side: 'client', keyB, sessionId, attempt: 1, streamIndex },
      {
        onOpen: () => undefined,
        onMessage: (message) => {
          this.received.push(message);
        },
        onPeerEnd: () => undefined,
        onClose: (error) => {
          this.closed = { error };
        },
      },
    );
  }

  async say(message: DataMessage): Promise<DataMessage[]> {
    await this.connection.send(message);
    await settled();
    return this.received.splice(0);
  }
}

class Site {
  readonly clock = new ManualClock(1_000_000);
  readonly events: MoverEvent[] = [];
  readonly tickets = { tunnel: randomBytes(32), streams: [randomBytes(32), randomBytes(32)] };
  readonly keyA = Secret.random();
  readonly keyB = Secret.random();
  readonly mover: TargetMover;
  readonly ended: Promise<FarkeepError | undefined>;
  readonly #operation: 'backup' | 'restore';
  #onConnection: DataListenerOptions['onConnection'] = () => undefined;

  constructor(place: TenantPlace, operation: 'backup' | 'restore' = 'backup', quotaBytes = -1) {
    this.#operation = operation;
    this.mover = new TargetMover(
      {
        type: 'start',
        side: 'target',
        sessionId,
        attempt: 1,
        keyA: Buffer.from(this.keyA.bytes),
        operation,
        location: folderLocation('/nowhere'),
        quotaBytes,
        pointId,
        job: { id: 'job', name: 'Job' },
        listenHost: '127.0.0.1',
        tickets: this.tickets,
      },
      (event) => this.events.push(event),
      silentLogger,
      {
        place,
        clock: this.clock,
        listen: ({ onConnection }) => {
          this.#onConnection = onConnection;
          return Promise.resolve({ port: 7, close: () => Promise.resolve() });
        },
      },
    );
    this.ended = this.mover.run().then(
      () => undefined,
      (error: unknown) => error as FarkeepError,
    );
  }

  /** Makes a connection with this ticket, as the gateway would pass it on. @returns the tenant's end and the mover's end */
  connect(kind: 'tunnel' | 'data', ticket: Buffer): [MemorySocket, MemorySocket] {
    const [mine, theirs] = MemorySocket.pair();
    this.#onConnection({ kind, ticket, socket: theirs.asDataSocket(), firstBytes: Buffer.alloc(0) });
    return [mine, theirs];
  }

  async deliverKeyB(): Promise<void> {
    const [socket] = this.connect('tunnel', this.tickets.tunnel);
    const tunnel = new TunnelClient({ keyA: this.keyA, keyB: this.keyB, sessionId, attempt: 1 });
    socket.start({
      onChunk: (chunk) => {
        const step = tunnel.push(chunk);
        if (step.send !== undefined) socket.write(step.send);
        if (step.done !== undefined) socket.end();
        return true;
      },
      onEnd: () => {
        socket.end();
      },
    });
    socket.write(tunnel.start());
    await settled();
  }

  /** @returns the stream, the mover's end, and the target's answer to the opening */
  async open(streamIndex: number): Promise<{ stream: SourceStream; theirs: MemorySocket; answer: DataMessage[] }> {
    const [mine, theirs] = this.connect('data', this.tickets.streams[streamIndex] ?? randomBytes(32));
    const stream = new SourceStream(mine, this.keyB, streamIndex);
    await settled();
    const operation = this.#operation;
    const root = Buffer.alloc(0);
    const answer = await stream.say({
      type: 'open',
      protocol: 1,
      operation,
      streamIndex,
      streamCount: 2,
      pointId,
      root,
    });
    return { stream, theirs, answer };
  }

  async ready(): Promise<[SourceStream, SourceStream]> {
    await settled();
    await this.deliverKeyB();
    return [(await this.open(0)).stream, (await this.open(1)).stream];
  }
}

/** Returns a restore point of one file: its blocks and its root. */
function pointOf(content: Buffer): { blocks: StoredBlock[]; root: Buffer } {
  const file = blockOf(content);
  const encoder = new ManifestEncoder();
  const reference = { id: file.id, lengthBytes: content.length };
  encoder.add({ type: 'entry', entry: entryOf('folder', '') });
  encoder.add({ type: 'entry', entry: entryOf('file', 'f', { sizeBytes: content.length, content: [reference] }) });
  const piece = encoder.finish();
  const block = blockOf(piece);
  const { manifest } = describeManifest([{ id: block.id, lengthBytes: piece.length }], blockIdOf);
  const root = encodePointRoot(rootOf(pointId, { manifest, totals: encoder.totals }));
  return { blocks: [file, block], root };
}

const ofType = (events: readonly MoverEvent[], type: MoverEvent['type']): MoverEvent[] =>
  events.filter((event) => event.type === type);

describe('an attempt at the target', () => {
  let place: TenantPlace;
  let site: Site;

  beforeEach(() => {
    place = makeMemoryPlace();
    site = new Site(place);
  });

  afterEach(async () => {
    site.mover.abort(new FarkeepError('call.canceled', 'The test is over'));
    await site.clock.advance(10_000);
    await site.ended;
    expect(site.clock.timerCount).toBe(0);
    // After any end, the mover must not hold a lease on the tenant's place.
    expect(await place.leases.hasOtherLiving(await place.leases.take())).toBe(false);
  });

  it('stores a backup, reports durable blocks on the stream that sent them, and commits the restore point', async () => {
    const [first, second] = await site.ready();
    expect(ofType(site.events, 'streams-open')).toHaveLength(1);
    const { blocks, root } = pointOf(randomBytes(5000));
    const [file, manifest] = blocks as [StoredBlock, StoredBlock];
    expect(await first.say({ type: 'offer', offerId: 1, ids: [file.id] })).toMatchObject([
      { type: 'want', wanted: [true] },
    ]);
    expect(await first.say({ type: 'block', blocks: [file] })).toEqual([]);
    // The other stream offers a block that was received but is not durable yet: the target does not ask for it, and reports nothing yet.
    expect(await second.say({ type: 'offer', offerId: 1, ids: [file.id] })).toMatchObject([
      { type: 'want', wanted: [false] },
    ]);
    await site.clock.advance(5_000);
    await settled();
    expect(first.received.splice(0)).toMatchObject([{ type: 'durable', ids: [file.id] }]);
    expect(second.received.splice(0)).toMatchObject([{ type: 'durable', ids: [file.id] }]);
    // The commit may arrive before the last block.
    expect(await first.say({ type: 'commit', blockCount: 2, root })).toEqual([]);
    await second.say({ type: 'block', blocks: [manifest] });
    expect(first.received).toMatchObject([{ type: 'committed', pointId, newBlocks: 2 }]);
    for (const stream of [first, second]) stream.connection.end();
    expect(await site.ended).toBeUndefined();
    expect(ofType(site.events, 'committed')).toMatchObject([{ pointId, newBlocks: 2 }]);
    await using store = await TenantStore.open({ place, mode: 'read', logger: silentLogger });
    expect(await store.listPoints()).toMatchObject([{ pointId, problem: undefined }]);
  });

  it('sends stored blocks, and reports missing ones', async () => {
    const content = randomBytes(3000);
    const { blocks, root } = pointOf(content);
    {
      await using store = await TenantStore.open({ place, mode: 'write', logger: silentLogger });
      await store.append(blocks);
      await store.commitPoint({ pointId, root });
    }
    const restore = new Site(place, 'restore');
    await settled();
    await restore.deliverKeyB();
    const { stream, answer } = await restore.open(0);
    expect(answer).toMatchObject([{ type: 'open', root }]);
    const { stream: other } = await restore.open(1);
    const unknown = randomBytes(32);
    const given = await stream.say({ type: 'read', ids: [unknown, blockIdOf(content)] });
    expect(given).toMatchObject([
      { type: 'data', blocks: [{ id: blockIdOf(content), stored: content }] },
      { type: 'error', code: 'storage.damaged', ids: [unknown] },
    ]);
    for (const each of [stream, other]) each.connection.end();
    expect(await restore.ended).toBeUndefined();
  });

  it('drops a connection with an unknown or used ticket, and continues', async () => {
    await settled();
    const [stranger] = site.connect('data', randomBytes(32));
    let isDropped = false;
    stranger.start({ onChunk: () => true, onClose: () => (isDropped = true) });
    await site.deliverKeyB();
    expect(isDropped).toBe(true);
    const { stream } = await site.open(0);
    isDropped = false;
    const [again] = site.connect('data', site.tickets.streams[0] ?? randomBytes(32));
    again.start({ onChunk: () => true, onClose: () => (isDropped = true) });
    await settled();
    expect(isDropped).toBe(true);
    expect(await stream.say({ type: 'offer', offerId: 9, ids: [] })).toMatchObject([{ type: 'want', offerId: 9 }]);
  });

  it('ends when a connection does not come while its ticket is valid', async () => {
    await settled();
    await site.deliverKeyB();
    await site.open(0);
    await site.clock.advance(61_500);
    expect(await site.ended).toMatchObject({ code: 'connection.lost' });
  });

  it('ends when a data stream comes before Key B', async () => {
    await settled();
    site.connect('data', site.tickets.streams[0] ?? randomBytes(32));
    expect(await site.ended).toMatchObject({ code: 'protocol.malformed' });
  });

  it('ends when a stream sends nothing after its ticket', async () => {
    await settled();
    await site.deliverKeyB();
    site.connect('data', site.tickets.streams[0] ?? randomBytes(32));
    await site.clock.advance(20_500);
    expect(await site.ended).toMatchObject({
      code: 'connection.lost',
      message: expect.stringContaining('in time') as string,
    });
  });

  it('reports a changed byte in a stream as tampering, and commits no restore point', async () => {
    await settled();
    await site.deliverKeyB();
    const { stream, theirs } = await site.open(0);
    theirs.change = (chunk) => {
      const changed = Buffer.from(chunk);
      changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
      return changed;
    };
    await stream.say({ type: 'block', blocks: [blockOf(randomBytes(100))] });
    expect(await site.ended).toMatchObject({ code: 'security.tampered', details: { stream: 0 } });
    expect(await place.storage.list('points')).toEqual([]);
  });

  it('sends the reason of an abort to the source, waits until the source has read it, and commits nothing', async () => {
    const [first] = await site.ready();
    site.mover.abort(new FarkeepError('call.canceled', 'The provider stops the session'));
    await settled();
    expect(first.received).toMatchObject([{ type: 'abort', code: 'call.canceled' }]);
    await site.clock.advance(3_000);
    expect(await site.ended).toMatchObject({ code: 'call.canceled' });
    expect(await place.storage.list('points')).toEqual([]);
  });

  it('ends when the source ends its streams without a commit', async () => {
    const streams = await site.ready();
    for (const stream of streams) stream.connection.end();
    expect(await site.ended).toMatchObject({ code: 'point.incomplete' });
  });
});

it('reports a used-up quota to the source, and keeps the blocks that were stored before', async () => {
  const place = makeMemoryPlace();
  const site = new Site(place, 'backup', 20_000);
  const [first] = await site.ready();
  const stored = blockOf(randomBytes(5000));
  await first.say({ type: 'block', blocks: [stored] });
  expect(await first.say({ type: 'block', blocks: [blockOf(randomBytes(50_000))] })).toMatchObject([
    { type: 'error', code: 'quota.exceeded' },
  ]);
  await site.clock.advance(3_000);
  expect(await site.ended).toMatchObject({ code: 'quota.exceeded' });
  await using store = await TenantStore.open({ place, mode: 'read', logger: silentLogger });
  expect(store.locate([stored.id])).toEqual(['stored']);
});
