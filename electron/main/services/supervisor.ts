// Owns which services run: starts, watches, restarts and stops one process for each role, and passes calls and events. Shows the state of
// each. Must not know what a service does.
import type { CallResult, EventMessage } from '../../../services/contracts/carrier.ts';
import { serviceRoles, type ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import type { Clock } from '../../../services/kernel/clock.ts';
import { Deadline } from '../../../services/kernel/deadline.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Logger } from '../../../services/kernel/logger.ts';
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts';
import {
  defaultServiceTimings,
  ServiceProcess,
  type ServiceEnd,
  type ServiceProgram,
  type ServiceTimings,
} from './service-process.ts';

export interface SupervisorOptions {
  readonly programOf: (role: ServiceRole) => ServiceProgram;
  readonly writeLogLine: (role: ServiceRole, line: string) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timings?: ServiceTimings;
  readonly restartPolicy?: RestartPolicy;
}

export interface SupervisedEvent {
  readonly role: ServiceRole;
  readonly incarnation: number;
  readonly event: EventMessage;
}

interface Entry {
  readonly role: ServiceRole;
  process: ServiceProcess | undefined;
  shown: SupervisedService;
  crashTimes: number[];
  /** Whether the service should run. A delayed restart checks this field again before it starts the service. */
  isWanted: boolean;
  /** Ends the wait before a restart. */
  waiting: AbortController | undefined;
}

/** How long a call waits for a service that is just starting (again). */
const callPatienceMs = 20_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #entries: ReadonlyMap<ServiceRole, Entry>;
  readonly #stateListeners = new Set<(service: SupervisedService) => void>();
  readonly #eventListeners = new Set<(event: SupervisedEvent) => void>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#entries = new Map(serviceRoles.map((role) => [role, newEntry(role)]));
  }

  list(): SupervisedService[] {
    return [...this.#entries.values()].map(({ shown }) => shown);
  }

  find(role: ServiceRole): SupervisedService {
    return this.#entry(role).shown;
  }

  /** Returns the function that ends the subscription. */
  onStateChanged(listener: (service: SupervisedService) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  onEvent(listener: (event: SupervisedEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Starts a service that does not run; forgets earlier crashes, since a person asked. */
  start(role: ServiceRole): void {
    const entry = this.#entry(role);
    entry.isWanted = true;
    entry.crashTimes = [];
    entry.waiting?.abort();
    if (entry.process === undefined) this.#launch(entry);
  }

  /** Ends a service in order. A service that waits for its restart is not started again. Safe to call twice. */
  async stop(role: ServiceRole, deadlineMs: number): Promise<void> {
    const entry = this.#entry(role);
    entry.isWanted = false;
    entry.waiting?.abort();
    if (entry.process === undefined) {
      if (entry.shown.state !== 'stopped') this.#show(entry, { state: 'stopped', reason: null, error: null });
      return;
    }
    this.#show(entry, { state: 'stopping', reason: null });
    await entry.process.stop(deadlineMs);
  }

  async stopAll(deadlineMs: number): Promise<void> {
    // The tenant stops first: it ends its sessions with the provider while the provider still answers.
    await this.stop('tenant', deadlineMs);
    await Promise.all(serviceRoles.map((role) => this.stop(role, deadlineMs)));
  }

  /** Passes one call to a service. If the service is just starting, the call waits up to `callPatienceMs`. Never rejects. */
  async call(
    role: ServiceRole,
    { domain, command, input }: { domain: string; command: string; input: unknown },
    signal: AbortSignal,
  ): Promise<CallResult> {
    const entry = this.#entry(role);
    if (!isAnswering(entry.shown)) await this.#waitForAnswer(entry, signal);
    if (entry.process === undefined || !isAnswering(entry.shown)) return notRunning(entry.shown);
    return entry.process.call(domain, command, input, signal);
  }

  #entry(role: ServiceRole): Entry {
    const entry = this.#entries.get(role);
    if (entry === undefined) throw new FarkeepError('call.unknown', `There is no service "${role}"`);
    return entry;
  }

  #launch(entry: Entry): void {
    const { role } = entry;
    const { programOf, logger, writeLogLine, timings = defaultServiceTimings } = this.#options;
    const incarnation = entry.shown.incarnation + 1;
    entry.process = new ServiceProcess({
      role,
      program: programOf(role),
      timings,
      logger,
      writeLogLine: (line) => writeLogLine(role, line),
      listener: {
        onReady: ({ listeners }) => {
          logger.info('service is ready', { role, incarnation, listeners });
          this.#show(entry, { state: 'running', reason: null, error: null, listeners });
        },
        onHealth: (health, reason) => {
          if (entry.shown.state !== health || entry.shown.reason !== reason)
            this.#show(entry, { state: health, reason });
        },
        onEvent: (event) => {
          for (const listener of this.#eventListeners) listener({ role, incarnation, event });
        },
        onEnd: (end) => this.#onEnd(entry, end),
      },
    });
    this.#show(entry, { state: 'starting', incarnation, pid: entry.process.pid, listeners: {} });
  }

  #onEnd(entry: Entry, end: ServiceEnd): void {
    const { logger, clock, restartPolicy = defaultRestartPolicy } = this.#options;
    const { role } = entry;
    entry.process = undefined;
    const gone = { pid: null, listeners: {} };
    if (end.kind === 'stopped') {
      this.#show(entry, { ...gone, state: 'stopped', reason: null, error: null });
      // The service was requested again while it was stopping.
      if (entry.isWanted) this.#launch(entry);
      return;
    }
    const { error } = end;
    logger.error('service ended', { role, kind: end.kind, code: error.code, reason: error.message });
    if (end.kind === 'start-failed' && !error.retryable) {
      entry.isWanted = false;
      this.#show(entry, { ...gone, state: 'failed', reason: error.message, error });
      return;
    }
    entry.crashTimes = [...entry.crashTimes, clock.now()].slice(-restartPolicy.maxCrashes);
    const decision = decideRestart(entry.crashTimes, restartPolicy);
    if (decision.kind === 'give-up') {
      entry.isWanted = false;
      const reason = `${error.message}. It ended ${restartPolicy.maxCrashes} times in a short while, so it is not started again.`;
      const final = { ...error, hint: 'Read the service log, correct the cause, then start the service.' };
      this.#show(entry, { ...gone, state: 'failed', reason, error: final });
      return;
    }
    const restarts = entry.shown.restarts + 1;
    this.#show(entry, {
      ...gone,
      state: 'starting',
      reason: `${error.message}. It is started again.`,
      error,
      restarts,
    });
    void this.#restartAfter(entry, decision.delayMs);
  }

  async #restartAfter(entry: Entry, delayMs: number): Promise<void> {
    const waiting = new AbortController();
    entry.waiting = waiting;
    await this.#options.clock.sleep(delayMs, waiting.signal).catch(() => undefined);
    if (entry.waiting === waiting) entry.waiting = undefined;
    if (entry.isWanted && entry.process === undefined) this.#launch(entry);
  }

  #show(entry: Entry, change: Partial<SupervisedService>): void {
    entry.shown = { ...entry.shown, ...change };
    for (const listener of this.#stateListeners) listener(entry.shown);
  }

  async #waitForAnswer(entry: Entry, signal: AbortSignal): Promise<void> {
    if (entry.shown.state !== 'starting') return;
    await new Promise<void>((resolve) => {
      const stopListening = this.onStateChanged((service) => {
        if (service.role === entry.role && service.state !== 'starting') finish();
      });
      const finish = (): void => {
        stopListening();
        patience.stop();
        resolve();
      };
      const patience = new Deadline({ limitMs: callPatienceMs, signal }, finish);
    });
  }
}

function newEntry(role: ServiceRole): Entry {
  return {
    role,
    process: undefined,
    crashTimes: [],
    isWanted: false,
    waiting: undefined,
    shown: {
      role,
      state: 'stopped',
      reason: null,
      error: null,
      pid: null,
      restarts: 0,
      incarnation: 0,
      listeners: {},
    },
  };
}

const isAnswering = ({ state }: SupervisedService): boolean => state === 'running' || state === 'degraded';

function notRunning({ role, state, reason }: SupervisedService): CallResult {
  const isComing = state === 'starting';
  const how = isComing ? 'is still starting' : state === 'failed' ? 'has failed' : 'does not run';
  const error = new FarkeepError(
    'service.not-running',
    `The ${role} service ${how}${reason === null ? '' : `: ${reason}`}`,
    {
      retryable: isComing,
      ...(isComing ? {} : { hint: `Start the ${role} service; its log says more.` }),
    },
  );
  return { ok: false, error: error.toInfo() };
}
