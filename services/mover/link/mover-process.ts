// Owns a data mover child process from fork to kill: its start message, heartbeat, events, and whether it exited or crashed. The only user
// of child_process in this folder. Runs inside the provider or tenant service; moves no data itself.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { errorInfoSchema } from '../../contracts/error-schemas.ts';
import type { ErrorInfo } from '../../contracts/errors.ts';
import { systemClock, type Timer } from '../../kernel/clock.ts';
import { IdleTimer } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { MoverCommand, MoverEvent, MoverExit, MoverStart } from './local-link.ts';

const entry = fileURLToPath(new URL('../mover-entry.ts', import.meta.url));

/** The mover gets only these variables of the service's environment. */
const allowedEnvironment = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT'];
/**
 * By default glibc returns freed megabytes to the kernel, and the next block causes page faults that cost as much as the cipher. A mover
 * releases its buffers itself (release-memory.ts). Other C libraries ignore these variables.
 */
const allocatorTuning = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '33554432',
  MALLOC_TRIM_THRESHOLD_: '33554432',
};
/**
 * Without a limit V8 lets the heap grow to four times the memory in use before it collects garbage. With a limit below 2 GiB it collects
 * earlier: a source of many small files needs 15 % less memory and no more time. A target has few large objects, so it can keep more young
 * ones between two collections.
 */
const heapLimits = {
  source: ['--max-semi-space-size=4', '--max-old-space-size=2000'],
  target: ['--max-semi-space-size=16', '--max-old-space-size=2000'],
};
/** Compiled code that earlier movers stored; with it a mover and its workers start in a third of the time. */
const compileCacheFolder = fileURLToPath(new URL('../../../build/compile-cache', import.meta.url));
const stopDeadlineMs = 10_000;
const maxLogLineLength = 4_000;

/**
 * What is known when the mover is forked. The mover loads the code of its side and starts its threads at once; the work follows in `begin`.
 */
export interface MoverPlan {
  readonly side: MoverStart['side'];
  readonly sessionId: string;
  readonly attempt: number;
  /** Number of data streams of a source; each has one thread. */
  readonly streams?: number;
}

export interface MoverProcessOptions {
  readonly logger?: Logger;
  /** A mover that sends no message for this time is killed and counts as crashed. */
  readonly heartbeatTimeoutMs?: number;
  readonly onEvent: (event: MoverEvent) => void;
}

export class MoverProcess {
  readonly #child: ChildProcess;
  readonly #logger: Logger;
  readonly #side: MoverStart['side'];
  readonly #onEvent: (event: MoverEvent) => void;
  readonly #heartbeatTimeoutMs: number;
  readonly #silence: IdleTimer;
  #killTimer: Timer | undefined;
  #outcome: MoverExit | undefined;
  #silentTooLong = false;

  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<MoverExit>;

  /** Forks the mover. Can be called before the keys exist, which saves time: a process and its threads take as long to start as a login. */
  constructor({ side, sessionId, attempt, streams = 0 }: MoverPlan, options: MoverProcessOptions) {
    this.#logger = (options.logger ?? silentLogger).child({ mover: side, sessionId, attempt });
    this.#side = side;
    this.#onEvent = options.onEvent;
    this.#heartbeatTimeoutMs = options.heartbeatTimeoutMs ?? 30_000;
    this.#silence = new IdleTimer(this.#heartbeatTimeoutMs, () => {
      this.#silentTooLong = true;
      this.kill();
    });
    const environment: NodeJS.ProcessEnv = {
      ...allocatorTuning,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? compileCacheFolder,
    };
    for (const name of allowedEnvironment) if (process.env[name] !== undefined) environment[name] = process.env[name];
    this.#child = fork(entry, [side, String(streams)], {
      execPath: process.execPath,
      execArgv: heapLimits[side],
      env: environment,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#pipeLog(this.#child.stdout);
    this.#pipeLog(this.#child.stderr);
    this.exited = new Promise((resolve) => {
      let isSettled = false;
      const settle = (exitCode: number | null, signal: string | null): void => {
        if (isSettled) return;
        isSettled = true;
        this.#silence.stop();
        this.#killTimer?.stop();
        resolve(this.#outcome ?? this.#crash(exitCode, signal));
      };
      // 'exit' can come before the last message has been delivered; 'close' always comes after the last message.
      this.#child.once('close', settle);
      this.#child.once('error', (error) => {
        this.#logger.error('The data mover could not be started or reached', { error });
        if (this.#child.pid === undefined) settle(null, null);
      });
    });
    this.#child.on('message', (message) => {
      this.#receive(message as MoverEvent);
    });
    this.#silence.heard();
  }

  /** Sends the start message, once. The caller may zero its keys afterwards, because the message holds copies. */
  begin(start: MoverStart): void {
    this.#send(start);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the mover to end in order; kills it after a time limit. Safe to call twice. */
  abort(reason: ErrorInfo = new FarkeepError('call.canceled').toInfo()): void {
    if (this.#killTimer !== undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#send({ type: 'abort', reason });
    this.#killTimer = systemClock.startTimer(stopDeadlineMs, () => {
      this.kill();
    });
  }

  /** Ends the mover and waits until the process has ended. */
  async stop(reason?: ErrorInfo): Promise<MoverExit> {
    this.abort(reason);
    return this.exited;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(event: MoverEvent): void {
    this.#silence.heard();
    if (event.type === 'alive') {
      this.#send({ type: 'alive' });
      return;
    }
    if (event.type === 'finished') this.#outcome = { kind: 'finished' };
    if (event.type === 'failed') {
      this.#outcome = { kind: 'failed', error: errorInfoSchema.parse(event.error), isTampered: event.isTampered };
    }
    try {
      this.#onEvent(event);
    } catch (error) {
      this.#logger.error('An event of the data mover could not be handled', { event: event.type, error });
    }
  }

  #send(command: MoverCommand): void {
    if (!this.#child.connected) return;
    this.#child.send(command, (error) => {
      // A mover closes the channel before it exits; its exit is handled elsewhere.
      if (error !== null) this.#logger.debug('The data mover no longer receives commands', { command: command.type });
    });
  }

  #crash(exitCode: number | null, signal: string | null): MoverExit {
    let how = `with code ${exitCode ?? 'unknown'}`;
    if (signal !== null) how = `by signal ${signal}`;
    if (this.#silentTooLong) how = `after ${this.#heartbeatTimeoutMs} ms without a heartbeat`;
    const error = new FarkeepError('session.mover-died', `The ${this.#side} data mover ended unexpectedly, ${how}`);
    return { kind: 'crashed', error: error.toInfo(), exitCode, signal };
  }

  #pipeLog(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, maxLogLineLength);
      for (const line of lines) if (line !== '') this.#logger.info('mover', { line: line.slice(0, maxLogLineLength) });
    });
  }
}
