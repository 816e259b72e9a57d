// Owns which services run: starts, watches, restarts and stops one process for each role, or attaches to a service that runs already and
// waits for it when it goes away. Passes calls and events. Shows the state of each. Must not know what a service does.
import type { CallResult, EventMessage } from '../../../services/contracts/carrier.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import { serviceRoles, type ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import type { Clock } from '../../../services/kernel/clock.ts';
import { Deadline } from '../../../services/kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Logger } from '../../../services/kernel/logger.ts';
import { attachService, defaultAttachTimings, type AttachTimings, type ConnectService } from './attached-service.ts';
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts';
import type { ServiceEnd, ServiceLink, ServiceLinkListener } from './service-link.ts';
import { defaultServiceTimings, ServiceProcess, type ServiceProgram, type ServiceTimings } from './service-process.ts';

export interface SupervisorOptions {
  readonly programOf: (role: ServiceRole) => ServiceProgram;
  /** How to reach a service that runs already. Without it, the supervisor always starts its own. */
  readonly connect?: ConnectService;
  /** Whether another program starts the service of this role. The supervisor then waits for it and starts none by itself. */
  readonly isStartedElsewhere?: (role: ServiceRole) => boolean;
  readonly writeLogLine: (role: ServiceRole, line: string) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timings?: ServiceTimings;
  readonly restartPolicy?: RestartPolicy;
  readonly attachTimings?: AttachTimings;
}

export interface SupervisedEvent {
  readonly role: ServiceRole;
  readonly incarnation: number;
  readonly event: EventMessage;
}

interface Entry {
  readonly role: ServiceRole;
  link: ServiceLink | undefined;
  shown: SupervisedService;
  crashTimes: number[];
  /** Whether the service should run. A delayed restart checks this field again before it starts the service. */
  isWanted: boolean;
  /** Changes with each request to start or stop. An attempt to attach with an older number has no effect. */
  turn: number;
  /** Ends the wait before a restart, or before the next attempt to attach. */
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

  /** Attaches to a service that runs already, else starts one. Forgets earlier crashes, since a person asked. */
  start(role: ServiceRole): void {
    this.#request(role, this.#options.isStartedElsewhere?.(role) ?? false);
  }

  /** The same, and starts a service here also if another program usually starts it. */
  startHere(role: ServiceRole): void {
    this.#request(role, false);
  }

  /** Ends a service in order, also an attached one. A service that is awaited is not waited for any more. Safe to call twice. */
  stop(role: ServiceRole, deadlineMs: number): Promise<void> {
    return this.#end(role, (link) => link.stop(deadlineMs));
  }

  /** Stops a service that this console started, and disconnects from an attached one, which runs on. Safe to call twice. */
  leave(role: ServiceRole, deadlineMs: number): Promise<void> {
    return this.#end(role, (link) => link.leave(deadlineMs));
  }

  async leaveAll(deadlineMs: number): Promise<void> {
    // The tenant stops first: it ends its sessions with the provider while the provider still answers.
    await this.leave('tenant', deadlineMs);
    await Promise.all(serviceRoles.map((role) => this.leave(role, deadlineMs)));
  }

  /** Passes one call to a service. If the service is just starting, the call waits up to `callPatienceMs`. Never rejects. */
  async call(
    role: ServiceRole,
    { domain, command, input }: { domain: string; command: string; input: unknown },
    signal: AbortSignal,
  ): Promise<CallResult> {
    const entry = this.#entry(role);
    if (!isAnswering(entry.shown)) await this.#waitForAnswer(entry, signal);
    if (entry.link === undefined || !isAnswering(entry.shown)) return notRunning(entry.shown);
    return entry.link.call(domain, command, input, signal);
  }

