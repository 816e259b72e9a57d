import { describe, expect, it } from 'vitest';
import { runProgram } from './run-program.ts';

describe('a program of the operating system', () => {
  it('runs without a shell, and its failure names it', async () => {
    const printed = await runProgram(process.execPath, ['-p', 'process.argv[1]', '$(whoami) "%USERNAME%"']);
    expect(printed.trim()).toBe('$(whoami) "%USERNAME%"');
    await expect(runProgram(process.execPath, ['-e', 'process.exit(3)'])).rejects.toThrow(process.execPath);
    await expect(runProgram('no-such-program-here', [])).rejects.toThrow('no-such-program-here failed');
  });

  it('gets its input and the end of the input, and has limits of time and output', async () => {
    const run = (script: string, options?: Parameters<typeof runProgram>[2]): Promise<string> =>
      runProgram(process.execPath, ['-e', script], options);
    const echo = 'process.stdin.pipe(process.stdout)';
    expect(await run(echo, { input: 'a\nb\n' })).toBe('a\nb\n');
    expect(await run(echo)).toBe('');
    await expect(run('process.stdin.destroy()', { input: 'x'.repeat(1_000_000) })).resolves.toBe('');
    await expect(run('setInterval(() => {}, 1000)', { timeoutMs: 50 })).rejects.toThrow('no answer within 0.05 s');
    await expect(run('process.stdout.write("x".repeat(5000))', { maxOutputBytes: 1000 })).rejects.toThrow(
      'more output than 1000 bytes',
    );
    await expect(run('console.error("why"); process.exit(3)')).rejects.toThrow('exit code 3 why');
  });
});
