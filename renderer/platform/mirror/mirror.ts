// Owns keeping the mirror up to date: snapshots first, then events. A gap or a restarted process causes new snapshots. Never polls.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';
import type { CallTarget, ServiceRole } from '../../../services/contracts/contract.ts';
import type { SessionSide } from '../clients.ts';
import { toErrorInfo } from '../error-info.ts';
import { applyEvent } from './apply-event.ts';
import { EventFeed } from './event-feed.ts';
import { emptyMirror, emptyOpenSession, openSessionKey } from './mirror-state.ts';
import type { Loaded, MirrorState } from './mirror-state.ts';
import type { SnapshotSource } from './snapshots.ts';
import { typeEvent } from './typed-event.ts';
import type { TypedEvent } from './typed-event.ts';

interface MirrorOptions {
  readonly snapshots: SnapshotSource;
  /** Collects events into one change of the store. The window redraws at most this often. */
  readonly schedule: (work: () => void) => void;
}

interface PendingEvent {
  readonly target: CallTarget;
  readonly event: TypedEvent;
}

/** Runs one fetch at a time for each snapshot. A request during a fetch causes exactly one more fetch. */
class Refresh {
  #running: Promise<void> | null = null;
  #askedCount = 0;
  readonly #work: () => Promise<void>;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** `work` must not reject. */
  ask(): Promise<void> {
    this.#askedCount += 1;
    this.#running ??= this.#repeat();
    return this.#running;
  }

  async #repeat(): Promise<void> {
    // Waits for a tick, so that `#running` is set before the work can request another run.
    await Promise.resolve();
    let answeredCount: number;
    do {
      answeredCount = this.#askedCount;
      await this.#work();
    } while (answeredCount !== this.#askedCount);
    this.#running = null;
  }
}

const isUp = (state: string): boolean => state === 'running' || state === 'degraded';

/** A visit after this time loads the restore points again, in the background. */
const freshPointsMs = 60_000;

export class Mirror {
  readonly store: StoreApi<MirrorState> = createStore<MirrorState>(() => emptyMirror);
  readonly #snapshots: SnapshotSource;
  readonly #schedule: MirrorOptions['schedule'];
  readonly #feeds: Readonly<Record<CallTarget, EventFeed>>;
  readonly #targets: Readonly<Record<CallTarget, Refresh>>;
  readonly #points: Refresh;
  #pointsLoadedAtMs = -Infinity;
  readonly #pins: Refresh;
  readonly #sessions = new Map<string, { readonly refresh: Refresh; viewers: number; seen: string }>();
  readonly #loadedIncarnation = new Map<ServiceRole, number>();
  #pending: PendingEvent[] = [];
  /** Events that arrived during the fetch of their snapshot. The snapshot may be older than these events. */
  #replay = new Map<CallTarget, PendingEvent[]>();

  constructor({ snapshots, schedule }: MirrorOptions) {
    this.#snapshots = snapshots;
    this.#schedule = schedule;
    const feed = (): EventFeed => new EventFeed();
    this.#feeds = { console: feed(), provider: feed(), gateway: feed(), tenant: feed() };
    const refresh = (target: CallTarget): Refresh => new Refresh(() => this.#load(target));
    this.#targets = {
      console: refresh('console'),
      provider: refresh('provider'),
      gateway: refresh('gateway'),
      tenant: refresh('tenant'),
    };
    this.#points = new Refresh(() => this.#loadPoints());
    this.#pins = new Refresh(() => this.#loadPins());
  }

  /** Call after the event subscription exists, so that no event is missed. */
  async start(): Promise<void> {
    await this.#targets.console.ask();
  }

