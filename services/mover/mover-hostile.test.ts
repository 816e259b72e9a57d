// Tests attacks of a gateway that changes bytes, broken connections and killed processes on a session between two real data movers: the
// session ends with the right error and never leaves an incomplete restore point.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMoverProcess } from './link/mover-process.ts';
import { silentLogger } from '../kernel/logger.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { TenantStore } from '../repository/store/tenant-store.ts';
import { connectData } from '../transport/data-socket.ts';
import { startMoverHere } from '../testing/site/mover-here.ts';
import { killMover, runMoverSession } from '../testing/site/mover-session.ts';
import type {
  MoverSessionOptions,
  MoverSessionResult,
  RelayHook,
  RelayedBytes,
} from '../testing/site/mover-session.ts';
import { openFolderPlace } from '../repository/folder/folder-place.ts';

let folder: string;
let source: string;
const tenantFolder = (): string => path.join(folder, 'tenant');

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-hostile-'));
  source = path.join(folder, 'source');
  mkdirSync(source);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const newId = (): string => randomBytes(16).toString('hex');

function backup(more: Partial<MoverSessionOptions> = {}, pointId = newId()): Promise<MoverSessionResult> {
  return runMoverSession({
    tenantFolder: tenantFolder(),
    startMover: startMoverHere,
    streams: 1,
    operation: {
      kind: 'backup',
      sourcePaths: [source],
      excludes: [],
      jobId: '0b'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath: path.join(folder, `${pointId}.sqlite`),
    },
    ...more,
  });
}

async function points(): Promise<string[]> {
  await using store = await TenantStore.open({
    place: openFolderPlace(tenantFolder()),
    mode: 'read',
    logger: silentLogger,
  });
  return (await store.listPoints()).map((point) => point.pointId);
}

/** Flips the byte at `offset` of one direction of one connection. */
function flip(connection: number, direction: RelayedBytes['direction'], offset: number): RelayHook {
  return (chunk, where) => {
    const at = offset - where.offset;
    if (where.connection !== connection || where.direction !== direction || at < 0 || at >= chunk.length) return chunk;
    const changed = Buffer.from(chunk);
    changed[at] = (changed[at] ?? 0) ^ 0x41;
    return changed;
  };
}

const preamble = 40;
const nonce = 32;
/** Offsets of the fields in the first record of a direction. */
const fields = { type: 0, flags: 1, reserved: 3, length: 7, sequence: 15, body: 16 };

describe('a changed byte', () => {
  it.each([
    ['the delivery of Key B: header', flip(0, 'up', preamble + nonce + fields.type)],
    ['the delivery of Key B: body', flip(0, 'up', preamble + nonce + fields.body)],
    ['the proof', flip(0, 'down', nonce + fields.body)],
    ["the target's nonce", flip(0, 'down', 5)],
  ])('in the tunnel ends the session before any data: %s', async (_where, relayHook) => {
    const result = await backup({ relayHook });
    const isSeenBySource =
      result.tunnelError instanceof FarkeepError && result.tunnelError.code.startsWith('security.');
    const isSeenByTarget = result.target.kind === 'failed' && result.target.isTampered;
    expect(isSeenBySource || isSeenByTarget).toBe(true);
    expect(result.source).toBeUndefined();
    expect(result.sourceEvents).toEqual([]);
    expect(await points()).toEqual([]);
  });

  it.each([
    ['nonce', flip(1, 'up', preamble + 3)],
    ['type', flip(1, 'up', preamble + nonce + fields.type)],
    ['flags', flip(1, 'up', preamble + nonce + fields.flags)],
    ['reserved', flip(1, 'up', preamble + nonce + fields.reserved)],
    ['length', flip(1, 'up', preamble + nonce + fields.length)],
    ['sequence', flip(1, 'up', preamble + nonce + fields.sequence)],
    ['body', flip(1, 'up', preamble + nonce + fields.body)],
    ['a block in full flow', flip(1, 'up', 1_500_000)],
  ])('in a data stream is detected by the target: %s', async (_where, relayHook) => {
    writeFileSync(path.join(source, 'file'), randomBytes(3_000_000));
    const result = await backup({ relayHook });
    expect(result.target).toMatchObject({
      kind: 'failed',
      isTampered: true,
      error: { code: 'security.tampered', details: { stream: 0 } },
    });
    expect(result.source?.kind).toBe('failed');
    expect(await points()).toEqual([]);
  });

  it('in an answer of the target is detected by the source', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(100_000));
    const result = await backup({ relayHook: flip(1, 'down', nonce + fields.body + 2) });
    expect(result.source).toMatchObject({ kind: 'failed', isTampered: true, error: { code: 'security.tampered' } });
    expect(result.target.kind).toBe('failed');
    expect(await points()).toEqual([]);
  });

  it('cannot be hidden by a source that uses another Key B', async () => {
    const result = await backup({ sourceKeyB: randomBytes(32) });
    expect(result.target).toMatchObject({ kind: 'failed', isTampered: true });
    expect(await points()).toEqual([]);
  });
});

