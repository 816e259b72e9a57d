// Owns the requests of a logged-in tenant apart from its sessions: gateways, repositories, restore points, evidence. Answers only about the
// tenant's own data.
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { maxGateways } from '../../wire/control-messages.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { PointDeletion } from '../repositories/point-deletion.ts';
import type { PointList } from '../repositories/point-list.ts';
import { makeEvidence } from './session-handlers.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { TenantConnectionOptions } from './tenant-connection.ts';

export interface TenantRequestsOptions {
  readonly accounts: TenantAccounts;
  readonly gateways: Gateways;
  readonly points: PointList;
  readonly deletion: PointDeletion;
  /** Connections for each gateway, counted by the provider and not reported by gateways. */
  readonly gatewayLoads: () => ReadonlyMap<string, number>;
  readonly sessions: ProviderSessions;
  readonly store: CertificateStore;
  readonly providerName: string;
}

/** The handlers of all requests that do not need a particular connection. */
export function tenantRequestHandlers(
  options: TenantRequestsOptions,
): Omit<TenantConnectionOptions['handlers'], 'certificate.status'> {
  const { accounts, gateways, points, deletion, gatewayLoads, sessions, store, providerName } = options;
  return {
    'gateways.list': () => {
      // A hostile gateway could report false loads to attract all tenants, or to divert them to another gateway.
      const loads = gatewayLoads();
      const offered = gateways
        .rows()
        .filter((row) => row.isEnabled && row.enrolledAt !== null)
        .map((row) => ({
          id: row.id,
          name: row.name,
          addresses: row.addresses,
          connections: loads.get(row.id) ?? 0,
          isConnected: gateways.isConnected(row.id),
        }))
        .sort((a, b) => Number(b.isConnected) - Number(a.isConnected) || a.connections - b.connections)
        .slice(0, maxGateways);
      return Promise.resolve({ gateways: offered });
    },
    'repositories.list': async (tenantId) => {
      const quotas = await accounts.quotas(tenantId);
      return {
        repositories: quotas.map(({ repository, limitBytes, usedBytes }) => ({
          name: repository,
          limitBytes,
          usedBytes,
        })),
      };
    },
    'points.list': (tenantId, input) => points.page(tenantId, input),
    'points.delete': (tenantId, { pointId }) => deletion.delete(tenantId, pointId),
    'session.evidence': async (tenantId, { sessionId }) => {
      await sessions.requireOwn(tenantId, sessionId);
      return makeEvidence({ sessions, store, providerName }, sessionId);
    },
  };
}
