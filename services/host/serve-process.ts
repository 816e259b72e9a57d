// Owns a service's whole process: start, ready message, heartbeat, signals, the console's channel, exit code. No other code in services
// ends the process. Must not know the roles.
import { userInfo } from 'node:os';
import type { MessageFromService, ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import { errorCatalogue, exitCodes } from '../contracts/errors.ts';
import { every } from '../kernel/schedule.ts';
import { systemClock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger, type LogLevel } from '../kernel/logger.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { createProcessCarrier, hasProcessChannel, sendToParent } from './carriers/process-carrier.ts';
import { hostService, type HostedService, type HostServiceOptions } from './service-host.ts';

export interface ServeProcessOptions {
  readonly role: ServiceRole;
  readonly home: string;
  readonly logLevel: LogLevel;
  readonly start: HostServiceOptions['start'];
  readonly settingsSource?: HostServiceOptions['settingsSource'];
  /** Disposed when the start is complete. */
  readonly keychainKey?: KeychainKey | undefined;
  /** Called once when the service accepts calls. */
  readonly onReady?: (ready: ReadyMessage) => void;
  /** Called when the service cannot start. The exit code depends on the error's code. */
  readonly onStartFailed?: (error: FarkeepError) => void;
  /** How much time running sessions get after SIGTERM or SIGINT. */
  readonly stopDeadlineMs?: number;
}

/** After three missing heartbeats, the console considers the service hung. */
const heartbeatIntervalMs = 2_000;
/** Shorter than systemd's default of 90 s, and than the console's limit. */
const defaultStopDeadlineMs = 20_000;
/** One Ctrl-C can arrive several times: from the terminal, and again from a program that passes the signal on. */
const sameSignalMs = 1_000;
const crashExitCode = 70;

/** Runs until the service has ended. @returns the exit code */
export async function serveProcess(options: ServeProcessOptions): Promise<number> {
  const { role } = options;
  const logger = createLogger({ level: options.logLevel, name: role });
  const stopDeadlineMs = options.stopDeadlineMs ?? defaultStopDeadlineMs;
  const isSupervised = hasProcessChannel();
  // Databases, locks and sockets must be readable only for this account, even if a library creates the file.
  process.umask(0o077);

  // After an unexpected error, the state of the process is unknown, so the supervisor (console or systemd) starts a new process. A disk
  // that refuses a write is an expected error, even when no code caught it: a new process would get the same error and could not start.
  const crash = (kind: string) => (error: unknown) => {
    logger.error(kind, { error });
    if (toFarkeepError(error).code.startsWith('storage.')) return;
    process.exit(crashExitCode);
  };
  process.on('uncaughtException', crash('uncaught exception'));
  process.on('unhandledRejection', crash('unhandled rejection'));
  // A closed pipe to a log reader or console must not end a service.
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
    // The second signal requests an immediate end. All data on disk survives an immediate end.
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
      settingsSource: options.settingsSource,
      logger,
      clock: systemClock,
      onStopRequested: (deadlineMs) => requestStop('requested at the local socket', deadlineMs),
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
  // A stop was requested during the start.
  takeEarlyStop()?.();

  const exitCode = await end.promise;
  stopSupervised?.();
  logger.info('stopped');
  return exitCode;
}

/** Handles the channel to the console that started this process. */
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
    onStopRequested: (deadlineMs) => requestStop('requested by the console', deadlineMs),
    onDisconnected: () => requestStop('the console is gone', defaultStopDeadlineMs),
    onCaughtUp: () => hosted.announce(),
  });
  const heartbeat = (): MessageFromService => {
    const { health, reason } = hosted.health();
    return { kind: 'heartbeat', health, ...(reason === null ? {} : { reason }) };
  };
  carrier.send(hosted.ready);
  // Without it, a service that starts as degraded would be shown as running until the next heartbeat.
  carrier.send(heartbeat());
  const heartbeats = every(heartbeatIntervalMs, () => carrier.send(heartbeat()));
  const stopWatching = hosted.onHealthChanged(() => carrier.send(heartbeat()));
  return () => {
    heartbeats.stop();
    stopWatching();
    carrier.close();
    if (process.connected) process.disconnect?.();
  };
}

/** An expected error names its reason and the next step, and a stack would hide them. */
function causeOf(thrown: unknown): { stack?: string; next?: string } {
  if (thrown instanceof FarkeepError) return { next: thrown.hint };
  return thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {};
}
