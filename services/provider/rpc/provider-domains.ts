// Owns the table of all domains that the provider serves for console and command line, with their handlers.
import type { EventPublisher } from '../../contracts/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ServedDomains } from '../../kernel/running-service.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { GatewayLinkServer } from '../../transport/gateway-link-server.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';
import type { CertificateUsers } from '../certificates/certificate-users.ts';
import type { OwnCertificates } from '../certificates/own-certificates.ts';
import type { RolloverPlan } from '../certificates/rollover.ts';
import { fingerprintHex } from '../gateways/gateway-links.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { Repositories } from '../repositories/repositories.ts';
import type { RestorePoints } from '../repositories/restore-points.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { ProviderConfig } from '../state/config.ts';
import type { CertificateHandlers } from './certificate-handlers.ts';
import { gatewayHandlers } from './gateway-handlers.ts';
import type { OpenConnections } from './open-connections.ts';
import { repositoryHandlers } from './repository-handlers.ts';
import { sessionHandlers } from './session-handlers.ts';
import { tenantHandlers } from './tenant-handlers.ts';

/** The parts of a provider that has started. */
export interface ProviderAreas {
  readonly own: OwnCertificates;
  readonly certificates: CertificateHandlers;
  readonly gateways: Gateways;
  readonly links: GatewayLinkServer;
  readonly accounts: TenantAccounts;
  readonly certificateUsers: CertificateUsers;
  readonly certificateUsageEvents: CertificateUsageEvents;
  readonly connections: OpenConnections;
  readonly sessions: ProviderSessions;
  readonly points: RestorePoints;
  readonly repositories: Repositories;
  readonly rollover: RolloverPlan;
  readonly providerName: string;
  readonly config: ProviderConfig;
  readonly publishRepositories: () => void;
  /** Called when displayed data of this tenant has changed. */
  readonly tenantChanged: (tenantId: string) => void;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
}

export function providerDomains(areas: ProviderAreas): ServedDomains {
  const { own, accounts, audit, certificateUsers, certificateUsageEvents, clock, connections, gateways, links } = areas;
  const { logger, points, providerName, publish, repositories, rollover, sessions } = areas;
  const { store, identity, infrastructure } = own;
  return {
    certificate: areas.certificates.handlers(),
    license: own.license.handlers(audit),
    gateways: gatewayHandlers({
      gateways,
      identity,
      links: () => links,
      infrastructure: {
        host: own.infrastructureHost,
        port: () => links.port,
        sha256: fingerprintHex(infrastructure.server.certificatePem),
      },
      provider: areas.config,
      clock,
      audit,
      publish,
    }),
    tenants: tenantHandlers({
      accounts,
      sessions,
      gateways,
      identity,
      certificateUsers,
      certificateUsageEvents,
      identityChangesAtMs: () => rollover.switchAtMs,
      providerName,
      clock,
      audit,
      publish,
      disconnect: (tenantId, reason) => connections.disconnect(tenantId, reason),
      onQuotasChanged: areas.publishRepositories,
      countUsage: async (tenantId) => {
        for (const { repositoryId, location } of await accounts.quotas(tenantId)) {
          try {
            const usedBytes = await points.usedBytes(storageBackends.locateTenant(location, tenantId));
            await accounts.setUsage(tenantId, repositoryId, usedBytes);
          } catch (error) {
            // The last known figure stays.
            logger.warn('The space that a tenant uses cannot be counted', { repositoryId, error });
          }
        }
      },
    }),
    repositories: repositoryHandlers({
      repositories,
      points,
      sessions,
      audit,
      logger,
      publish,
      onUsage: async (tenantId, repositoryId, usedBytes) => {
        await accounts.setUsage(tenantId, repositoryId, usedBytes);
        areas.tenantChanged(tenantId);
      },
      onRenamed: async (repositoryId) => {
        for (const { id } of await accounts.list()) {
          if ((await accounts.quotas(id)).some((quota) => quota.repositoryId === repositoryId)) areas.tenantChanged(id);
        }
      },
    }),
    sessions: sessionHandlers({ sessions, store, providerName, audit }),
  };
}
