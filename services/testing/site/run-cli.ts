// Owns running the real `farkeep` command in tests, as a child process.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The only JSON document on stdout. */
  json(): Record<string, unknown>;
  /** One JSON document in each line. */
  jsonLines(): Record<string, unknown>[];
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves with the first line of stdout; rejects when the command ends before. */
  firstLine(): Promise<string>;
}

const commandTimeoutMs = 120_000;
const entry = fileURLToPath(new URL('../../cli/cli-entry.ts', import.meta.url));

export function startCli(
  args: readonly string[],
  { input = '', env = {}, userId }: { input?: string; env?: NodeJS.ProcessEnv; userId?: number } = {},
): RunningCli {
  const { FARKEEP_HOME: _ours, ...inherited } = process.env;
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...inherited, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  const firstLine = Promise.withResolvers<string>();
  firstLine.promise.catch(() => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes('\n')) firstLine.resolve(stdout.slice(0, stdout.indexOf('\n')));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const result = new Promise<CliResult>((resolve) => {
    child.once('close', (exitCode) => {
      firstLine.reject(new Error(`farkeep ${args.join(' ')} ended with ${String(exitCode)}: ${stderr}`));
      const parse = (text: string): Record<string, unknown> => {
        try {
          return JSON.parse(text) as Record<string, unknown>;
        } catch {
          throw new Error(
            `farkeep ${args.join(' ')} (exit code ${String(exitCode)}) printed no JSON:\n${stdout}\n${stderr}`,
          );
        }
      };
      resolve({
        exitCode,
        stdout,
        stderr,
        json: () => parse(stdout),
        jsonLines: () => stdout.trim().split('\n').map(parse),
      });
    });
  });
  return { child, result, firstLine: () => firstLine.promise };
}

/** Runs a command to its end. The error for a command that does not end contains its name and output. */
export async function runCli(
  args: readonly string[],
  options: Parameters<typeof startCli>[1] = {},
): Promise<CliResult> {
  const { child, result } = startCli(args, options);
  const enough = AbortSignal.timeout(commandTimeoutMs);
  enough.addEventListener('abort', () => child.kill('SIGKILL'));
  const ended = await result;
  if (enough.aborted) {
    throw new Error(`farkeep ${args.join(' ')} did not end in time:\n${ended.stdout}\n${ended.stderr}`);
  }
  return ended;
}
