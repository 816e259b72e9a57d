// Owns the sessions domain of the tenant service.
import type { DomainHandlers } from '../../contracts/contract.ts';
import type { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';

export function sessionHandlers(sessions: TenantSessions): DomainHandlers<typeof sessionsDomain> {
  return {
    list: ({ limit }) => ({ sessions: sessions.list(limit) }),
    show: ({ sessionId }) => sessions.show(sessionId).detail,
    throughput: ({ sessionId }) => ({ samples: [...sessions.show(sessionId).samples] }),
    cancel: ({ sessionId }) => {
      sessions.cancel(sessionId);
      return {};
    },
    pause: async ({ sessionId }) => {
      await sessions.pause(sessionId);
      return {};
    },
    resume: ({ sessionId }) => {
      sessions.resume(sessionId);
      return {};
    },
    evidence: async ({ sessionId }, { signal }) => ({
      farkeepEvidence: 1,
      ...(await sessions.evidence(sessionId, signal)),
    }),
  };
}
