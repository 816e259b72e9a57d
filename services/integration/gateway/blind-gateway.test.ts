// A gateway cannot read data: the test records everything that it reads or writes, on both sides, during a backup and a restore of files
// with known marks under known keys. The recording contains no mark, key, password or name.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { Secret } from '../../kernel/secret.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

const entry = fileURLToPath(new URL('../../testing/site/recorded-gateway-entry.ts', import.meta.url));
const fileName = 'salaries-of-the-board.txt';
const fileBytes = 4 * 1024 * 1024;

describe('a gateway', () => {
  let folder: string;
  let stack: Stack;
  let gateway: ChildProcess;
  let recording: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-blind-'));
    recording = path.join(folder, 'recording');
    const home = path.join(folder, 'recorded-gateway');
    await mkdir(home);
    stack = await Stack.start({ folder, gateways: 0 });
    gateway = fork(entry, [home, recording]);
    const [port] = (await once(gateway, 'message')) as [number];
    const address = { host: '127.0.0.1', port };
    stack.gatewayAddresses.push(address);
    const { token } = await stack.provider
      .domain(gatewaysDomain)
      .createEnrollToken({ name: 'recorded', addresses: [address] });
    gateway.send(token);
    await stack.provider.events.waitFor(gatewaysDomain, 'changed', ({ state }) => state === 'connected');
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    const gone = once(gateway, 'exit');
    gateway.disconnect();
    await gone;
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('relays a backup and a restore without seeing a mark, a key, a password or a name', async () => {
    const keys: Buffer[] = [];
    const makeRandom = Secret.random.bind(Secret);
    const spy = vi.spyOn(Secret, 'random').mockImplementation((lengthBytes) => {
      const secret = makeRandom(lengthBytes);
      keys.push(Buffer.from(secret.bytes));
      return secret;
    });
    const mark = randomBytes(24);
    const source = path.join(folder, 'source');
    await mkdir(source);
    // Incompressible, so that the mark would be on the wire if the data were not encrypted.
    const content = randomBytes(fileBytes);
    for (let at = 0; at < fileBytes; at += 64 * 1024) mark.copy(content, at);
    await writeFile(path.join(source, fileName), content);

    const provider = await stack.addProvider();
    const jobId = await stack.addJob(provider.id, source, { name: 'payroll-job' });
    const backup = await stack.runJob(jobId);
    expect(backup).toMatchObject({ error: null, state: 'succeeded' });
    const restored = path.join(folder, 'restored');
    const restore = await stack.restore(backup.pointId ?? '', restored);
    expect(restore).toMatchObject({ error: null, state: 'succeeded' });
    expect((await readFile(path.join(restored, fileName))).equals(content)).toBe(true);
    spy.mockRestore();

    // The recorded keys are the keys that both sides showed.
    const identifiers = [...backup.keys, ...restore.keys].flatMap(({ keyA, keyB }) => [keyA, keyB]);
    expect(identifiers).toHaveLength(4);
    const caught = keys.map((key) => Secret.take(Buffer.from(key)).identifier());
    for (const identifier of identifiers) expect(caught).toContain(identifier);

    const seen = await readFile(recording);
    // The recording is not empty: it has the preambles, the header for the provider, and both directions of both sides.
    expect(seen.includes('FKD1')).toBe(true);
    expect(seen.includes(Buffer.from('0d0a0d0a000d0a515549540a', 'hex'))).toBe(true);
    expect(seen.length).toBeGreaterThan(4 * fileBytes);

    const secrets: Record<string, Buffer> = {
      'a mark in the file': mark,
      'the name of the file': Buffer.from(fileName),
      'the name of the job': Buffer.from('payroll-job'),
      'the password': Buffer.from(stackNames.password),
      'the hash of the password': createHash('sha256').update(stackNames.password).digest(),
      'the account': Buffer.from(stackNames.account),
      'the name of the repository folder': Buffer.from(stack.repositoryFolder),
    };
    for (const [index, key] of keys.entries()) {
      secrets[`key ${index}`] = key;
      secrets[`key ${index} in base64`] = Buffer.from(key.toString('base64'));
      secrets[`key ${index} in hex`] = Buffer.from(key.toString('hex'));
    }
    const found = Object.entries(secrets)
      .filter(([, bytes]) => seen.includes(bytes))
      .map(([name]) => name);
    expect(found).toEqual([]);
  }, 60_000);
});
