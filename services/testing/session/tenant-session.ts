// Owns one tenant session with a manual clock and fakes on every side. For tests only.
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { LiveSession } from '../../session/live-session.ts';
import type { ProviderKnowledge } from '../../session/machine/tenant-states.ts';
import type { SessionPlan } from '../../tenant/sessions/session-attempt.ts';
import { SessionReporter } from '../../tenant/sessions/session-reporter.ts';
import { SessionRunner } from '../../tenant/sessions/session-runner.ts';
import type { ProviderLink } from '../../tenant/providers/provider-link.ts';
import type { ControlPeer } from '../../transport/control-peer.ts';
import { mint } from '../certificates/minted-certificates.ts';
import { ManualClock } from '../manual-clock.ts';
import { FakeMover, FakePeer, FakeProvider, sessionId as id, untilAborted } from './tenant-session-fakes.ts';

export const retryIntervalMs = 15_000;
export const retryWindowMs = 30 * 60_000;
export const stallTimeoutMs = 60_000;
const { certDer } = mint({ names: ['gw'] });

const plan: SessionPlan = {
  ...{ operation: 'backup', jobId: 'b'.repeat(32), jobName: 'documents', repository: 'main', pointId: id, streams: 1 },
  moverOperation: {
    ...{ kind: 'backup', sourcePaths: ['/s'], excludes: [], jobId: 'b'.repeat(32), jobName: 'documents', pointId: id },
    fileCachePath: '/f',
  },
};

export interface Made {
  readonly knows?: ProviderKnowledge;
  readonly isRestored?: boolean;
  readonly operation?: SessionPlan['operation'];
  readonly prepare?: (live: LiveSession) => void;
}

/** The rest of the world of one session, for its test to act. */
interface Surroundings {
  /** The result of the next dials. */
  dial: () => Promise<void>;
  tunnel: () => Promise<void>;
  troubled: number;
  granted: number;
  measured: number;
  usageAsked: number;
}

export interface TenantSession {
  readonly clock: ManualClock;
  readonly live: LiveSession;
  readonly runner: SessionRunner;
  readonly provider: FakeProvider;
  readonly peers: readonly FakePeer[];
  readonly movers: readonly FakeMover[];
  /** The latest mover. */
  readonly mover: () => FakeMover;
  /** The latest connection. */
  readonly peer: () => FakePeer;
  readonly on: Surroundings;
  readonly settle: () => Promise<void>;
  /** Aborted when the service stops. */
  readonly stopping: AbortController;
}

export function makeSession({
  knows = 'no',
  isRestored = false,
  operation = 'backup',
  prepare = () => undefined,
}: Made = {}): TenantSession {
  const clock = new ManualClock(Date.UTC(2026, 10, 29));
  const reporter = new SessionReporter({ areNamesHidden: false });
  const live = LiveSession.create(
    {
      ...{ id, kind: operation, jobName: 'documents', otherSide: 'northwind', repository: 'main', viewer: 'tenant' },
      ...{ streams: 1, areObjectNamesHidden: false },
    },
    clock,
    [reporter],
  );
  prepare(live);
  const provider = new FakeProvider();
  const peers: FakePeer[] = [];
  const movers: FakeMover[] = [];
  const on: Surroundings = {
    dial: () => Promise.resolve(),
    tunnel: () => Promise.resolve(),
    ...{ troubled: 0, granted: 0, measured: 0, usageAsked: 0 },
  };
  const gateway = { name: 'gw0', host: 'gw', port: 6180 };
  const connect = (): ProviderLink => {
    const peer = new FakePeer(provider);
    peers.push(peer);
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' };
    return {
      channel: { peer: peer as unknown as ControlPeer, tls, channelBinding: () => Buffer.alloc(32) },
      ...{ gateway, dialed: gateway, presented: { leafDer: certDer } },
      ...{ decision: { decision: 'pinned', reasons: [] }, hello: {}, clockDifferenceMs: 0 },
    } as unknown as ProviderLink;
  };
  const stopping = new AbortController();
  const runner = new SessionRunner({
    ...{ live, plan: { ...plan, operation }, reporter, clock, knows, isRestored, logger: silentLogger },
    ...{ retryIntervalMs, retryWindowMs, stallTimeoutMs, promptWaitMs: 60 * 60_000 },
    provider: () => ({ id: 'p' }) as ServiceProvider,
    dialer: {
      dial: async (_provider, { signal }) => {
        await Promise.race([on.dial(), untilAborted(signal)]);
        return connect();
      },
      noteTrouble: () => void (on.troubled += 1),
      askUsage: () => {
        on.usageAsked += 1;
        return Promise.resolve();
      },
      withLink: async (_provider, _signal, work) => {
        await on.dial();
        return work(connect());
      },
    },
    tools: {
      timers: clock,
      startMover: (_plan, options) => {
        const mover = new FakeMover(options);
        movers.push(mover);
        return mover;
      },
      deliverKeyB: async ({ signal, onOpened }) => {
        await Promise.race([on.tunnel(), untilAborted(signal)]);
        onOpened();
      },
    },
    untilStop: stopping.signal,
    onGranted: () => void (on.granted += 1),
    onMeasured: () => {
      on.measured += 1;
      return Promise.resolve();
    },
  });
  const latest = <Each>(list: readonly Each[]): Each => {
    const last = list.at(-1);
    if (last === undefined) throw new Error('None has been created yet');
    return last;
  };
  const settle = (): Promise<void> => clock.advance(0);
  const mover = (): FakeMover => latest(movers);
  const peer = (): FakePeer => latest(peers);
  return { clock, live, runner, provider, peers, movers, mover, peer, on, settle, stopping };
}
