// Owns the sessions domain of the provider service, and signing the evidence of sessions.
import type { DomainHandlers } from '../../contracts/contract.ts';
import type { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { evidenceStatement, signEvidence } from '../../session/evidence.ts';
import type { TenantRequestOutput } from '../../wire/control-messages.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';

export interface SessionHandlersOptions {
  readonly sessions: ProviderSessions;
  readonly store: CertificateStore;
  readonly providerName: string;
  readonly audit: AuditLog;
}

/** Signed with the provider identity that is in service now. */
export async function makeEvidence(
  { sessions, store, providerName }: Omit<SessionHandlersOptions, 'audit'>,
  sessionId: string,
): Promise<TenantRequestOutput<'session.evidence'>> {
  const { detail, context } = await sessions.show(sessionId);
  const statement = evidenceStatement(detail, {
    provider: providerName,
    tenant: context.tenantName,
    storedBytes: context.storedBytes,
  });
  const key = await store.loadSigningKey('provider');
  const installed = await store.installed('provider');
  return { statement, ...signEvidence(statement, key), certificate: installed?.summary.pem ?? '' };
}

export function sessionHandlers(options: SessionHandlersOptions): DomainHandlers<typeof sessionsDomain> {
  const { sessions, audit } = options;
  return {
    list: async ({ limit }) => ({ sessions: await sessions.list(limit) }),
    show: async ({ sessionId }) => (await sessions.show(sessionId)).detail,
    throughput: async ({ sessionId }) => ({ samples: [...(await sessions.show(sessionId)).samples] }),
    cancel: async ({ sessionId }, context) => {
      await sessions.cancelByProvider(sessionId);
      await audit.add(describeCaller(context), sessionId, notable('session.cancel'));
      return {};
    },
    pause: async ({ sessionId }, context) => {
      await sessions.pauseByProvider(sessionId);
      await audit.add(describeCaller(context), sessionId, notable('session.pause'));
      return {};
    },
    resume: async ({ sessionId }, context) => {
      await sessions.resumeByProvider(sessionId);
      await audit.add(describeCaller(context), sessionId, notable('session.resume'));
      return {};
    },
    evidence: async ({ sessionId }) => ({ farkeepEvidence: 1, ...(await makeEvidence(options, sessionId)) }),
  };
}
