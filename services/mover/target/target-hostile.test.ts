// Tests a malicious tenant whose source breaks the protocol: its session must fail with the right error, and the memory of the target must
// stay bounded.
import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { blockIdOf, type StoredBlock } from '../../blocks/block.ts';
import { encodePointRoot } from '../../repository/points/point-root.ts';
import { TenantStore } from '../../repository/store/tenant-store.ts';
import { HostileSource, type HostileStream } from '../../testing/hostile/hostile-source.ts';
import { rootOf } from '../../testing/repository/repository-fixture.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { openFolderPlace } from '../../repository/folder/folder-place.ts';

const mebibyte = 2 ** 20;

function raw(content: Buffer): StoredBlock {
  return { id: blockIdOf(content), encoding: 'raw', contentLength: content.length, stored: content };
}

function rootNaming(pointId: string, level: 0 | 1, ids: readonly Buffer[], lengthBytes: number): Buffer {
  const blocks = ids.map((id) => ({ id: id.toString('hex'), lengthBytes }));
  return encodePointRoot(rootOf(pointId, { manifest: { level, blocks } }));
}

async function expectNoPoint(tenantFolder: string): Promise<void> {
  await using store = await TenantStore.open({
    place: openFolderPlace(tenantFolder),
    mode: 'read',
    logger: silentLogger,
  });
  expect(await store.listPoints()).toEqual([]);
}

describe('a source that breaks the rules', () => {
  const content = randomBytes(10);
  const id = blockIdOf(content);
  const blocks = [raw(content)];
  const bomb = zstdCompressSync(Buffer.alloc(256 * mebibyte));
  const claimed = 4 * mebibyte;

  it.each<[string, string, (stream: HostileStream, pointId: string) => void]>([
    [
      'commits without a block',
      'point.incomplete',
      (stream, pointId) => stream.send({ type: 'commit', blockCount: 0, root: rootNaming(pointId, 0, [id], 10) }),
    ],
    [
      'sent more blocks than it says',
      'protocol.malformed',
      (stream, pointId) => {
        stream.send({ type: 'block', blocks: [...blocks, raw(randomBytes(10))] });
        stream.send({ type: 'commit', blockCount: 1, root: rootNaming(pointId, 0, [id], 10) });
      },
    ],
    [
      'commits twice',
      'protocol.malformed',
      (stream, pointId) => {
        const commit = { type: 'commit', blockCount: 9, root: rootNaming(pointId, 0, [id], 10) } as const;
        stream.send(commit);
        stream.send(commit);
      },
    ],
    [
      'commits the root of another point',
      'protocol.malformed',
      (stream) => {
        stream.send({ type: 'block', blocks });
        stream.send({ type: 'commit', blockCount: 1, root: rootNaming('f'.repeat(32), 0, [id], 10) });
      },
    ],
    [
      'commits bytes that are not a root',
      'protocol.malformed',
      (stream) => {
        stream.send({ type: 'block', blocks });
        stream.send({ type: 'commit', blockCount: 1, root: Buffer.from('{"pointId":"../../etc"}') });
      },
    ],
    [
      'sends a manifest that unpacks to more than it says',
      'point.incomplete',
      (stream, pointId) => {
        stream.send({ type: 'block', blocks: [{ id, encoding: 'zstd', contentLength: claimed, stored: bomb }] });
        stream.send({ type: 'commit', blockCount: 1, root: rootNaming(pointId, 0, [id], claimed) });
      },
    ],
    [
      'names a list of manifest blocks again and again',
      'point.incomplete',
      (stream, pointId) => {
        const list = Buffer.alloc(36 * 100_000, Buffer.concat([id, Buffer.of(0, 0, 0, 10)]));
        const block: StoredBlock = {
          id: blockIdOf(list),
          encoding: 'zstd',
          contentLength: list.length,
          stored: zstdCompressSync(list),
        };
        stream.send({ type: 'block', blocks: [block] });
        const root = rootNaming(
          pointId,
          1,
          Array.from({ length: 4096 }, () => block.id),
          list.length,
        );
        stream.send({ type: 'commit', blockCount: 1, root });
      },
    ],
    ['sends an unknown message', 'protocol.malformed', (stream) => stream.sendPieces([randomBytes(100)])],
    ['sends an empty message', 'protocol.malformed', (stream) => stream.sendPieces([Buffer.alloc(0)])],
  ])(
    'and %s fails with %s, without a restore point',
    async (_what, code, attack) => {
      const tenantFolder = await makeTemporaryFolder();
      await using source = await HostileSource.start({ tenantFolder });
      const stream = await source.open();
      let peakBytes = 0;
      const timer = setInterval(() => (peakBytes = Math.max(peakBytes, source.memory().peakBytes)), 20);
      attack(stream, source.pointId);
      const told = await Promise.race([
        stream.next('error').then((error) => error?.code),
        source.ended().then((exit) => (exit.kind === 'failed' ? exit.error.code : exit.kind)),
      ]);
      clearInterval(timer);
      stream.socket.destroy(); // The target may close the connection before the source has read the reason.
      expect([code, undefined]).toContain(told);
      const exit = await source.ended();
      expect(exit).toMatchObject({ kind: 'failed', isTampered: false, error: { code } });
      expect(peakBytes).toBeLessThan(400 * mebibyte);
      await expectNoPoint(tenantFolder);
    },
    30_000,
  );

  it.each<[string, (send: (bytes: Buffer) => void) => void]>([
    ['nothing', () => undefined],
    ['its nonce in single bytes', (send) => send(Buffer.of(1))],
  ])(
    'and sends %s after its ticket cannot keep the session open',
    async (_what, say) => {
      const tenantFolder = await makeTemporaryFolder();
      await using source = await HostileSource.start({ tenantFolder, limits: { openingLimitMs: 300 } });
      const socket = source.connectSilently();
      const timer = setInterval(() => say((bytes) => socket.write(bytes)), 50);
      try {
        expect(await source.ended()).toMatchObject({
          kind: 'failed',
          isTampered: false,
          error: { code: 'connection.lost', message: 'The source did not open a data stream in time' },
        });
      } finally {
        clearInterval(timer);
      }
      await expectNoPoint(tenantFolder);
    },
    10_000,
  );
});
