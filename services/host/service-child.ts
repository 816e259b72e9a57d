// Owns a service as a child process, from its start to its exit, for the command line and for tests. The console's supervisor restarts
// services; this file must not. Must not read the child's output: the channel carries all messages.
import { fileURLToPath } from 'node:url';
import { messageFromServiceSchema, type ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { passedEnvironment } from '../process/environment.ts';
import { SupervisedChild, type ChildExit } from '../process/supervised-child.ts';

export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceChild {
  readonly role: ServiceRole;
  readonly pid: number;
  readonly ready: ReadyMessage;
  readonly exited: Promise<ServiceExit>;
  /** Asks for an orderly end; kills the service 5 s after the deadline. */
  stop(deadlineMs: number): Promise<ServiceExit>;
  signal(signal: NodeJS.Signals): void;
}

export interface ServiceChildOptions {
  readonly role: ServiceRole;
  /** Root folder of the instance. */
  readonly home: string;
  /** Flags of `serve-entry.ts` apart from role and home. */
  readonly args?: readonly string[];
  /** The log file. The file (mode 0600) and its folder are created. */
  readonly logFile: string;
  readonly startDeadlineMs?: number;
  /** Cancels the start, but does not end a service that runs. */
  readonly signal?: AbortSignal;
  /** Another process entry script, for tests. */
  readonly entry?: string;
}

const serveEntry = fileURLToPath(new URL('./serve-entry.ts', import.meta.url));
const killGraceMs = 5_000;

/** @throws FarkeepError: the reason why the service did not start */
export async function spawnService(options: ServiceChildOptions): Promise<ServiceChild> {
  const { role, home, args = [], logFile, signal, startDeadlineMs = 30_000 } = options;
  signal?.throwIfAborted();
  const outcome = Promise.withResolvers<ReadyMessage>();
  const child = new SupervisedChild({
    program: process.execPath,
    args: [options.entry ?? serveEntry, role, '--home', home, ...args],
    environment: passedEnvironment(process.env),
    channel: {
      serialization: 'json',
      // Later messages (heartbeats) are ignored, but they must be read so that the channel does not fill.
      onMessage: (raw) => {
        const message = messageFromServiceSchema.safeParse(raw);
        if (!message.success) return;
        if (message.data.kind === 'ready') outcome.resolve(message.data);
        if (message.data.kind === 'start-failed') outcome.reject(FarkeepError.fromInfo(message.data.error));
      },
    },
    log: { file: logFile },
    // Ctrl-C reaches only the caller, which ends the services in order. When the caller dies, the channel closes and the service ends by
    // itself.
    isOwnGroup: true,
    start: { limitMs: startDeadlineMs, signal },
  });
  void child.exited.then((exit) => outcome.reject(startFailure(options, startDeadlineMs, exit)));
  const exited = child.exited.then(({ code, signal: killedBy }): ServiceExit => ({ code, signal: killedBy }));
  try {
    const ready = await outcome.promise;
    child.markReady();
    return {
      role,
      pid: ready.pid,
      ready,
      exited,
      signal: (name) => child.signal(name),
      async stop(deadlineMs) {
        await child.stop(deadlineMs + killGraceMs, { kind: 'stop', deadlineMs });
        return exited;
      },
    };
  } catch (error) {
    child.kill();
    await child.exited;
    throw error;
  }
}

function startFailure({ role }: ServiceChildOptions, startDeadlineMs: number, exit: ChildExit): FarkeepError {
  if (exit.killedFor === 'start-aborted') return new FarkeepError('call.canceled');
  if (exit.killedFor === 'start-late') {
    return new FarkeepError('call.timeout', `The ${role} service was not ready within ${startDeadlineMs} ms`);
  }
  if (exit.startError !== undefined) {
    const reason = exit.startError.message;
    return new FarkeepError('service.start-failed', `The ${role} service could not be started: ${reason}`);
  }
  const how = exit.signal ?? `exit code ${String(exit.code)}`;
  const tail = exit.lastLines.length === 0 ? '' : `:\n${exit.lastLines.join('\n')}`;
  return new FarkeepError('service.start-failed', `The ${role} service ended before it was ready (${how})${tail}`);
}
