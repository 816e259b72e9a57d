// Owns one child process from start to exit: environment, channel, log, heartbeats, orderly or forced end, and the reason of the exit. No
// other code in services and console uses child_process. Must not restart a process or interpret its messages.
// Runs in Electron too, whose Node.js is older and has no Promise.withResolvers.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { systemClock, type Timers } from '../kernel/clock.ts';
import { Deadline } from '../kernel/deadline.ts';
import { HeartbeatWatch, type HeartbeatLimits } from './heartbeat-watch.ts';
import { readLines } from './log-lines.ts';

export interface ChildOptions {
  /** A path, or a name that is searched in PATH. No shell interprets the program or the arguments. */
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the child; see environment.ts. */
  readonly environment: Readonly<Record<string, string>>;
  /** A channel for messages; 'json' where the two sides run on different versions of V8. */
  readonly channel?: {
    readonly serialization: 'json' | 'advanced';
    readonly onMessage: (message: unknown) => void;
  };
  /**
   * Destination of standard error, and of standard output unless `onOutput` receives it. Either line by line to the parent, or directly
   * into a file (mode 0600, its folder 0700). The file has no size limit, and `onOutput` is then not available.
   */
  readonly log: { readonly onLine: (line: string) => void } | { readonly file: string };
  /** Receives standard output in chunks, for programs that answer on standard output. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Standard input, which is closed afterwards. Default: no input. */
  readonly input?: string;
  /** Puts the child into its own process group: Ctrl-C in the parent's terminal does not reach the child. */
  readonly isOwnGroup?: boolean;
  /** A child that is not marked as ready in time is killed. Without this setting, the child counts as ready at once. */
  readonly start?: { readonly limitMs: number; readonly signal?: AbortSignal | undefined };
  /** Watched from the ready message until the stop request. */
  readonly heartbeat?: HeartbeatLimits;
  readonly timers?: Timers;
}

/** Why the parent ended a child by force. */
export type KillCause = 'start-late' | 'start-aborted' | 'silent' | 'stop-late' | 'other';

export interface ChildExit {
  /**
   * not-started: no process ever existed. stopped: after `stop`, with any exit. done: exited by itself with code 0. crashed: all others.
   */
  readonly kind: 'not-started' | 'stopped' | 'done' | 'crashed';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly killedFor: KillCause | undefined;
  /** The error of the operating system, when no process ever existed. */
  readonly startError: Error | undefined;
  /** The last lines of the child's log, for error messages. */
  readonly lastLines: readonly string[];
}

/** Enough for an uncaught error of Node.js: the place, the message, and the stack. */
const keptLines = 12;
const keptLineLength = 1_000;
const tailBytes = keptLines * keptLineLength;

export class SupervisedChild {
  readonly #child: ChildProcess;
  readonly #options: ChildOptions;
  readonly #timers: Timers;
  readonly #lastLines: string[] = [];
  #startLimit: Deadline | undefined;
  #heartbeat: HeartbeatWatch | undefined;
  #isStopping = false;
  #hasEnded = false;
  #killedFor: KillCause | undefined;

  /** Resolves once, when process, channel and log have ended; never rejects. */
  readonly exited: Promise<ChildExit>;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemClock;
    const { channel, start } = options;
    this.#child = launch(options);
    this.exited = this.#untilExit();
    this.#readOutput();
    this.#child.stdin?.on('error', () => undefined); // the pipe breaks when a program exits without reading
    this.#child.stdin?.end(options.input);
    if (channel !== undefined) this.#child.on('message', (message) => channel.onMessage(message));
    if (start === undefined) this.markReady();
    else {
      this.#startLimit = new Deadline({ ...start, timers: this.#timers }, (reason) =>
        this.kill(reason === 'late' ? 'start-late' : 'start-aborted'),
      );
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isConnected(): boolean {
    return this.#child.connected;
  }

