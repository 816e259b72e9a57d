// The gateway is blind: all bytes that pass it during a backup and a restore are recorded and searched for marks in contents and names, for
// the password, and for the keys of the sessions. That the recording is the real thing is proven by opening it with Key B, by a reader
// written from docs/protocol.md alone.
import { createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { Stack, stackNames } from './stack.ts';
import { TamperingProxy, type Traffic } from './tampering-proxy.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const preambleBytes = 40;
const nonceBytes = 32;

/** Every form in which something could lie open in a stream. */
function formsOf(secret: Buffer): Buffer[] {
  return [
    secret,
    Buffer.from(secret.toString('hex')),
    Buffer.from(secret.toString('hex').toUpperCase()),
    Buffer.from(secret.toString('base64').replace(/=+$/, '')),
    Buffer.from(secret.toString('base64url')),
    Buffer.from(secret.toString('latin1'), 'utf16le'),
  ];
}

class Recording {
  readonly #streams = new Map<string, Buffer[]>();

  add({ kind, connection, direction }: Traffic, chunk: Buffer): void {
    const name = `${kind} ${connection} ${direction}`;
    const stream = this.#streams.get(name) ?? [];
    stream.push(Buffer.from(chunk));
    this.#streams.set(name, stream);
  }

  stream(kind: string, connection: number, direction: string): Buffer {
    return Buffer.concat(this.#streams.get(`${kind} ${connection} ${direction}`) ?? []);
  }

  get totalBytes(): number {
    return [...this.#streams.values()].flat().reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Names of the streams in which `secret` lies open in any form. */
  find(secret: Buffer): string[] {
    const forms = formsOf(secret);
    return [...this.#streams]
      .filter(([, chunks]) => {
        const bytes = Buffer.concat(chunks);
        return forms.some((form) => bytes.includes(form));
      })
      .map(([name]) => name);
  }
}

function identifierOf(key: Buffer): string {
  return createHmac('sha256', key).update('farkeep/1 key id').digest('hex').slice(0, 16);
}

/** docs/protocol.md, sections 4 and 5: the plaintexts of one direction of a data stream. */
function openWithKeyB(
  keyB: Buffer,
  {
    sessionId,
    attempt,
    streamIndex,
    clientNonce,
    serverNonce,
    sealed,
  }: {
    sessionId: string;
    attempt: number;
    streamIndex: number;
    clientNonce: Buffer;
    serverNonce: Buffer;
    sealed: Buffer;
  },
): Buffer[] {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(attempt, 0);
  numbers.writeUInt32BE(streamIndex, 4);
  const info = Buffer.concat([Buffer.from('farkeep/1 data'), Buffer.from(sessionId, 'hex'), numbers, Buffer.from('c')]);
  const material = Buffer.from(hkdfSync('sha256', keyB, Buffer.concat([clientNonce, serverNonce]), info, 52));
  const plaintexts: Buffer[] = [];
  for (let at = 0; at + 32 <= sealed.length;) {
    const header = sealed.subarray(at, at + 16);
    const length = header.readUInt32BE(4);
    const nonce = Buffer.concat([material.subarray(32, 36), header.subarray(8, 16)]);
    const decipher = createDecipheriv('aes-256-gcm', material.subarray(0, 32), nonce, { authTagLength: 16 });
    decipher.setAAD(header);
    decipher.setAuthTag(sealed.subarray(at + 16 + length, at + 32 + length));
    plaintexts.push(Buffer.concat([decipher.update(sealed.subarray(at + 16, at + 16 + length)), decipher.final()]));
    at += 32 + length;
  }
  return plaintexts;
}

describe('all bytes that pass the gateway', () => {
  it('hold no mark, no name, no password and no key', { timeout: 90_000 }, async () => {
    const folder = await makeTemporaryFolder();
    const recording = new Recording();
    // Incompressible, so that they stand in the stored blocks as they are.
    const marks = [randomBytes(48), randomBytes(48)];
    const name = `name-${randomBytes(12).toString('hex')}`;
    const source = path.join(folder, 'source', `folder-${name}`);
    await mkdir(source, { recursive: true });
    await writeFile(
      path.join(source, `${name}.bin`),
      Buffer.concat([randomBytes(700_000), ...marks, randomBytes(700_000)]),
    );
    await writeFile(path.join(source, 'small'), marks[0] ?? '');

    const made: Buffer[] = [];
    const makeSecret = Secret.random.bind(Secret);
    const spy = vi.spyOn(Secret, 'random').mockImplementation((lengthBytes) => {
      const secret = makeSecret(lengthBytes);
      made.push(Buffer.from(secret.bytes));
      return secret;
    });
    onTestFinished(() => spy.mockRestore());

    let proxy: TamperingProxy | undefined;
    const stack = await Stack.start({
      folder,
      addressOf: async (_index, real) => {
        proxy = await TamperingProxy.start(real);
        proxy.interfere = (traffic, chunk) => {
          recording.add(traffic, chunk);
          return undefined;
        };
        return { host: '127.0.0.1', port: proxy.port };
      },
    });
    onTestFinished(async () => {
      await stack.stop();
      await proxy?.close();
    });
    const provider = await stack.addProvider();
    const backup = await stack.runJob(await stack.addJob(provider.id, path.join(folder, 'source'), { streams: 1 }));
    expect(backup.state).toBe('succeeded');
    const restore = await stack.restore(backup.pointId ?? '', path.join(folder, 'restored'));
    expect(restore.state).toBe('succeeded');
    const restored = await readFile(path.join(folder, 'restored', `folder-${name}`, `${name}.bin`));
    expect(restored.includes(marks[1] ?? '')).toBe(true);

    // The keys of both sessions, found by what both sides show of them.
    const keys = [...backup.keys, ...restore.keys].flatMap(({ keyA, keyB }) => [keyA, keyB]);
    const sessionKeys = keys.map((identifier) => made.find((key) => identifierOf(key) === identifier));
    expect(new Set(keys).size).toBe(4);
    expect(sessionKeys).not.toContain(undefined);

    // It was recorded, and it is what it seems: with Key B, and only with it, the marks are there.
    expect(recording.totalBytes).toBeGreaterThan(2 * 1_400_000);
    const keyB = sessionKeys[1] ?? Buffer.alloc(32);
    const upward = recording.stream('data', 0, 'to-gateway');
    const opened = Buffer.concat(
      openWithKeyB(keyB, {
        sessionId: backup.id,
        attempt: 1,
        streamIndex: 0,
        clientNonce: upward.subarray(preambleBytes, preambleBytes + nonceBytes),
        serverNonce: recording.stream('data', 0, 'to-tenant').subarray(0, nonceBytes),
        sealed: upward.subarray(preambleBytes + nonceBytes),
      }),
    );
    for (const mark of marks) expect(opened.includes(mark)).toBe(true);

    for (const mark of marks) expect(recording.find(mark)).toEqual([]);
    expect(recording.find(Buffer.from(name))).toEqual([]);
    expect(recording.find(Buffer.from(stackNames.password))).toEqual([]);
    expect(recording.find(Buffer.from(stackNames.account))).toEqual([]);
    for (const key of made) expect(recording.find(key)).toEqual([]);
    // The search finds what is there: the nonce of the first data stream.
    expect(recording.find(upward.subarray(preambleBytes, preambleBytes + nonceBytes))).toEqual(['data 0 to-gateway']);
  });
});