  #entry(role: ServiceRole): Entry {
    const entry = this.#entries.get(role);
    if (entry === undefined) throw new FarkeepError('call.unknown', `There is no service "${role}"`);
    return entry;
  }

  #request(role: ServiceRole, isStartedElsewhere: boolean): void {
    const entry = this.#entry(role);
    entry.isWanted = true;
    entry.crashTimes = [];
    entry.turn += 1;
    entry.waiting?.abort();
    if (entry.link === undefined) this.#begin(entry, isStartedElsewhere);
  }

  async #end(role: ServiceRole, endLink: (link: ServiceLink) => Promise<void>): Promise<void> {
    const entry = this.#entry(role);
    entry.isWanted = false;
    entry.turn += 1;
    entry.waiting?.abort();
    if (entry.link === undefined) {
      if (entry.shown.state !== 'stopped') this.#show(entry, stopped);
      return;
    }
    this.#show(entry, { state: 'stopping', reason: null });
    await endLink(entry.link);
  }

  #begin(entry: Entry, isStartedElsewhere: boolean): void {
    const { connect } = this.#options;
    if (connect === undefined) {
      this.#launch(entry);
      return;
    }
    const { turn } = entry;
    this.#show(entry, { state: 'starting', reason: null, error: null, canStartHere: false });
    void this.#attach(entry, connect).then((error) => {
      if (entry.turn !== turn || error === undefined) return;
      if (error.code === 'call.refused') this.#fail(entry, error.toInfo());
      else if (isStartedElsewhere) this.#awaitService(entry, connect, null);
      else this.#launch(entry);
    });
  }

  /** Returns the reason why no service can be attached; undefined when one is attached, or the attempt has become obsolete. */
  async #attach(entry: Entry, connect: ConnectService): Promise<FarkeepError | undefined> {
    const { logger, attachTimings = defaultAttachTimings } = this.#options;
    const { role, turn } = entry;
    const incarnation = entry.shown.incarnation + 1;
    try {
      const { link, info } = await attachService(role, connect, this.#listener(entry, incarnation), attachTimings);
      if (entry.turn !== turn) {
        await link.leave();
        return undefined;
      }
      entry.link = link;
      logger.info('attached to a running service', { role, incarnation, pid: info.pid });
      this.#show(entry, { origin: 'attached', incarnation, pid: info.pid, error: null, canStartHere: false });
      link.begin(info);
      return undefined;
    } catch (error) {
      return toFarkeepError(error);
    }
  }

  /** Waits until the service of another program answers. Starts none: two services would compete for the folder. */
  #awaitService(entry: Entry, connect: ConnectService, error: ErrorInfo | null): void {
    const { clock, logger, attachTimings = defaultAttachTimings } = this.#options;
    const { role, turn } = entry;
    const waiting = new AbortController();
    entry.waiting = waiting;
    logger.info('waiting for a service that another program starts', { role });
    this.#show(entry, { ...gone, state: 'awaited', origin: 'attached', reason: null, error, canStartHere: false });
    const since = clock.now();
    const isCurrent = (): boolean => entry.turn === turn && entry.link === undefined;
    const wait = async (): Promise<void> => {
      while (isCurrent()) {
        await clock.sleep(attachTimings.retryMs, waiting.signal).catch(() => undefined);
        const failure = isCurrent() ? await this.#attach(entry, connect) : undefined;
        if (failure === undefined || !isCurrent()) return;
        const shownError = failure.code === 'service.not-running' ? error : failure.toInfo();
        const canStartHere = clock.now() - since >= attachTimings.graceMs;
        if (canStartHere !== entry.shown.canStartHere || shownError?.code !== entry.shown.error?.code)
          this.#show(entry, { canStartHere, error: shownError });
      }
    };
    void wait();
  }

  /** The events of a link that is not the current one are dropped. */
  #listener(entry: Entry, incarnation: number): ServiceLinkListener {
    const { role } = entry;
    const isCurrent = (): boolean => entry.link !== undefined && entry.shown.incarnation === incarnation;
    return {
      onReady: ({ listeners }) => {
        this.#options.logger.info('service is ready', { role, incarnation, listeners });
        this.#show(entry, { state: 'running', reason: null, error: null, listeners: { ...listeners } });
      },
      onHealth: (health, reason) => {
        if (isCurrent() && (entry.shown.state !== health || entry.shown.reason !== reason))
          this.#show(entry, { state: health, reason });
      },
      onEvent: (event) => {
        if (!isCurrent()) return;
        for (const listener of this.#eventListeners) listener({ role, incarnation, event });
      },
      onEnd: (end) => {
        if (isCurrent()) this.#onEnd(entry, end);
      },
    };
  }

  #launch(entry: Entry): void {
    const { role } = entry;
    const { programOf, logger, writeLogLine, timings = defaultServiceTimings } = this.#options;
    const incarnation = entry.shown.incarnation + 1;
    const process = new ServiceProcess({
      role,
      program: programOf(role),
      timings,
      logger,
      writeLogLine: (line) => writeLogLine(role, line),
      listener: this.#listener(entry, incarnation),
    });
    entry.link = process;
    this.#show(entry, {
      ...{ state: 'starting', origin: 'started', incarnation, pid: process.pid },
      ...{ listeners: {}, canStartHere: false },
    });
  }

  #fail(entry: Entry, error: ErrorInfo, reason = error.message): void {
    entry.isWanted = false;
    this.#show(entry, { ...gone, state: 'failed', reason, error, canStartHere: false });
  }

  #onEnd(entry: Entry, end: ServiceEnd): void {
    const { logger, clock, connect, restartPolicy = defaultRestartPolicy } = this.#options;
    const { role } = entry;
    entry.link = undefined;
    if (end.kind === 'stopped') {
      this.#show(entry, stopped);
      // The service was requested again while it was stopping.
      if (entry.isWanted) this.#begin(entry, false);
      return;
    }
    const { error } = end;
    logger.error('service ended', { role, kind: end.kind, code: error.code, reason: error.message });
    // A service that another program starts at this moment has the lock already, but does not answer yet.
    if (connect !== undefined && (end.kind === 'lost' || error.code === 'service.locked')) {
      this.#awaitService(entry, connect, end.kind === 'lost' ? null : error);
      return;
    }
    if (end.kind === 'start-failed' && !error.retryable) {
      this.#fail(entry, error);
      return;
    }
    entry.crashTimes = [...entry.crashTimes, clock.now()].slice(-restartPolicy.maxCrashes);
    const decision = decideRestart(entry.crashTimes, restartPolicy);
    if (decision.kind === 'give-up') {
      const reason = `${error.message}. It ended ${restartPolicy.maxCrashes} times in a short while, so it is not started again.`;
      const final = { ...error, hint: 'Read the service log, correct the cause, then start the service.' };
      this.#fail(entry, final, reason);
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
    if (entry.isWanted && entry.link === undefined) this.#launch(entry);
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
    link: undefined,
    crashTimes: [],
    isWanted: false,
    turn: 0,
    waiting: undefined,
    shown: {
      role,
      state: 'stopped',
      origin: 'started',
      canStartHere: false,
      reason: null,
      error: null,
      pid: null,
      restarts: 0,
      incarnation: 0,
      listeners: {},
    },
  };
}

const gone = { pid: null, listeners: {} };
const stopped = { ...gone, state: 'stopped', reason: null, error: null, canStartHere: false } as const;

const isAnswering = ({ state }: SupervisedService): boolean => state === 'running' || state === 'degraded';

function notRunning({ role, state, reason }: SupervisedService): CallResult {
  const isComing = state === 'starting' || state === 'awaited';
  const how = { starting: 'is still starting', failed: 'has failed', awaited: 'does not answer' };
  const error = new FarkeepError(
    'service.not-running',
    `The ${role} service ${Object.hasOwn(how, state) ? how[state as keyof typeof how] : 'does not run'}${reason === null ? '' : `: ${reason}`}`,
    {
      retryable: isComing,
      ...(isComing ? {} : { hint: `Start the ${role} service; its log says more.` }),
    },
  );
  return { ok: false, error: error.toInfo() };
}
