import { describe, expect, it } from 'vitest';
import { noProgress, type SessionState, type SessionSummary } from '../../../services/contracts/models/session.ts';
import { serviceRoles, type ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedEvent } from '../services/supervisor.ts';
import { createSessionWatch, type SessionWatch } from './session-watch.ts';

function changed(role: ServiceRole, id: string, state: SessionState): SupervisedEvent {
  const payload: SessionSummary = {
    id: id.repeat(32),
    kind: 'backup',
    jobName: 'Documents',
    otherSide: 'Provider',
    repository: 'Main',
    state,
    attempt: 1,
    createdAt: '2026-11-21T10:00:00.000Z',
    endedAt: null,
    progress: noProgress,
    warningCount: 0,
    error: null,
    hasSecurityWarning: false,
    pointId: null,
  };
  return { role, incarnation: 1, event: { kind: 'event', sequence: 1, domain: 'sessions', event: 'changed', payload } };
}

function watch(): { sessions: SessionWatch; ended: string[] } {
  const ended: string[] = [];
  return {
    ended,
    sessions: createSessionWatch(({ id, state }, role) => ended.push(`${role} ${id.slice(0, 1)} ${state}`)),
  };
}

describe('running sessions', () => {
  it('count once if both sides run on this computer', () => {
    const { sessions } = watch();
    sessions.observe(changed('tenant', 'a', 'transferring'));
    sessions.observe(changed('provider', 'a', 'transferring'));
    sessions.observe(changed('provider', 'b', 'connecting'));
    expect(sessions.runningCount(serviceRoles)).toBe(2);
    expect(sessions.runningCount(['tenant'])).toBe(1);
    sessions.observe(changed('provider', 'b', 'succeeded'));
    expect(sessions.runningCount(serviceRoles)).toBe(1);
  });

  it('do not include paused sessions, but the end of a paused session is reported', () => {
    const { sessions, ended } = watch();
    sessions.observe(changed('tenant', 'a', 'transferring'));
    sessions.observe(changed('tenant', 'a', 'paused'));
    expect(sessions.runningCount(serviceRoles)).toBe(0);
    sessions.observe(changed('tenant', 'a', 'failed'));
    expect(ended).toEqual(['tenant a failed']);
  });

  it('are removed with their process', () => {
    const { sessions } = watch();
    sessions.observe(changed('tenant', 'a', 'transferring'));
    sessions.forget('tenant');
    expect(sessions.runningCount(serviceRoles)).toBe(0);
  });
});

describe('the end of a session', () => {
  it('is reported once, by the side that is first', () => {
    const { sessions, ended } = watch();
    sessions.observe(changed('tenant', 'a', 'transferring'));
    sessions.observe(changed('provider', 'a', 'transferring'));
    sessions.observe(changed('provider', 'a', 'failed'));
    sessions.observe(changed('tenant', 'a', 'failed'));
    expect(ended).toEqual(['provider a failed']);
  });

  it('is not reported for old sessions that only appear in a list', () => {
    const { sessions, ended } = watch();
    sessions.observe(changed('tenant', 'a', 'succeeded'));
    expect(ended).toEqual([]);
  });

  it('is not read from a message that does not fit the contract', () => {
    const { sessions } = watch();
    const event = changed('tenant', 'a', 'transferring');
    sessions.observe({ ...event, event: { ...event.event, payload: { id: 'x' } } });
    expect(sessions.runningCount(serviceRoles)).toBe(0);
  });
});
