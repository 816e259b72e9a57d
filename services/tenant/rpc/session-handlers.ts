// Owns the sessions domain of the tenant service.
import type { DomainHandlers } from '../../contracts/contract.ts';
import type { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';

export function sessionHandlers(sessions: TenantSessions): DomainHandlers<typeof sessionsDomain> {
  return {
    list: async ({ limit }) => ({ sessions: await sessions.list(limit) }),
    show: async ({ sessionId }) => (await sessions.show(sessionId)).detail,
    throughput: async ({ sessionId }) => ({ samples: [...(await sessions.show(sessionId)).samples] }),
    cancel: async ({ sessionId }) => {
      await sessions.cancel(sessionId);
      return {};
    },
    pause: async ({ sessionId }) => {
      await sessions.pause(sessionId);
      return {};
    },
    resume: async ({ sessionId }) => {
      await sessions.resume(sessionId);
      return {};
    },
    evidence: async ({ sessionId }, { signal }) => ({
      farkeepEvidence: 1,
      ...(await sessions.evidence(sessionId, signal)),
    }),
  };
}
