// Owns a service's whole process: start, ready message, heartbeat, signals, the console's channel, exit code. The only place in services
// that ends a process. Must not know what a role does.
import { userInfo } from 'node:os';
import type { MessageFromService, ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import { errorCatalogue, exitCodes } from '../contracts/errors.ts';
import { every } from '../kernel/schedule.ts';
import { systemClock } from '../kernel/clock.ts';
import { toFarkeepError, type FarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger, type LogLevel } from '../kernel/logger.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { createProcessCarrier, hasProcessChannel, sendToParent } from './carriers/process-carrier.ts';
import { hostService, type HostedService, type HostServiceOptions } from './service-host.ts';

export interface ServeProcessOptions {
  readonly role: ServiceRole;
  readonly home: string;
  readonly logLevel: LogLevel;
  readonly start: HostServiceOptions['start'];
  /** Disposed when the start is over. */
  readonly keychainKey?: KeychainKey | undefined;
  /** Called once when the service takes calls. */
  readonly onReady?: (ready: ReadyMessage) => void;
  /** Called when it cannot start; the exit code follows from the error's code. */
  readonly onStartFailed?: (error: FarkeepError) => void;
  /** How long SIGTERM and SIGINT leave to running sessions. */
  readonly stopDeadlineMs?: number;
}

/** The console takes three missing ones for a hang. */
const heartbeatIntervalMs = 2_000;
/** Below systemd's default of 90 s and the console's own. */
const defaultStopDeadlineMs = 20_000;
/** One Ctrl-C can arrive several times: from the terminal, and again from a program that passes it on. */
const sameSignalMs = 1_000;
const crashExitCode = 70;

/** Runs until the service has ended. @returns the exit code */
export async function serveProcess(options: ServeProcessOptions): Promise<number> {
  const { role } = options;
  const logger = createLogger({ level: options.logLevel, name: role });
  const stopDeadlineMs = options.stopDeadlineMs ?? defaultStopDeadlineMs;
  const isSupervised = hasProcessChannel();
  // Databases, locks and sockets are for this account only, also where a library makes the file.
  process.umask(0o077);

  // After an unforeseen error the state of the process is unknown, so the supervisor (console or systemd) starts a new process. A disk that
  // refuses a write is foreseen, even where the error was not caught: a new process would meet the same disk and could not even start.
  const crash = (kind: string) => (error: unknown) => {
    logger.error(kind, { error });
    if (toFarkeepError(error).code.startsWith('storage.')) return;
    process.exit(crashExitCode);
  };
  process.on('uncaughtException', crash('uncaught exception'));
  process.on('unhandledRejection', crash('unhandled rejection'));
  // A log reader or console that went away must not end a service.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);

  const end = Promise.withResolvers<number>();
  let hosted: HostedService | undefined;
  let isStopping = false;
  let firstSignalAtMs: number | undefined;
  let earlyStop: (() => void) | undefined;
  const requestStop = (reason: string, deadlineMs: number): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info('stopping', { reason, deadlineMs });
    if (hosted === undefined) {
      earlyStop = () => endService(deadlineMs);
      return;
    }
    endService(deadlineMs);
  };
  const endService = (deadlineMs: number): void => {
    hosted?.stop(deadlineMs).then(
      () => end.resolve(exitCodes.done),
      (error: unknown) => {
        logger.error('the service did not end in an orderly way', { error });
        end.resolve(exitCodes.failed);
      },
    );
  };
  const takeEarlyStop = (): (() => void) | undefined => earlyStop;
  const onSignal = (signal: NodeJS.Signals): void => {
    // The second one means: now. Everything on disk is written so that this is safe.
    const nowMs = performance.now();
    firstSignalAtMs ??= nowMs;
    if (nowMs - firstSignalAtMs > sameSignalMs)
      process.exit(signal === 'SIGINT' ? exitCodes.canceled : exitCodes.failed);
    requestStop(signal, stopDeadlineMs);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);

  try {
    hosted = await hostService({
      role,
      home: options.home,
      start: options.start,
      keychainKey: options.keychainKey,
      logger,
      clock: systemClock,
      onStopRequested: (deadlineMs) => requestStop('asked at the local socket', deadlineMs),
    });
  } catch (thrown) {
    const error = toFarkeepError(thrown, 'service.start-failed');
    logger.error('cannot start', { code: error.code, reason: error.message, ...causeOf(thrown) });
    options.onStartFailed?.(error);
    if (isSupervised) await sendToParent({ kind: 'start-failed', error: error.toInfo() });
    return errorCatalogue[error.code].exitCode;
  } finally {
    options.keychainKey?.key.dispose();
  }

  const stopSupervised = isSupervised ? superviseOver(hosted, requestStop, logger) : undefined;
  logger.info('ready', { listeners: hosted.ready.listeners, pid: process.pid });
  options.onReady?.(hosted.ready);
  // Asked to stop while it was still starting.
  takeEarlyStop()?.();

  const exitCode = await end.promise;
  stopSupervised?.();
  logger.info('stopped');
  return exitCode;
}

/** Speaks with the console that forked this process. */
function superviseOver(
  hosted: HostedService,
  requestStop: (reason: string, deadlineMs: number) => void,
  logger: HostServiceOptions['logger'],
): () => void {
  const carrier = createProcessCarrier({
    dispatcher: hosted.dispatcher,
    events: hosted.events,
    logger,
    account: userInfo().username,
    onStopRequested: (deadlineMs) => requestStop('asked by the console', deadlineMs),
    onDisconnected: () => requestStop('the console is gone', defaultStopDeadlineMs),
    onCaughtUp: () => hosted.announce(),
  });
  const heartbeat = (): MessageFromService => {
    const { health, reason } = hosted.health();
    return { kind: 'heartbeat', health, ...(reason === null ? {} : { reason }) };
  };
  carrier.send(hosted.ready);
  const heartbeats = every(heartbeatIntervalMs, () => carrier.send(heartbeat()));
  const stopWatching = hosted.onHealthChanged(() => carrier.send(heartbeat()));
  return () => {
    heartbeats.stop();
    stopWatching();
    carrier.close();
    if (process.connected) process.disconnect?.();
  };
}

function causeOf(thrown: unknown): { stack?: string } {
  return thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {};
}
