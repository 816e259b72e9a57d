import { describe, expect, it, vi } from 'vitest';
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';
import { CallError } from '../../../services/contracts/client.ts';
import { exampleSession } from '../../testing/example-session.ts';
import { gatewayOf, jobOf, promptOf, serviceOf, sessionOf, tenantOf } from '../../testing/fixtures.ts';
import { makeErrorInfo } from '../error-info.ts';
import type { ProviderSlice, TenantSlice } from './mirror-state.ts';
import { openSessionKey } from './mirror-state.ts';
import { Mirror } from './mirror.ts';
import type { SnapshotSource } from './snapshots.ts';

/** Services that answer when the test allows it, and count the calls. */
function createServices() {
  const asked = { console: 0, provider: 0, gateway: 0, tenant: 0, points: 0, pins: 0, session: 0 };
  const answers: { provider: Partial<ProviderSlice>; tenant: Partial<TenantSlice> } = { provider: {}, tenant: {} };
  const holds: (() => void)[] = [];
  let isHolding = false;
  let failure: Error | null = null;
  let pinsLeftOut: TenantSlice['leftOut'] = [];
  const maybeHold = async (): Promise<void> => {
    if (isHolding) await new Promise<void>((resolve) => holds.push(resolve));
    if (failure !== null) throw failure;
  };
  const source: SnapshotSource = {
    async console() {
      asked.console += 1;
      await maybeHold();
      return {
        roles: ['provider', 'tenant'],
        services: [serviceOf('provider'), serviceOf('tenant')],
        preferences: null,
      };
    },
    async provider() {
      asked.provider += 1;
      const answer = answers.provider;
      await maybeHold();
      return answer;
    },
    async gateway() {
      asked.gateway += 1;
      await maybeHold();
      return { node: null };
    },
    async tenant() {
      asked.tenant += 1;
      const answer = answers.tenant;
      await maybeHold();
      return answer;
    },
    async points() {
      asked.points += 1;
      await maybeHold();
      return { items: [], unreachable: [], unreadable: [], leftOut: [] };
    },
    async pins() {
      asked.pins += 1;
      await maybeHold();
      return { pins: [], leftOut: pinsLeftOut };
    },
    async session() {
      asked.session += 1;
      await maybeHold();
      return { detail: exampleSession('tenant'), samples: [], leftOut: [] };
    },
  };
  return {
    source,
    asked,
    answers,
    leavePinsOut: (leftOut: TenantSlice['leftOut']) => (pinsLeftOut = leftOut),
    hold: () => (isHolding = true),
    release: () => {
      isHolding = false;
      for (const resolve of holds.splice(0)) resolve();
    },
    failWith: (error: Error | null) => (failure = error),
  };
}

const settle = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
};

function createMirror() {
  const services = createServices();
  const mirror = new Mirror({ snapshots: services.source, schedule: (work) => queueMicrotask(work) });
  const sequences = { console: 0, provider: 0, gateway: 0, tenant: 0 };
  const send = (
    target: BridgeEvent['target'],
    name: string,
    payload: unknown,
    change: Partial<BridgeEvent> = {},
  ): void => {
    sequences[target] += 1;
    const [domain = '', event = ''] = name.split('.');
    mirror.receive({ target, incarnation: 1, sequence: sequences[target], domain, event, payload, ...change });
  };
  const skip = (target: BridgeEvent['target']): void => void (sequences[target] += 1);
  return { ...services, mirror, send, skip };
}

