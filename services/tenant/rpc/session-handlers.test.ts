// The sessions domain of the tenant: each command is one question to the sessions.
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { sampleDetail } from '../../testing/session/sample-session.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';
import { sessionHandlers } from './session-handlers.ts';

const sessionId = 'a'.repeat(32);
const sample = { at: '2027-03-01T12:00:00.000Z', readBytesPerSecond: 1, transferredBytesPerSecond: 2 };
const unsigned = { statement: '{}', signature: null, algorithm: null, certificate: null };

describe('the sessions of a tenant', () => {
  let asked: string[];
  let failure: FarkeepError | undefined;
  let calls: DomainClient<typeof sessionsDomain>;

  beforeEach(() => {
    asked = [];
    failure = undefined;
    const ask = (what: string) => async (id: string) => {
      asked.push(`${what} ${id}`);
      if (failure !== undefined) throw failure;
    };
    const sessions = standIn<TenantSessions>({
      list: async (limit) => {
        asked.push(`list ${limit}`);
        return [];
      },
      show: async (id) => {
        await ask('show')(id);
        return { detail: sampleDetail(id), samples: [sample] };
      },
      evidence: async (id, signal) => {
        asked.push(`evidence ${id}${signal.aborted ? ' aborted' : ''}`);
        return unsigned;
      },
      cancel: ask('cancel'),
      pause: ask('pause'),
      resume: ask('resume'),
    });
    calls = callHandlers(sessionsDomain, sessionHandlers(sessions));
  });

  it('lists as many sessions as are asked for, 500 when nothing is said', async () => {
    expect(await calls.list({})).toEqual({ sessions: [] });
    await calls.list({ limit: 1 });
    expect(asked).toEqual(['list 500', 'list 1']);
    for (const limit of [0, 10_001]) {
      expect(await refusalOf(calls.list({ limit }))).toMatchObject({ code: 'call.invalid', field: 'limit' });
    }
  });

  it('shows a session and its throughput', async () => {
    expect(await calls.show({ sessionId })).toMatchObject({ id: sessionId, state: 'pending' });
    expect(await calls.throughput({ sessionId })).toEqual({ samples: [sample] });
  });

  it.each(['cancel', 'pause', 'resume'] as const)('passes on to %s, and what is refused', async (command) => {
    expect(await calls[command]({ sessionId })).toEqual({});
    expect(asked).toEqual([`${command} ${sessionId}`]);
    failure = new FarkeepError('call.conflict', 'Not now', { hint: 'Later.' });
    expect(await refusalOf(calls[command]({ sessionId }))).toMatchObject({ code: 'call.conflict', hint: 'Later.' });
    expect(await refusalOf(calls[command]({ sessionId: 'x' }))).toMatchObject({ field: 'sessionId' });
  });

  it('gives evidence, also without the signature of a provider that cannot be reached', async () => {
    expect(await calls.evidence({ sessionId })).toEqual({ farkeepEvidence: 1, ...unsigned });
    expect(asked).toEqual([`evidence ${sessionId}`]);
  });
});