describe('a broken connection', () => {
  /** Cuts all data streams when one of them has carried `bytes` from source to target. */
  const cutAfter =
    (bytes: number): RelayHook =>
    (chunk, { connection, direction, offset }) =>
      connection > 0 && direction === 'up' && offset + chunk.length > bytes ? undefined : chunk;

  it('is distinguished from an end, and durable blocks are not sent again', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(30_000_000));
    const [pointId, sessionId] = [newId(), newId()];
    const first = await backup({ relayHook: cutAfter(15_000_000), sessionId }, pointId);
    expect(first.source).toMatchObject({
      kind: 'failed',
      isTampered: false,
      error: { code: 'connection.lost', retryable: true },
    });
    expect(first.target).toMatchObject({ kind: 'failed', isTampered: false, error: { code: 'connection.lost' } });
    expect(await points()).toEqual([]);
    const second = await backup({ sessionId, attempt: 2 }, pointId);
    expect(second.source).toEqual({ kind: 'finished' });
    const done = second.sourceEvents.find((event) => event.type === 'finished');
    const sentBytes = done?.type === 'finished' && 'warningCount' in done ? done.totals.transferredBytes : 0;
    expect(sentBytes).toBeGreaterThan(0);
    // 15 MB were passed on. A cut loses the bytes that the target has not read yet, which can be several MB on a busy machine.
    expect(sentBytes).toBeLessThan(26_000_000);
    expect(await points()).toEqual([pointId]);
  });

  it('leaves no incomplete data when the target is killed, and the next attempt succeeds', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(20_000_000));
    const pointId = newId();
    let received = 0;
    const first = await backup(
      {
        startMover: startMoverProcess,
        onTarget: (event, mover) => {
          if (event.type === 'progress' && 'receivedBytes' in event.totals) received = event.totals.receivedBytes;
          if (received > 1_000_000) killMover(mover);
        },
        // Slow enough that the kill happens during the transfer.
        relayHook: (chunk) => chunk,
      },
      pointId,
    );
    expect(first.target).toMatchObject({ kind: 'crashed', signal: 'SIGKILL', error: { code: 'session.mover-died' } });
    expect(first.source).toMatchObject({ kind: 'failed', error: { code: 'connection.lost', retryable: true } });
    const second = await backup({ attempt: 2 }, pointId);
    expect(second.source).toEqual({ kind: 'finished' });
    expect(await points()).toEqual([pointId]);
  });

  it('ends the target cleanly when the source is killed', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(20_000_000));
    const result = await backup({
      startMover: startMoverProcess,
      onSource: (event, mover) => {
        if (event.type === 'streams-open') killMover(mover);
      },
    });
    expect(result.source).toMatchObject({ kind: 'crashed', signal: 'SIGKILL' });
    expect(result.target).toMatchObject({ kind: 'failed', isTampered: false, error: { code: 'connection.lost' } });
    expect(await points()).toEqual([]);
  });
});

