// Owns what a logged-in tenant may ask besides its sessions: gateways, repositories, restore points, evidence. Only of its own.
import path from 'node:path';
import type { CertificateStore } from '../certstore/certificate-store.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { forTenant } from '../mover/for-tenant.ts';
import type { TenantRequestOutput } from '../wire/control-messages.ts';
import type { Gateways } from './gateways.ts';
import type { PointListing, RestorePoints } from './restore-points.ts';
import { makeEvidence } from './session-handlers.ts';
import type { SessionManager } from './session-manager.ts';
import type { TenantAccounts } from './tenant-accounts.ts';
import type { TenantConnectionOptions } from './tenant-connection.ts';

type OfferedPoint = TenantRequestOutput<'points.list'>['points'][number];

export interface TenantRequestsOptions {
  readonly accounts: TenantAccounts;
  readonly gateways: Gateways;
  readonly points: RestorePoints;
  readonly sessions: SessionManager;
  readonly store: CertificateStore;
  readonly providerName: string;
  readonly logger: Logger;
}

/** All but what belongs to one connection. */
export function tenantRequestHandlers(
  options: TenantRequestsOptions,
): Omit<TenantConnectionOptions['handlers'], 'certificate.status'> {
  const { accounts, gateways, points, sessions, store, providerName, logger } = options;
  const listFor = async (tenantFolder: string): Promise<readonly PointListing[]> => {
    try {
      return await points.list(tenantFolder);
    } catch (error) {
      logger.error('The restore points of a tenant cannot be read', { tenantFolder, error });
      throw forTenant(toFarkeepError(error, 'storage.io'));
    }
  };
  return {
    'gateways.list': () => {
      const offered = gateways
        .rows()
        .filter((row) => row.isEnabled && row.enrolledAt !== null)
        .map((row) => ({
          id: row.id,
          name: row.name,
          addresses: row.addresses,
          connections: gateways.connections(row.id),
          isConnected: gateways.isConnected(row.id),
        }))
        .sort((a, b) => Number(b.isConnected) - Number(a.isConnected) || a.connections - b.connections);
      return Promise.resolve({ gateways: offered });
    },
    'repositories.list': (tenantId) =>
      Promise.resolve({
        repositories: accounts
          .quotas(tenantId)
          .map(({ repository, limitBytes, usedBytes }) => ({ name: repository, limitBytes, usedBytes })),
      }),
    'points.list': async (tenantId, { after, limit }) => {
      const all: OfferedPoint[] = [];
      for (const { repository, folder } of accounts.quotas(tenantId)) {
        for (const listing of await listFor(path.join(folder, tenantId))) {
          const offered = offer(listing, repository);
          if (offered !== undefined) all.push(offered);
        }
      }
      all.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
      const start = after === null ? 0 : all.findIndex((point) => point.id === after) + 1;
      const page = all.slice(start, start + limit);
      return { points: page, hasMore: start + limit < all.length };
    },
    'session.evidence': (tenantId, { sessionId }) => {
      if (sessions.show(sessionId).context.tenantId !== tenantId) {
        throw new FarkeepError('call.not-found', 'There is no such session');
      }
      return makeEvidence({ sessions, store, providerName }, sessionId);
    },
  };
}

/** A damaged root cannot be offered; verify names it to the provider. */
function offer({ pointId, root, committedAtMs }: PointListing, repository: string): OfferedPoint | undefined {
  if (root === undefined) return undefined;
  const encryption: string = root.encryption;
  return {
    id: pointId,
    jobId: root.jobId,
    jobName: root.jobName,
    repository,
    createdAt: new Date(root.createdAtMs).toISOString(),
    ...(committedAtMs === undefined || committedAtMs < 0 ? {} : { committedAtMs }),
    sourceBytes: root.totals.sourceBytes,
    files: root.totals.files,
    encrypted: encryption !== 'none',
    warnings: root.totals.warnings,
  };
}