describe('Mirror', () => {
  it('fetches the console first, then every running service', async () => {
    const { mirror, asked, answers } = createMirror();
    answers.provider = { gateways: [gatewayOf(1)] };
    await mirror.start();
    await settle();
    expect(asked).toMatchObject({ console: 1, provider: 1, tenant: 1, gateway: 0 });
    expect(mirror.store.getState().provider).toMatchObject({ load: 'ready', gateways: [{ name: 'gw1' }] });
  });

  it('applies events without a new fetch', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    send('provider', 'tenants.changed', tenantOf(1));
    send('provider', 'tenants.changed', tenantOf(1, { isEnabled: false }));
    send('provider', 'tenants.changed', tenantOf(2));
    send('provider', 'tenants.removed', { tenantId: tenantOf(2).id });
    await settle();
    expect(mirror.store.getState().provider.tenants).toMatchObject([{ name: 'tenant-1', isEnabled: false }]);
    expect(asked.provider).toBe(1);
  });

  it('fetches again after a gap, and then uses the snapshot', async () => {
    const { mirror, asked, answers, send, skip } = createMirror();
    await mirror.start();
    await settle();
    send('tenant', 'jobs.changed', jobOf(1));
    skip('tenant');
    answers.tenant = { jobs: [jobOf(1), jobOf(2)] };
    send('tenant', 'jobs.changed', jobOf(3));
    await settle();
    expect(asked.tenant).toBe(2);
    expect(mirror.store.getState().tenant.jobs.map(({ name }) => name)).toEqual(['Nightly documents', 'Job 2']);
  });

  it('does not lose an event that arrives during the fetch of a snapshot', async () => {
    const { mirror, hold, release, answers, send } = createMirror();
    answers.provider = { tenants: [tenantOf(1)] };
    await mirror.start();
    await settle();
    hold();
    const refetched = mirror.refetch('provider');
    await settle();
    // The snapshot was taken before this event, so the snapshot does not contain the change.
    send('provider', 'tenants.changed', tenantOf(2));
    await settle();
    release();
    await refetched;
    expect(mirror.store.getState().provider.tenants.map(({ name }) => name)).toEqual(['tenant-1', 'tenant-2']);
  });

  it('fetches once more after several requests during a fetch', async () => {
    const { mirror, hold, release, asked } = createMirror();
    await mirror.start();
    await settle();
    hold();
    const first = mirror.refetch('provider');
    await settle();
    const others = [mirror.refetch('provider'), mirror.refetch('provider'), mirror.refetch('provider')];
    release();
    await Promise.all([first, ...others]);
    expect(asked.provider).toBe(3);
  });

  it('fetches when a service restarts, and drops late events of the old process', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    send('provider', 'tenants.changed', tenantOf(1));
    send(
      'console',
      'console.serviceChanged',
      serviceOf('provider', { state: 'starting', restarts: 1, incarnation: 2 }),
    );
    send('console', 'console.serviceChanged', serviceOf('provider', { restarts: 1, incarnation: 2 }));
    await settle();
    expect(asked.provider).toBe(2);
    send('provider', 'gateways.changed', gatewayOf(1), { incarnation: 2, sequence: 1 });
    send('provider', 'gateways.changed', gatewayOf(9), { incarnation: 1, sequence: 50 });
    await settle();
    expect(mirror.store.getState().provider.gateways.map(({ name }) => name)).toEqual(['gw1']);
  });

  it('treats an event that does not fit the contract as a gap', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    send('provider', 'tenants.changed', { name: 'half a tenant' });
    await settle();
    expect(asked.provider).toBe(2);
    expect(mirror.store.getState().provider.tenants).toEqual([]);
  });

  it('shows why a snapshot failed and keeps the old data', async () => {
    const { mirror, answers, failWith } = createMirror();
    answers.provider = { tenants: [tenantOf(1)] };
    await mirror.start();
    await settle();
    failWith(new CallError(makeErrorInfo('service.not-running', 'The provider service is gone.')));
    await mirror.refetch('provider');
    const { provider } = mirror.store.getState();
    expect(provider).toMatchObject({ load: 'failed', loadError: { code: 'service.not-running' } });
    expect(provider.tenants).toHaveLength(1);
  });

  it('keeps the list of missing rows, and fetches the pins without losing the others', async () => {
    const { mirror, answers, leavePinsOut, send } = createMirror();
    const jobs = { list: 'jobs', count: 1, names: ['Nightly'] };
    answers.tenant = { leftOut: [jobs, { list: 'pins', count: 2, names: ['a', 'b'] }] };
    await mirror.start();
    await settle();
    send('tenant', 'jobs.changed', jobOf(1));
    await settle();
    expect(mirror.store.getState().tenant.leftOut).toHaveLength(2);
    leavePinsOut([{ list: 'pins', count: 1, names: ['b'] }]);
    send('tenant', 'trust.pinsChanged', {});
    await settle();
    expect(mirror.store.getState().tenant.leftOut).toEqual([jobs, { list: 'pins', count: 1, names: ['b'] }]);
  });

  it('keeps one prompt for each identity, and removes settled prompts', async () => {
    const { mirror, send } = createMirror();
    await mirror.start();
    await settle();
    send('tenant', 'trust.promptRaised', promptOf('changed'));
    send('tenant', 'trust.promptRaised', promptOf('changed'));
    await settle();
    expect(mirror.store.getState().tenant.prompts).toHaveLength(1);
    send('tenant', 'trust.promptSettled', { promptId: promptOf('changed').id, answer: 'refuse' });
    await settle();
    expect(mirror.store.getState().tenant.prompts).toHaveLength(0);
  });

  it('fetches restore points only after a page needs them, and then keeps them up to date', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    send('tenant', 'points.changed', {});
    await settle();
    expect(asked.points).toBe(0);
    await mirror.wantPoints();
    send('tenant', 'points.changed', {});
    await settle();
    expect(asked.points).toBe(2);
  });

  it('keeps restore points between visits, and loads old ones again in the background', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const { mirror, asked } = createMirror();
      await mirror.start();
      await settle();
      await mirror.wantPoints();
      const loads: string[] = [];
      mirror.store.subscribe(({ tenant }) => loads.push(tenant.points.load));
      await mirror.wantPoints();
      expect(asked.points).toBe(1);
      vi.setSystemTime(Date.now() + 61_000);
      await mirror.wantPoints();
      expect(asked.points).toBe(2);
      expect(new Set(loads)).toEqual(new Set(['ready']));
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('open sessions', () => {
  const key = openSessionKey('tenant', exampleSession('tenant').id);

  it('follow their events until the last viewer leaves', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    const { id, progress } = exampleSession('tenant');
    const closeFirst = mirror.openSession('tenant', id);
    const closeSecond = mirror.openSession('tenant', id);
    await settle();
    expect(asked.session).toBe(1);
    const payload = {
      sessionId: id,
      at: new Date().toISOString(),
      progress: { ...progress, processedBytes: 7 },
      bottleneck: null,
    };
    send('tenant', 'sessions.progressed', payload);
    await settle();
    expect(mirror.store.getState().openSessions[key]?.detail?.progress.processedBytes).toBe(7);
    closeFirst();
    closeFirst();
    expect(mirror.store.getState().openSessions[key]).toBeDefined();
    closeSecond();
    expect(mirror.store.getState().openSessions[key]).toBeUndefined();
  });

  it('are fetched again after a change of state or attempt, not after every change of totals', async () => {
    const { mirror, asked, send } = createMirror();
    await mirror.start();
    await settle();
    const { id } = exampleSession('tenant');
    mirror.openSession('tenant', id);
    await settle();
    const row = sessionOf(1, { id, state: 'transferring', attempt: 2, endedAt: null });
    send('tenant', 'sessions.changed', row);
    send('tenant', 'sessions.changed', { ...row, warningCount: 3 });
    await settle();
    expect(asked.session).toBe(2);
    send('tenant', 'sessions.changed', { ...row, state: 'waiting-to-resume' });
    await settle();
    expect(asked.session).toBe(3);
  });

  it('keep a security warning, even if the step reports a better outcome later', async () => {
    const { mirror, send } = createMirror();
    await mirror.start();
    await settle();
    const { id, steps } = exampleSession('tenant');
    mirror.openSession('tenant', id);
    await settle();
    const step = steps.find((candidate) => candidate.step === 'streams-open' && candidate.attempt === 2);
    if (step === undefined) throw new Error('the example has no such step');
    send('tenant', 'sessions.stepped', { sessionId: id, step: { ...step, outcome: 'security-warning' } });
    send('tenant', 'sessions.stepped', { sessionId: id, step });
    await settle();
    const shown = mirror.store.getState().openSessions[key]?.detail?.steps ?? [];
    expect(shown.filter((candidate) => candidate.step === 'streams-open').map(({ outcome }) => outcome)).toEqual([
      'done',
      'security-warning',
    ]);
  });

  it('take key identifiers from the steps', async () => {
    const { mirror, send } = createMirror();
    await mirror.start();
    await settle();
    const { id, steps } = exampleSession('tenant');
    mirror.openSession('tenant', id);
    await settle();
    const step = steps.find((candidate) => candidate.step === 'key-a-created');
    if (step === undefined) throw new Error('the example has no such step');
    send('tenant', 'sessions.stepped', {
      sessionId: id,
      step: { ...step, attempt: 3, keyIdentifier: '00000000000000aa' },
    });
    await settle();
    expect(mirror.store.getState().openSessions[key]?.detail?.keys.at(-1)).toEqual({
      attempt: 3,
      keyA: '00000000000000aa',
      keyB: null,
    });
  });
});
