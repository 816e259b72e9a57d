// A follower sees the final state of a session for any order of snapshots and events.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EventMessage } from '../contracts/carrier.ts';
import { noProgress, type SessionDetail, type SessionState } from '../contracts/models/session.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import type { AdminClient } from './carriers/admin-client.ts';
import { followSession } from './session-follower.ts';

const sessionId = 'a'.repeat(32);

/** A service whose answers to `show` come from the test, one after the other. */
function fakeService() {
  const listeners = new Set<(event: EventMessage) => void>();
  const asked: ((detail: SessionDetail) => void)[] = [];
  let sequence = 0;
  const client = {
    role: 'tenant',
    domain: () => ({ show: () => new Promise<SessionDetail>((resolve) => asked.push(resolve)) }),
    subscribe: (listener: (event: EventMessage) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    closed: new Promise<void>(() => undefined),
  } as unknown as AdminClient;
  return {
    client,
    changed(state: SessionState): void {
      sequence += 1;
      const event = { kind: 'event', domain: sessionsDomain.name, event: 'changed', sequence, payload: detail(state) };
      for (const listener of listeners) listener(event as unknown as EventMessage);
    },
    async answer(state: SessionState): Promise<void> {
      const settle = asked.shift();
      if (settle === undefined) throw new Error('No snapshot was requested');
      settle(detail(state));
      await setImmediate();
    },
    openQuestions: () => asked.length,
  };
}

function detail(state: SessionState): SessionDetail {
  const at = '2026-11-22T10:00:00.000Z';
  return {
    id: sessionId,
    kind: 'backup',
    jobName: 'documents',
    otherSide: 'northwind',
    repository: 'main',
    state,
    attempt: 1,
    createdAt: at,
    endedAt: null,
    progress: noProgress,
    warningCount: 0,
    error: null,
    hasSecurityWarning: false,
    pointId: null,
    viewer: 'tenant',
    gateway: null,
    certificateSha256: null,
    tls: null,
    steps: [],
    keys: [],
    streams: 0,
    bottleneck: null,
    objects: [],
    areObjectNamesHidden: false,
    actions: [],
    warnings: [],
    nextAttemptAt: null,
    resumeUntil: null,
  };
}

describe('following a session', () => {
  it('sees a change that arrived before the first snapshot', async () => {
    const service = fakeService();
    const states: SessionState[] = [];
    const end = followSession(service.client, sessionId, {
      listener: { onProgress: ({ state }) => states.push(state) },
    });
    service.changed('waiting-to-resume');
    await service.answer('connecting');
    await service.answer('waiting-to-resume');
    expect(states).toEqual(['connecting', 'waiting-to-resume']);
    service.changed('canceled');
    await service.answer('canceled');
    expect((await end).state).toBe('canceled');
  });

  it('sees an end that arrived while an older snapshot was on its way', async () => {
    const service = fakeService();
    const end = followSession(service.client, sessionId);
    service.changed('succeeded');
    service.changed('succeeded');
    expect(service.openQuestions()).toBe(1);
    await service.answer('transferring');
    await service.answer('succeeded');
    expect((await end).state).toBe('succeeded');
    expect(service.openQuestions()).toBe(0);
  });
});