  /** The start is complete. From now on, heartbeats are expected. */
  markReady(): void {
    this.#startLimit?.stop();
    const { heartbeat } = this.#options;
    if (heartbeat === undefined || this.#isStopping || this.#hasEnded) return;
    this.#heartbeat ??= new HeartbeatWatch(heartbeat, () => this.kill('silent'), this.#timers);
  }

  /** The child sent a heartbeat. */
  heard(): void {
    this.#heartbeat?.heard();
  }

  /** A message to a closed channel is dropped: the exit of the child explains why. */
  send(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Asks the child to end in order, and kills it after the limit. Safe to call twice: the shorter limit counts.
   * @param request the message to send; without it, or with a closed channel, the child gets SIGTERM
   */
  async stop(limitMs: number, request?: object): Promise<ChildExit> {
    if (this.#hasEnded) return this.exited;
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#startLimit?.stop();
      this.#heartbeat?.stop();
      if (request !== undefined && this.#child.connected) this.send(request);
      else this.#child.kill('SIGTERM');
    }
    const limit = this.#timers.startTimer(limitMs, () => this.kill('stop-late'));
    try {
      return await this.exited;
    } finally {
      limit.stop();
    }
  }

  /** Ends the child at once. */
  kill(cause: KillCause = 'other'): void {
    this.#killedFor ??= cause;
    this.#child.kill('SIGKILL');
  }

  #readOutput(): void {
    const { log, onOutput } = this.#options;
    if ('file' in log) return;
    const onLine = (line: string): void => {
      this.#lastLines.push(line.slice(0, keptLineLength));
      if (this.#lastLines.length > keptLines) this.#lastLines.shift();
      log.onLine(line);
    };
    // If no process was started, there are no streams.
    const { stdout, stderr } = this.#child as { stdout?: Readable | null; stderr?: Readable | null };
    if (stderr) readLines(stderr, onLine);
    if (!stdout) return;
    if (onOutput === undefined) readLines(stdout, onLine);
    else stdout.on('data', onOutput).on('error', () => undefined);
  }

  async #untilExit(): Promise<ChildExit> {
    const { log } = this.#options;
    let startError: Error | undefined;
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      // 'exit' can arrive before the last message and before the end of the log. 'close' arrives after both, but never if no process was
      // started.
      this.#child.once('close', (...how) => resolve(how));
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return;
        startError = error;
        resolve([null, null]);
      });
    });
    this.#hasEnded = true;
    this.#startLimit?.stop();
    this.#heartbeat?.stop();
    const end = { code, signal, killedFor: this.#killedFor, startError };
    const lastLines = 'file' in log ? await readTail(log.file) : this.#lastLines;
    return { ...end, kind: kindOf(end, this.#isStopping), lastLines };
  }
}

function kindOf({ code, startError }: Pick<ChildExit, 'code' | 'startError'>, isStopping: boolean): ChildExit['kind'] {
  if (startError !== undefined) return 'not-started';
  if (isStopping) return 'stopped';
  return code === 0 ? 'done' : 'crashed';
}

/** Always `spawn`: in Electron, `fork` adds ELECTRON_RUN_AS_NODE to the environment. Apart from that, `fork` only adds a channel. */
function launch({ program, args, environment, channel, log, input, isOwnGroup = false }: ChildOptions): ChildProcess {
  const logFile = 'file' in log ? openLog(log.file) : undefined;
  const stdio: StdioOptions = [
    input === undefined ? 'ignore' : 'pipe',
    logFile === undefined ? 'pipe' : 'ignore',
    logFile ?? 'pipe',
    ...(channel === undefined ? [] : (['ipc'] as const)),
  ];
  try {
    return spawn(program, [...args], {
      stdio,
      env: { ...environment },
      detached: isOwnGroup,
      windowsHide: true,
      ...(channel === undefined ? {} : { serialization: channel.serialization }),
    });
  } finally {
    if (logFile !== undefined) closeSync(logFile);
  }
}

function openLog(file: string): number {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  return openSync(file, 'a', 0o600);
}

async function readTail(file: string): Promise<readonly string[]> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const tail = Buffer.alloc(Math.min(size, tailBytes));
      await handle.read(tail, 0, tail.length, size - tail.length);
      const lines = tail.toString('utf8').split('\n');
      return lines.filter((line) => line.trim() !== '').slice(-keptLines);
    } finally {
      await handle.close();
    }
  } catch {
    return [];
  }
}
