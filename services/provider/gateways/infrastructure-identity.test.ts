import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { openInfrastructureIdentity, type InfrastructureIdentity } from './infrastructure-identity.ts';

describe('the infrastructure identity', () => {
  let home: string;
  const file = (name: string): string => path.join(home, 'infrastructure', name);
  const open = async (): Promise<InfrastructureIdentity> =>
    openInfrastructureIdentity({ home, names: ['localhost'], clock: systemClock, logger: silentLogger });

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'farkeep-infrastructure-'));
  });
  afterEach(async () => rm(home, { recursive: true, force: true }));

  it('stores its keys encrypted, and is the same after a restart', async () => {
    const { server } = await open();
    for (const name of ['authority.key', 'server.key']) {
      expect(await readFile(file(name), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      expect((await stat(file(name))).mode & 0o077).toBe(0);
    }
    const again = await open();
    expect(again.server).toEqual(server);
    expect(new X509Certificate(server.certificatePem).checkPrivateKey(createPrivateKey(server.privateKeyPem))).toBe(
      true,
    );
  });

  it('encrypts the keys that an earlier version wrote unencrypted', async () => {
    const { server } = await open();
    await writeFile(
      file('server.key'),
      createPrivateKey(server.privateKeyPem).export({ type: 'pkcs8', format: 'der' }),
    );
    expect((await open()).server).toEqual(server);
    expect(await readFile(file('server.key'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
  });

  it('names the file when the key does not match it', async () => {
    await open();
    await writeFile(file('store.key'), `${'00'.repeat(32)}\n`);
    await expect(open()).rejects.toMatchObject({
      code: 'certificate.key-unreadable',
      message: expect.stringContaining('authority.key') as string,
    });
  });
});
