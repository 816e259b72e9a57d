// Owns running a program of the operating system to its end: input, output, time limit. Must not use a shell.
import { systemErrorCode } from '../kernel/system-error.ts';
import { passedEnvironment } from './environment.ts';
import { SupervisedChild } from './supervised-child.ts';

export interface ProgramOptions {
  /** Standard input, which is closed afterwards. Default: empty. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /** A program that writes more is killed. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

const defaultTimeoutMs = 20_000;
const defaultMaxOutputBytes = 1024 * 1024;
const reasonLength = 400;

/** @returns standard output. @throws Error with the program and the reason, without the arguments, which may be a long script */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs = defaultTimeoutMs, maxOutputBytes = defaultMaxOutputBytes, signal }: ProgramOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  const output: Buffer[] = [];
  let outputBytes = 0;
  const child = new SupervisedChild({
    program,
    args,
    environment: passedEnvironment(process.env),
    // PowerShell reads its input to the end before it exits: with an open input, every call would last until the time limit.
    input,
    log: { onLine: () => undefined },
    onOutput: (chunk) => {
      outputBytes += chunk.length;
      if (outputBytes > maxOutputBytes) child.kill();
      else output.push(chunk);
    },
    // The program sends no ready message, so the limit of its start limits the whole run.
    start: { limitMs: timeoutMs, signal },
  });
  const { kind, code, killedFor, startError, lastLines } = await child.exited;
  const isTooMuch = outputBytes > maxOutputBytes;
  if (kind === 'done' && !isTooMuch) return Buffer.concat(output).toString('utf8');
  let reason = `exit code ${String(code)} ${lastLines.join('\n')}`;
  if (startError !== undefined) reason = systemErrorCode(startError) ?? startError.message;
  if (killedFor === 'start-late') reason = `no answer within ${timeoutMs / 1000} s`;
  if (killedFor === 'start-aborted') reason = 'canceled';
  if (isTooMuch) reason = `more output than ${maxOutputBytes} bytes`;
  throw new Error(`${program} failed: ${reason.slice(0, reasonLength)}`, { cause: startError });
}