  receive(message: BridgeEvent): void {
    const verdict = this.#feeds[message.target].accept(message);
    if (verdict === 'stale') return;
    const event = typeEvent(message);
    if (event !== null) {
      this.#pending.push({ target: message.target, event });
      if (this.#pending.length === 1) this.#schedule(() => this.flush());
    }
    if (verdict === 'gap' || event === null) void this.refetch(message.target);
  }

  /** Fetches the snapshots of a target, and of each of its open sessions. */
  async refetch(target: CallTarget): Promise<void> {
    const sessions = [...this.#sessions].filter(([key]) => key.startsWith(`${target}/`));
    await Promise.all([this.#targets[target].ask(), ...sessions.map(([, { refresh }]) => refresh.ask())]);
  }

  /** Applies the collected events. */
  flush(): void {
    const events = this.#pending;
    this.#pending = [];
    const before = this.store.getState();
    let state = before;
    for (const pending of events) {
      this.#replay.get(pending.target)?.push(pending);
      state = applyEvent(state, pending.target, pending.event);
    }
    this.store.setState(state, true);
    for (const { target, event } of events) this.#follow(target, event);
  }

  /** Keeps the session open until the returned function is called. */
  openSession(side: SessionSide, sessionId: string): () => void {
    const key = openSessionKey(side, sessionId);
    const known = this.#sessions.get(key);
    const entry = known ?? { refresh: new Refresh(() => this.#loadSession(side, sessionId)), viewers: 0, seen: '' };
    entry.viewers += 1;
    this.#sessions.set(key, entry);
    if (known === undefined) {
      this.#patchOpenSession(key, {});
      void entry.refresh.ask();
    }
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      entry.viewers -= 1;
      if (entry.viewers > 0) return;
      this.#sessions.delete(key);
      const { [key]: _closed, ...others } = this.store.getState().openSessions;
      this.store.setState({ openSessions: others });
    };
  }

  refetchSession(side: SessionSide, sessionId: string): void {
    void this.#sessions.get(openSessionKey(side, sessionId))?.refresh.ask();
  }

  /**
   * Pages that show restore points call this at each visit. From then on the mirror keeps the points up to date. Known points stay in view
   * while they are loaded again: another computer of the tenant may have made some.
   */
  async wantPoints({ isForced = false } = {}): Promise<void> {
    const { points } = this.store.getState().tenant;
    const isFresh = Date.now() - this.#pointsLoadedAtMs < freshPointsMs;
    if (points.isWanted && !isForced && points.load !== 'failed' && isFresh) return;
    this.#patchPoints({ isWanted: true });
    await this.#points.ask();
  }

  setPreferences(preferences: NonNullable<MirrorState['console']['preferences']>): void {
    this.store.setState(({ console }) => ({ console: { ...console, preferences } }));
  }

  clearCloseRequest(): void {
    this.store.setState(({ console }) => ({ console: { ...console, closeRequest: null } }));
  }

  #follow(target: CallTarget, event: TypedEvent): void {
    switch (event.name) {
      case 'console.serviceChanged':
        this.#followService(event.payload.role);
        break;
      case 'trust.pinsChanged':
        void this.#pins.ask();
        break;
      case 'points.changed':
        if (this.store.getState().tenant.points.isWanted) void this.#points.ask();
        break;
      case 'sessions.changed':
        this.#followSession(`${target}/${event.payload.id}`, `${event.payload.state} ${event.payload.attempt}`);
        break;
      default:
        break;
    }
  }

  /** TLS, gateway and next attempt are only in the detail, so a change of state or attempt fetches the detail again. */
  #followSession(key: string, stage: string): void {
    const entry = this.#sessions.get(key);
    if (entry === undefined || entry.seen === stage) return;
    entry.seen = stage;
    void entry.refresh.ask();
  }

  #followService(role: ServiceRole): void {
    const service = this.store.getState().console.services.find((candidate) => candidate.role === role);
    if (service === undefined) return;
    if (!isUp(service.state)) {
      this.#loadedIncarnation.delete(role);
      return;
    }
    if (this.#loadedIncarnation.get(role) === service.incarnation) return;
    this.#loadedIncarnation.set(role, service.incarnation);
    void this.refetch(role);
  }

  async #load(target: CallTarget): Promise<void> {
    this.#patch(target, this.store.getState()[target].load === 'ready' ? {} : { load: 'loading' });
    this.flush();
    this.#replay.set(target, []);
    try {
      const patch = await this.#snapshots[target]();
      this.#patch(target, { ...patch, load: 'ready', loadError: null });
      this.flush();
      let state = this.store.getState();
      for (const { event } of this.#replay.get(target) ?? []) state = applyEvent(state, target, event);
      this.store.setState(state, true);
    } catch (error) {
      this.#patch(target, { load: 'failed', loadError: toErrorInfo(error) });
    } finally {
      this.#replay.delete(target);
    }
    if (target === 'console') for (const { role } of this.store.getState().console.services) this.#followService(role);
    if (target === 'tenant' && this.store.getState().tenant.points.isWanted) void this.#points.ask();
  }

  async #loadPoints(): Promise<void> {
    this.#patchPoints({ load: this.store.getState().tenant.points.load === 'ready' ? 'ready' : 'loading' });
    this.#pointsLoadedAtMs = Date.now();
    try {
      this.#patchPoints({ ...(await this.#snapshots.points()), load: 'ready', loadError: null });
    } catch (error) {
      this.#patchPoints({ load: 'failed', loadError: toErrorInfo(error) });
    }
  }

  async #loadPins(): Promise<void> {
    try {
      const { pins, leftOut } = await this.#snapshots.pins();
      const ofOtherLists = this.store.getState().tenant.leftOut.filter(({ list }) => list !== 'pins');
      this.#patch('tenant', { pins, leftOut: [...ofOtherLists, ...leftOut] });
    } catch (error) {
      this.#patch('tenant', { loadError: toErrorInfo(error) });
    }
  }

  async #loadSession(side: SessionSide, sessionId: string): Promise<void> {
    const key = openSessionKey(side, sessionId);
    const isFirst = this.store.getState().openSessions[key]?.detail === null;
    if (isFirst) this.#patchOpenSession(key, { load: 'loading' });
    try {
      const snapshot = await this.#snapshots.session(side, sessionId);
      this.flush();
      this.#patchOpenSession(key, { ...snapshot, load: 'ready', loadError: null });
    } catch (error) {
      this.#patchOpenSession(key, { load: 'failed', loadError: toErrorInfo(error) });
    }
  }

  #patch(target: CallTarget, patch: Partial<MirrorState[CallTarget]> & Partial<Loaded>): void {
    this.store.setState((state) => ({ ...state, [target]: { ...state[target], ...patch } }));
  }

  #patchPoints(patch: Partial<MirrorState['tenant']['points']>): void {
    this.store.setState(({ tenant }) => ({ tenant: { ...tenant, points: { ...tenant.points, ...patch } } }));
  }

  #patchOpenSession(key: string, patch: Partial<MirrorState['openSessions'][string]>): void {
    if (!this.#sessions.has(key)) return;
    this.store.setState(({ openSessions }) => ({
      openSessions: { ...openSessions, [key]: { ...emptyOpenSession, ...openSessions[key], ...patch } },
    }));
  }
}
