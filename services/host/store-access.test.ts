import { describe, expect, it } from 'vitest';
import { PosixAccess } from '../certstore/posix-access.ts';
import { WindowsAccess } from '../certstore/windows-access.ts';
import { runProgram, storeAccess } from './store-access.ts';

describe('access rights of the certificate store', () => {
  it('are an ACL on Windows and modes elsewhere', () => {
    expect(storeAccess('win32')).toBeInstanceOf(WindowsAccess);
    for (const platform of ['linux', 'darwin'] as const) expect(storeAccess(platform)).toBeInstanceOf(PosixAccess);
  });

  it('are set by programs without a shell, and a program that fails is named', async () => {
    const printed = await runProgram(process.execPath, ['-p', 'process.argv[1]', '$(whoami) "%USERNAME%"']);
    expect(printed.trim()).toBe('$(whoami) "%USERNAME%"');
    await expect(runProgram(process.execPath, ['-e', 'process.exit(3)'])).rejects.toThrow(process.execPath);
    await expect(runProgram('no-such-program-here', [])).rejects.toThrow('no-such-program-here failed');
  });
});
