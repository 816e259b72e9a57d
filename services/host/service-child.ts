// Owns a service as a child process, from fork to exit, for the command line and for tests. The console's supervisor restarts services;
// this one never does. Must not read the child's output: the channel says everything.
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageFromServiceSchema, type ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import { Deadline } from '../kernel/deadline.ts';
import { systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceChild {
  readonly role: ServiceRole;
  readonly pid: number;
  readonly ready: ReadyMessage;
  readonly exited: Promise<ServiceExit>;
  /** Asks for an orderly end; kills when the deadline has passed by 5 s. */
  stop(deadlineMs: number): Promise<ServiceExit>;
  signal(signal: NodeJS.Signals): void;
}

export interface ServiceChildOptions {
  readonly role: ServiceRole;
  /** Root folder of the instance. */
  readonly home: string;
  /** Flags of `serve-entry.ts` besides role and home. */
  readonly args?: readonly string[];
  /** Where its log goes; made with its folder, mode 0600. */
  readonly logFile: string;
  readonly startDeadlineMs?: number;
  /** Ends the start (not the service, once it runs). */
  readonly signal?: AbortSignal;
  /** Another process entry, for tests. */
  readonly entry?: string;
}

const serveEntry = fileURLToPath(new URL('./serve-entry.ts', import.meta.url));
/** Nothing else of the caller's environment reaches a service: no NODE_OPTIONS, no secrets. */
const passedEnvironment =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|APPDATA|LOCALAPPDATA|XDG_.*)$/;
const killGraceMs = 5_000;
const logTailLines = 5;

/** @throws FarkeepError: what kept the service from starting */
export async function spawnService(options: ServiceChildOptions): Promise<ServiceChild> {
  options.signal?.throwIfAborted();
  mkdirSync(path.dirname(options.logFile), { recursive: true, mode: 0o700 });
  const log = openSync(options.logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = fork(options.entry ?? serveEntry, [options.role, '--home', options.home, ...(options.args ?? [])], {
      stdio: ['ignore', 'ignore', log, 'ipc'],
      serialization: 'json',
      execArgv: [],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => passedEnvironment.test(name))),
      // A group of its own: Ctrl-C reaches the caller first, who ends the services in order. When the caller dies, the channel closes
      // and the service ends by itself.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<ServiceExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  try {
    const ready = await waitForReady(child, exited, options);
    return {
      role: options.role,
      pid: ready.pid,
      ready,
      exited,
      signal: (signal) => void child.kill(signal),
      async stop(deadlineMs) {
        if (child.connected) child.send({ kind: 'stop', deadlineMs });
        using _limit = systemClock.startTimer(deadlineMs + killGraceMs, () => child.kill('SIGKILL'));
        return await exited;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function waitForReady(
  child: ChildProcess,
  exited: Promise<ServiceExit>,
  { role, startDeadlineMs = 30_000, signal, logFile }: ServiceChildOptions,
): Promise<ReadyMessage> {
  const outcome = Promise.withResolvers<ReadyMessage>();
  const onMessage = (raw: unknown): void => {
    const message = messageFromServiceSchema.safeParse(raw);
    if (!message.success) return;
    if (message.data.kind === 'ready') outcome.resolve(message.data);
    if (message.data.kind === 'start-failed') outcome.reject(FarkeepError.fromInfo(message.data.error));
  };
  using _deadline = new Deadline({ limitMs: startDeadlineMs, signal }, (reason) =>
    outcome.reject(
      reason === 'aborted'
        ? new FarkeepError('call.canceled')
        : new FarkeepError('call.timeout', `The ${role} service was not ready within ${startDeadlineMs} ms`),
    ),
  );
  child.on('message', onMessage);
  child.once('error', (cause) =>
    outcome.reject(
      new FarkeepError('service.start-failed', `The ${role} service could not be started: ${cause.message}`),
    ),
  );
  void exited.then(async ({ code, signal: killedBy }) => {
    const tail = await readLogTail(logFile);
    const reason = killedBy === null ? `exit code ${String(code)}` : killedBy;
    outcome.reject(
      new FarkeepError('service.start-failed', `The ${role} service ended before it was ready (${reason})${tail}`),
    );
  });
  try {
    return await outcome.promise;
  } finally {
    child.off('message', onMessage);
    // Later messages (heartbeats) are of no interest, but must be read so that the channel never fills.
    child.on('message', () => undefined);
  }
}

async function readLogTail(logFile: string): Promise<string> {
  try {
    const lines = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-logTailLines);
    return lines.length === 0 ? '' : `:\n${lines.join('\n')}`;
  } catch {
    return '';
  }
}
