// An attacker between tenant and gateway changes one byte: both sides must report it, and none of the changed data may get into a restore
// point.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { Stack } from '../../testing/site/stack.ts';
import { behindPreamble, flipAt, TamperingProxy } from '../../testing/hostile/tampering-proxy.ts';

/**
 * A record has a header (16 bytes: type, flags, reserved, length, sequence), a body and a tag; a stream begins with a nonce of 32 bytes.
 */
const nonceBytes = 32;

describe('changed bytes', () => {
  let folder: string;
  let stack: Stack;
  let proxy: TamperingProxy;
  let jobId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-tampering-'));
    const source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'big.bin'), randomBytes(3 * 1024 * 1024));
    stack = await Stack.start({
      folder,
      tenant: { stallTimeoutMs: 8_000 },
      addressOf: async (_index, real) => {
        proxy = await TamperingProxy.start(real);
        return { host: '127.0.0.1', port: proxy.port };
      },
    });
    const provider = await stack.addProvider();
    jobId = await stack.addJob(provider.id, source);
  }, 60_000);

  afterEach(() => {
    proxy.interfere = () => undefined;
  });

  afterAll(async () => {
    await stack.stop();
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const places = [
    ['the nonce of the tunnel', 'tunnel', 'to-gateway', behindPreamble(0)],
    ['the header of the delivery of Key B', 'tunnel', 'to-gateway', behindPreamble(nonceBytes)],
    ['the body of the delivery of Key B', 'tunnel', 'to-gateway', behindPreamble(nonceBytes + 20)],
    ['the nonce of the target in the tunnel', 'tunnel', 'to-tenant', 0],
    ['the proof that Key B arrived', 'tunnel', 'to-tenant', nonceBytes + 20],
    ['the nonce of a data stream', 'data', 'to-gateway', behindPreamble(3)],
    ['the type of a data record', 'data', 'to-gateway', behindPreamble(nonceBytes)],
    ['the length of a data record', 'data', 'to-gateway', behindPreamble(nonceBytes + 7)],
    ['the sequence of a data record', 'data', 'to-gateway', behindPreamble(nonceBytes + 15)],
    ['the body of a data record', 'data', 'to-gateway', behindPreamble(nonceBytes + 17)],
    ['a block far behind', 'data', 'to-gateway', 400_000],
    ['the answer of the target', 'data', 'to-tenant', nonceBytes + 30],
  ] as const;

  for (const [name, kind, direction, position] of places) {
    it(`are detected in ${name}, on both sides`, async () => {
      let hasFlipped = false;
      proxy.interfere = flipAt({ kind, direction, position }, () => (hasFlipped = true));
      const session = await stack.runJob(jobId);
      const atProvider = await stack.untilEndedAtProvider(session.id);
      expect(hasFlipped).toBe(true);
      expect(session, JSON.stringify(session.actions)).toMatchObject({ state: 'failed', attempt: 1 });
      expect(session.error?.code).toMatch(/^security\.(tampered|key-proof)$/);
      expect(session.hasSecurityWarning).toBe(true);
      expect(session.actions.some(({ level }) => level === 'security')).toBe(true);
      expect(atProvider.state).toBe('failed');
      expect(atProvider.hasSecurityWarning).toBe(true);
      // The diagram shows the position, on both sides.
      for (const { steps } of [session, atProvider]) {
        expect(steps.filter(({ outcome }) => outcome === 'security-warning')).not.toEqual([]);
      }
      // The provider shows the received bytes, also when the end comes early.
      if (position === 400_000) expect(atProvider.progress.transferredBytes).toBeGreaterThanOrEqual(position);
      expect(session.pointId).toBeNull();
      expect(session.attempt).toBe(1);
      expect((await stack.tenant.domain(pointsDomain).list({})).points).toEqual([]);
    }, 30_000);
  }

  it('do not prevent the next backup', async () => {
    const session = await stack.runJob(jobId);
    expect(session).toMatchObject({ error: null, state: 'succeeded' });
    const [tenantFolder = ''] = (await readdir(stack.repositoryFolder)).filter((name) => /^[0-9a-f]{32}$/.test(name));
    expect(await readdir(path.join(stack.repositoryFolder, tenantFolder, 'points'))).toHaveLength(1);
  }, 30_000);

  it('do not make a used ticket valid again', async () => {
    const seen: Buffer[] = [];
    proxy.interfere = ({ kind, direction, offset }, chunk) => {
      if (kind !== 'control' && direction === 'to-gateway' && offset === 0)
        seen.push(Buffer.from(chunk.subarray(0, 40)));
      return undefined;
    };
    const session = await stack.runJob(jobId);
    expect(session.error).toBeNull();
    expect(seen.length).toBeGreaterThanOrEqual(3);
    proxy.interfere = () => undefined;
    for (const preamble of seen) {
      const answer = await new Promise<Buffer>((resolve, reject) => {
        const chunks: Uint8Array[] = [];
        const socket = connect(stack.gatewayAddresses[0]?.port ?? 0, '127.0.0.1', () => {
          socket.write(Buffer.concat([preamble, randomBytes(64)]));
        });
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.on('close', () => resolve(Buffer.concat(chunks)));
        socket.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET') reject(error);
        });
      });
      expect(answer).toHaveLength(0);
    }
  }, 30_000);
});
