// Owns one service process from spawn to exit: ready, heartbeat, calls in flight, log, orderly stop, and why it ended. One object for one
// process; it is never started twice. Must not decide whether to start another: the supervisor does.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  messageFromServiceSchema,
  type CallResult,
  type EventMessage,
  type KeychainMessage,
  type MessageToService,
  type ReadyMessage,
} from '../../../services/contracts/carrier.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Logger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { pipeLog } from './log-pipe.ts';

export interface ServiceProgram {
  readonly executable: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Sent first over the process channel; `args` tell the service to wait for it. */
  readonly keychainKey?: KeychainKey | undefined;
}

export interface ServiceTimings {
  readonly startDeadlineMs: number;
  /** A service sends one every 2 s. */
  readonly heartbeatIntervalMs: number;
  /** So many missing ones are shown as degraded. */
  readonly missedForDegraded: number;
  /** So many missing ones mean that it will not come back by itself. */
  readonly missedForHung: number;
}

export const defaultServiceTimings: ServiceTimings = {
  startDeadlineMs: 60_000,
  heartbeatIntervalMs: 2_000,
  missedForDegraded: 3,
  missedForHung: 15,
};

/** Why a process is no more. */
export type ServiceEnd =
  | { readonly kind: 'stopped' }
  /** It said itself why it cannot start. */
  | { readonly kind: 'start-failed'; readonly error: ErrorInfo }
  | { readonly kind: 'crashed'; readonly error: ErrorInfo };

export interface ServiceProcessListener {
  onReady(ready: ReadyMessage): void;
  onHealth(health: 'running' | 'degraded', reason: string | null): void;
  onEvent(event: EventMessage): void;
  /** Exactly once, after the process and its log have ended. */
  onEnd(end: ServiceEnd): void;
}

export interface ServiceProcessOptions {
  readonly role: ServiceRole;
  readonly program: ServiceProgram;
  readonly timings: ServiceTimings;
  readonly logger: Logger;
  readonly writeLogLine: (line: string) => void;
  readonly listener: ServiceProcessListener;
}

interface PendingCall {
  readonly settle: (result: CallResult) => void;
}

export class ServiceProcess {
  readonly #options: ServiceProcessOptions;
  readonly #child: ChildProcess;
  readonly #calls = new Map<string, PendingCall>();
  readonly #ended: Promise<void>;
  readonly #startTimer: NodeJS.Timeout;
  #nextCall = 1;
  #isReady = false;
  #isStopping = false;
  #missedHeartbeats = 0;
  #startFailure: ErrorInfo | undefined;
  #killReason: string | undefined;
  #spawnFailure: Error | undefined;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    const { program, timings, role } = options;
    // spawn and not fork: Electron's fork adds ELECTRON_RUN_AS_NODE to the environment. JSON, since two V8 versions meet.
    this.#child = spawn(program.executable, [...program.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
      env: { ...program.environment },
      windowsHide: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) pipeLog(stream, options.writeLogLine);
    }
    if (program.keychainKey !== undefined) this.#handOver(program.keychainKey);
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.once('error', (error) => {
      this.#spawnFailure = error;
    });

    this.#startTimer = setTimeout(
      () => this.#kill(`it was not ready after ${timings.startDeadlineMs / 1000} s`),
      timings.startDeadlineMs,
    );
    const heartbeatTimer = setInterval(() => this.#expectHeartbeat(), timings.heartbeatIntervalMs);
    this.#ended = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearTimeout(this.#startTimer);
        clearInterval(heartbeatTimer);
        for (const { settle } of [...this.#calls.values()]) settle(lostResult(role));
        this.#options.listener.onEnd(this.#explainEnd(code, signal));
        resolve();
      };
      // 'close' comes after 'exit', when the log has been read to its end; it never comes when nothing was started.
      this.#child.once('close', finish);
      this.#child.once('error', () => {
        if (this.#child.pid === undefined) finish(null, null);
      });
    });
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Never rejects: whatever happens is in the result. */
  call(domain: string, command: string, input: unknown, signal: AbortSignal): Promise<CallResult> {
    const { role } = this.#options;
    if (!this.#isReady || !this.#child.connected) return Promise.resolve(lostResult(role));
    const id = String(this.#nextCall);
    this.#nextCall += 1;
    return new Promise((resolve) => {
      const onAbort = (): void => this.#send({ kind: 'cancel', id });
      this.#calls.set(id, {
        settle: (result) => {
          this.#calls.delete(id);
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        },
      });
      this.#send({ kind: 'call', id, domain, command, input });
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Asks for an orderly end; takes the process away when it is not over in time. Safe to call twice. */
  async stop(deadlineMs: number): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      if (this.#isReady && this.#child.connected) this.#send({ kind: 'stop', deadlineMs });
      else this.#child.kill('SIGTERM');
    }
    const force = setTimeout(() => {
      this.#options.logger.warn('service did not stop in time; it is ended by force', { role: this.#options.role });
      this.#child.kill('SIGKILL');
    }, deadlineMs + 2_000);
    await this.#ended;
    clearTimeout(force);
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
        clearTimeout(this.#startTimer);
        this.#missedHeartbeats = 0;
        this.#send({ kind: 'subscribe' });
        listener.onReady(message);
        break;
      case 'heartbeat':
        this.#missedHeartbeats = 0;
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

  #expectHeartbeat(): void {
    if (!this.#isReady || this.#isStopping) return;
    const { timings, listener } = this.#options;
    this.#missedHeartbeats += 1;
    const silentSeconds = Math.round((this.#missedHeartbeats * timings.heartbeatIntervalMs) / 1000);
    if (this.#missedHeartbeats > timings.missedForHung) this.#kill(`it gave no sign of life for ${silentSeconds} s`);
    else if (this.#missedHeartbeats > timings.missedForDegraded) {
      listener.onHealth('degraded', `It has given no sign of life for ${silentSeconds} s.`);
    }
  }

  #kill(reason: string): void {
    if (!this.#isReady && this.#isStopping) return;
    this.#killReason ??= reason;
    this.#child.kill('SIGKILL');
  }

  /** The channel is a socket between the two processes: the key is never in arguments, environment or files. */
  #handOver({ keychain, key }: KeychainKey): void {
    this.#send({ kind: 'keychain', keychain, key: key.bytes.toString('base64') });
  }

  #send(message: MessageToService | KeychainMessage): void {
    if (!this.#child.connected) return;
    // A failed send means that the process is going; its end settles everything that waits.
    this.#child.send(message, () => undefined);
  }

  #explainEnd(code: number | null, signal: NodeJS.Signals | null): ServiceEnd {
    if (this.#isStopping) return { kind: 'stopped' };
    if (this.#startFailure !== undefined) return { kind: 'start-failed', error: this.#startFailure };
    const { role, program } = this.#options;
    if (this.#spawnFailure !== undefined && this.#child.pid === undefined) {
      const error = new FarkeepError(
        'service.start-failed',
        `The ${role} service could not be started: ${program.executable} cannot be run (${this.#spawnFailure.message})`,
        { hint: 'Repair the installation; in a checkout, run "npm start" again.' },
      );
      return { kind: 'start-failed', error: error.toInfo() };
    }
    const how =
      this.#killReason ??
      (signal === null ? `it ended by itself with code ${String(code)}` : `it was ended by signal ${signal}`);
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
