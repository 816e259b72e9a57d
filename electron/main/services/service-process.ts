// Owns the messages between the console and one service process: ready, health, calls in flight, and a sentence about why the process
// ended. One object for one process. Must not decide whether to start another process: the supervisor does.
import {
  messageFromServiceSchema,
  type CallResult,
  type KeychainMessage,
  type MessageToService,
} from '../../../services/contracts/carrier.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { whenAborted } from '../../../services/kernel/deadline.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Logger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { hungAfterMs, type HeartbeatLimits } from '../../../services/process/heartbeat-watch.ts';
import { SupervisedChild, type ChildExit } from '../../../services/process/supervised-child.ts';
import { redactLine } from './redact-line.ts';
import type { ServiceEnd, ServiceLink, ServiceLinkListener } from './service-link.ts';

export interface ServiceProgram {
  readonly executable: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The key is the first message over the process channel. `args` tell the service to wait for the key. */
  readonly keychainKey?: KeychainKey | undefined;
}

export interface ServiceTimings {
  readonly startDeadlineMs: number;
  /** The time between two heartbeats. A service sends a heartbeat every 2 s. */
  readonly heartbeatIntervalMs: number;
  /** Number of missing heartbeats after which the service is shown as degraded. */
  readonly missedForDegraded: number;
  /** Number of missing heartbeats after which the service counts as hung: it will not come back by itself. */
  readonly missedForHung: number;
}

export const defaultServiceTimings: ServiceTimings = {
  startDeadlineMs: 60_000,
  heartbeatIntervalMs: 2_000,
  missedForDegraded: 3,
  missedForHung: 15,
};

/** Time that a service gets after its own deadline before it is killed. */
const stopGraceMs = 2_000;

export interface ServiceProcessOptions {
  readonly role: ServiceRole;
  readonly program: ServiceProgram;
  readonly timings: ServiceTimings;
  readonly logger: Logger;
  readonly writeLogLine: (line: string) => void;
  readonly listener: ServiceLinkListener;
}

interface PendingCall {
  readonly settle: (result: CallResult) => void;
}

export class ServiceProcess implements ServiceLink {
  readonly origin = 'started';
  readonly #options: ServiceProcessOptions;
  readonly #child: SupervisedChild;
  readonly #heartbeat: HeartbeatLimits;
  readonly #calls = new Map<string, PendingCall>();
  readonly #ended: Promise<void>;
  #nextCall = 1;
  #isReady = false;
  #isStopping = false;
  #startFailure: ErrorInfo | undefined;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    const { program, timings, writeLogLine } = options;
    this.#heartbeat = {
      intervalMs: timings.heartbeatIntervalMs,
      missedForHung: timings.missedForHung,
      missedForQuiet: timings.missedForDegraded,
      onQuiet: (silentMs) =>
        options.listener.onHealth('degraded', `It has given no sign of life for ${Math.round(silentMs / 1000)} s.`),
    };
    this.#child = new SupervisedChild({
      program: program.executable,
      args: program.args,
      environment: program.environment,
      channel: { serialization: 'json', onMessage: (message) => this.#receive(message) },
      log: { onLine: (line) => writeLogLine(redactLine(line)) },
      start: { limitMs: timings.startDeadlineMs },
      heartbeat: this.#heartbeat,
    });
    if (program.keychainKey !== undefined) this.#handOver(program.keychainKey);
    this.#ended = this.#child.exited.then((exit) => this.#onExit(exit));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  call(domain: string, command: string, input: unknown, signal: AbortSignal): Promise<CallResult> {
    const { role } = this.#options;
    if (!this.#isReady || !this.#child.isConnected) return Promise.resolve(lostResult(role));
    const id = String(this.#nextCall);
    this.#nextCall += 1;
    return new Promise((resolve) => {
      this.#calls.set(id, {
        settle: (result) => {
          this.#calls.delete(id);
          stopListening();
          resolve(result);
        },
      });
      this.#send({ kind: 'call', id, domain, command, input });
      const stopListening = whenAborted(signal, () => this.#send({ kind: 'cancel', id }));
    });
  }

  /** Asks the service to end in order. Kills the process when the service does not end in time. Safe to call twice. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const request: MessageToService = { kind: 'stop', deadlineMs };
    await this.#child.stop(deadlineMs + stopGraceMs, this.#isReady ? request : undefined);
    await this.#ended;
  }

  /** The process ends with its console. */
  leave(deadlineMs: number): Promise<void> {
    return this.stop(deadlineMs);
  }

  #receive(raw: unknown): void {
    const parsed = messageFromServiceSchema.safeParse(raw);
    if (!parsed.success) {
      this.#options.logger.warn('service sent a message outside the contract', { role: this.#options.role });
      return;
    }
    const message = parsed.data;
    const { listener } = this.#options;
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        this.#child.markReady();
        this.#child.heard();
        this.#send({ kind: 'subscribe' });
        listener.onReady(message);
        break;
      case 'heartbeat':
        this.#child.heard();
        if (this.#isReady && !this.#isStopping) listener.onHealth(message.health, message.reason ?? null);
        break;
      case 'result':
        this.#calls.get(message.id)?.settle(message.result);
        break;
      case 'event':
        listener.onEvent(message);
        break;
      case 'start-failed':
        this.#startFailure = message.error;
        break;
    }
  }

  /** The channel is a socket between the two processes: the key is never in arguments, environment or files. */
  #handOver({ keychain, key }: KeychainKey): void {
    this.#send({ kind: 'keychain', keychain, key: key.bytes.toString('base64') });
  }

  #send(message: MessageToService | KeychainMessage): void {
    this.#child.send(message);
  }

  #onExit(exit: ChildExit): void {
    const { role, listener, logger } = this.#options;
    if (exit.killedFor === 'stop-late') logger.warn('service did not stop in time; it was ended by force', { role });
    for (const { settle } of [...this.#calls.values()]) settle(lostResult(role));
    listener.onEnd(this.#explainEnd(exit));
  }

  #explainEnd({ kind, code, signal, killedFor, startError }: ChildExit): ServiceEnd {
    if (kind === 'stopped') return { kind: 'stopped' };
    if (this.#startFailure !== undefined) return { kind: 'start-failed', error: this.#startFailure };
    const { role, program, timings } = this.#options;
    if (startError !== undefined) {
      const error = new FarkeepError(
        'service.start-failed',
        `The ${role} service could not be started: ${program.executable} cannot be run (${startError.message})`,
        { hint: 'Repair the installation; in a checkout, run "npm start" again.' },
      );
      return { kind: 'start-failed', error: error.toInfo() };
    }
    let how = signal === null ? `it ended by itself with code ${String(code)}` : `it was ended by signal ${signal}`;
    if (killedFor === 'start-late') how = `it was not ready after ${timings.startDeadlineMs / 1000} s`;
    if (killedFor === 'silent') {
      how = `it gave no sign of life for ${Math.round(hungAfterMs(this.#heartbeat) / 1000)} s`;
    }
    const error = new FarkeepError('service.not-running', `The ${role} service is gone: ${how}`, {
      hint: 'It is started again by itself; the service log says more.',
    });
    return { kind: 'crashed', error: error.toInfo() };
  }
}

function lostResult(role: ServiceRole): CallResult {
  const error = new FarkeepError('connection.lost', `The ${role} service ended before it answered`, {
    hint: 'It is started again by itself; then repeat what you did.',
  });
  return { ok: false, error: error.toInfo() };
}
