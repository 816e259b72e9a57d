import { describe, expect, it } from 'vitest';
import { PosixAccess } from '../certstore/posix-access.ts';
import { WindowsAccess } from '../certstore/windows-access.ts';
import { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { runProgram, storeAccess, windowsCertificates } from './store-access.ts';

describe('access rights of the certificate store', () => {
  it('are an ACL on Windows and modes elsewhere', async () => {
    expect(await storeAccess(undefined, 'win32')).toBeInstanceOf(WindowsAccess);
    for (const platform of ['linux', 'darwin'] as const) {
      expect(await storeAccess(undefined, platform)).toMatchObject({ fileMode: 0o600, folderMode: 0o700 });
    }
  });

  it.skipIf(process.platform === 'win32')('let a service group read, which has to exist', async () => {
    for (const group of ['daemon', '1']) {
      const access = await storeAccess(group);
      expect(access).toBeInstanceOf(PosixAccess);
      expect(access).toMatchObject({ fileMode: 0o640, folderMode: 0o750 });
    }
    await expect(storeAccess('no-such-group')).rejects.toMatchObject({
      code: 'config.invalid',
      field: 'serviceGroup',
      message: expect.stringContaining('no-such-group') as string,
    });
    await expect(storeAccess('daemon', 'win32')).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('are set by programs without a shell, and a program that fails is named', async () => {
    const printed = await runProgram(process.execPath, ['-p', 'process.argv[1]', '$(whoami) "%USERNAME%"']);
    expect(printed.trim()).toBe('$(whoami) "%USERNAME%"');
    await expect(runProgram(process.execPath, ['-e', 'process.exit(3)'])).rejects.toThrow(process.execPath);
    await expect(runProgram('no-such-program-here', [])).rejects.toThrow('no-such-program-here failed');
  });

  it('come with a store to pick from on Windows only', () => {
    expect(windowsCertificates('win32')).toBeInstanceOf(WindowsCertificates);
    for (const platform of ['linux', 'darwin'] as const) expect(windowsCertificates(platform)).toBeUndefined();
  });

  it('reach a program on its input, which is closed, within limits', async () => {
    const run = (script: string, options?: Parameters<typeof runProgram>[2]): Promise<string> =>
      runProgram(process.execPath, ['-e', script], options);
    const echo = 'process.stdin.pipe(process.stdout)';
    expect(await run(echo, { input: 'a\nb\n' })).toBe('a\nb\n');
    expect(await run(echo)).toBe('');
    await expect(run('process.stdin.destroy()', { input: 'x'.repeat(1_000_000) })).resolves.toBe('');
    await expect(run('setInterval(() => {}, 1000)', { timeoutMs: 300 })).rejects.toThrow('no answer within 0.3 s');
    await expect(run('process.stdout.write("x".repeat(5000))', { maxOutputBytes: 1000 })).rejects.toThrow('MAXBUFFER');
    await expect(run('console.error("why"); process.exit(3)')).rejects.toThrow('exit code 3 why');
  });
});
