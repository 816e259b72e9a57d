// Tests `farkeep certificate import` of a slow file with a real service: its progress reports, and canceling.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { certificateDomain } from '../contracts/rpc/certificate.ts';
import { connectAdmin, type AdminClient } from '../host/carriers/admin-client.ts';
import {
  algorithm,
  encryptedContent,
  integer,
  octets,
  pkcs12,
  secretBag,
  sequence,
} from '../testing/certificates/pkcs12-writer.ts';
import { startCli, type RunningCli } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { createProgressLine } from './progress-bar.ts';

/** A file that needs ten million rounds of PKCS #12 with 3DES, about three seconds. No password opens this file. */
function costlyFile(): Buffer {
  const claimed = algorithm('1.2.840.113549.1.12.1.3', sequence(octets(randomBytes(8)), integer(10_000_000)));
  return pkcs12([encryptedContent({ password: 'x', claimed }, secretBag(randomBytes(64)))]);
}

describe('farkeep certificate import', () => {
  let home: string;
  let service: RunningCli;
  let client: AdminClient;
  let shares: { progressId: string; share: number }[];

  beforeEach(async () => {
    home = await makeTemporaryFolder();
    const anyPort = { host: '127.0.0.1', port: 0 };
    await writeFile(
      path.join(home, 'provider.json'),
      JSON.stringify({ control: anyPort, infrastructure: anyPort, certificateKeyBits: 2048 }),
    );
    await writeFile(path.join(home, 'costly.p12'), costlyFile());
    await writeFile(path.join(home, 'password'), 'x\n');
    service = startCli(['serve', 'provider', '--home', home, '--json']);
    await service.firstLine();
    client = await connectAdmin({ home, role: 'provider' });
    shares = [];
    return () => client.close();
  }, 120_000);

  /** Collects progress events of imports; resolves at the first event. */
  const firstShare = (): Promise<void> =>
    new Promise((resolve) => {
      client.subscribe(({ event, payload }) => {
        if (event !== 'importProgressed') return;
        shares.push(certificateDomain.events.importProgressed.payload.parse(payload));
        resolve();
      });
    });

  it('ends with 130 on Ctrl-C, and the service stops the work', { timeout: 120_000 }, async () => {
    const progressReported = firstShare();
    // Proves that the subscription is active before the command starts.
    await client.domain(certificateDomain).list({});
    const args = ['--file', path.join(home, 'costly.p12'), '--password-file', path.join(home, 'password')];
    const { child, result } = startCli(['certificate', 'import', '--home', home, ...args]);
    await progressReported;
    child.kill('SIGINT');
    const { exitCode, stderr } = await result;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/^Canceled/);
    await client.domain(certificateDomain).list({});
    const before = shares.length;
    await client.domain(certificateDomain).list({});
    expect(shares).toHaveLength(before);
    expect(shares.at(-1)?.share).toBeLessThan(1);
  });

  it(
    'gets progress events only if its call asked for them, and other calls are answered meanwhile',
    { timeout: 120_000 },
    async () => {
      const certificates = client.domain(certificateDomain);
      const input = { slot: 'provider' as const, file: path.join(home, 'costly.p12'), password: 'x' };
      const controller = new AbortController();
      const progressReported = firstShare();
      const running = certificates.importFile({ ...input, progressId: 'mine' }, { signal: controller.signal });
      running.catch(() => undefined);
      await progressReported;
      expect(await certificates.list({})).toMatchObject({ certificates: expect.any(Array) as unknown });
      controller.abort();
      await expect(running).rejects.toMatchObject({ info: { code: 'call.canceled' } });
      expect(new Set(shares.map(({ progressId }) => progressId))).toEqual(new Set(['mine']));
      const before = shares.length;
      // This import has no progress identifier and runs to its end.
      await expect(certificates.importFile(input)).rejects.toMatchObject({
        info: { code: 'certificate.wrong-password' },
      });
      expect(shares).toHaveLength(before);
    },
  );
});

describe('the progress line', () => {
  it('shows a share on a terminal and nothing elsewhere', () => {
    let text = '';
    const write = (more: string): boolean => ((text += more), true);
    const line = createProgressLine({ isTTY: true, columns: 80, write } as unknown as NodeJS.WriteStream);
    line.showShare(0.25, 'Reading the file');
    expect(text).toBe(`\r\u001b[2KReading the file  [${'#'.repeat(6)}${'.'.repeat(18)}]  25 %`);
    line.clear();
    expect(text.endsWith('\r\u001b[2K')).toBe(true);
    text = '';
    createProgressLine({ isTTY: false, write } as unknown as NodeJS.WriteStream).showShare(0.5, 'Reading the file');
    expect(text).toBe('');
  });
});