describe('a session that is ended on purpose', () => {
  it('is reported by the source to the target', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(20_000_000));
    const result = await backup({
      onSource: (event, mover) => {
        if (event.type === 'streams-open') mover.abort();
      },
    });
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'call.canceled' } });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'call.canceled' } });
    expect(await points()).toEqual([]);
  });

  it('is reported by the target to the source', async () => {
    writeFileSync(path.join(source, 'file'), randomBytes(20_000_000));
    const reason = new FarkeepError('login.disabled', 'The account was disabled').toInfo();
    const result = await backup({
      onTarget: (event, mover) => {
        if (event.type === 'streams-open') mover.abort(reason);
      },
    });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'login.disabled' } });
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'login.disabled' } });
  });
});

describe('tickets', () => {
  it('open one connection each, of their own kind; connections with an unknown ticket do not disturb the session', async () => {
    writeFileSync(path.join(source, 'file'), 'content');
    let dropped = 0;
    const strangers: Promise<void>[] = [];
    const knock = async (port: number, kind: 'tunnel' | 'data', ticket: Buffer): Promise<void> => {
      const socket = await connectData({ host: '127.0.0.1', port, kind, ticket });
      await new Promise<void>((resolve) => {
        socket.start({
          onChunk: () => true,
          onEnd: () => {
            socket.end();
          },
          onClose: () => {
            dropped += 1;
            resolve();
          },
        });
      });
    };
    let port = 0;
    let usedTicket: Buffer | undefined;
    const result = await backup({
      relayHook: (chunk, { connection, direction, offset }) => {
        if (connection === 0 && direction === 'up' && offset === 0) usedTicket = Buffer.from(chunk.subarray(8, 40));
        return chunk;
      },
      onTarget: (event) => {
        if (event.type === 'listening') port = event.port;
        if (event.type === 'key-b-received') {
          strangers.push(knock(port, 'tunnel', randomBytes(32)), knock(port, 'data', randomBytes(32)));
          if (usedTicket !== undefined)
            strangers.push(knock(port, 'tunnel', usedTicket), knock(port, 'data', usedTicket));
        }
      },
    });
    await Promise.all(strangers);
    expect(dropped).toBe(4);
    expect(result.source).toEqual({ kind: 'finished' });
    expect(result.target).toEqual({ kind: 'finished' });
  });
});

describe('damaged blocks at the provider', () => {
  it('are reported in a restore, file by file, and all other files are restored', async () => {
    for (const name of ['a', 'b']) writeFileSync(path.join(source, name), randomBytes(600_000));
    const pointId = newId();
    expect((await backup({}, pointId)).source).toEqual({ kind: 'finished' });
    const content = readFileSync(path.join(source, 'a'));
    const packs = path.join(tenantFolder(), 'packs');
    let damaged = 0;
    for (const name of readdirSync(packs, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.pack')) continue;
      const pack = readFileSync(path.join(packs, name));
      const at = pack.indexOf(content.subarray(100, 200));
      if (at === -1) continue;
      pack[at] = (pack[at] ?? 0) ^ 1;
      writeFileSync(path.join(packs, name), pack);
      damaged += 1;
    }
    expect(damaged).toBe(1);
    const out = path.join(folder, 'out');
    const result = await runMoverSession({
      tenantFolder: tenantFolder(),
      startMover: startMoverHere,
      operation: { kind: 'restore', pointId, paths: [], destination: out, overwrite: 'always' },
    });
    expect(result.source).toEqual({ kind: 'finished' });
    const warnings = result.sourceEvents.flatMap((event) => (event.type === 'warning' ? [event.warning] : []));
    expect(warnings).toMatchObject([
      { code: 'storage.damaged', path: 'a', message: expect.stringContaining('.pack') as string },
    ]);
    const end = result.sourceEvents.find((event) => event.type === 'finished');
    expect(end).toMatchObject({
      failure: { code: 'restore.mismatch', message: expect.stringContaining('1 of 2') as string },
      totals: { restored: { files: 1, bytes: 600_000, skipped: 0, failed: 1 } },
    });
    expect(result.sourceEvents.filter((event) => event.type === 'object' && event.state === 'failed')).toMatchObject([
      { name: 'a' },
    ]);
    expect(readFileSync(path.join(out, 'b')).equals(readFileSync(path.join(source, 'b')))).toBe(true);
  });
});
