// Owns the provider service: opens its state, starts the infrastructure port and the control listener, connects the handlers, stops in
// order.
// Must not decide anything by itself.
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import type { AccessControl } from '../certstore/access-control.ts';
import type { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { openParts, type RunningService, type ServiceOptions, type ServiceParts } from '../kernel/running-service.ts';
import type { StartMover } from '../mover/link/data-mover.ts';
import { startMoverProcess } from '../mover/link/mover-process.ts';
import { SerialQueue } from '../kernel/serial-queue.ts';
import { Coalescer } from '../session/coalescer.ts';
import { SessionArchive } from '../session/session-archive.ts';
import { ControlServer } from '../transport/control-server.ts';
import { AuditLog } from './state/audit-log.ts';
import { openOwnCertificates } from './certificates/own-certificates.ts';
import { providerDomains } from './rpc/provider-domains.ts';
import { TenantDoor } from './rpc/tenant-door.ts';
import { CertificateHandlers } from './rpc/certificate-handlers.ts';
import { CertificateSettingsStore } from './certificates/certificate-settings.ts';
import { CertificateInstaller } from './certificates/certificate-installer.ts';
import { CertificateUsers } from './certificates/certificate-users.ts';
import type { ProviderConfig } from './state/config.ts';
import { ProviderHealth } from './certificates/provider-health.ts';
import { startGatewayLinks } from './gateways/gateway-links.ts';
import { Gateways } from './gateways/gateways.ts';
import { OpenConnections } from './rpc/open-connections.ts';
import { PointDeletion } from './repositories/point-deletion.ts';
import { PointList } from './repositories/point-list.ts';
import { openProviderState } from './state/provider-state.ts';
import { Repositories } from './repositories/repositories.ts';
import { RestorePoints } from './repositories/restore-points.ts';
import { RolloverPlan } from './certificates/rollover.ts';
import { sessionChannel } from './sessions/session-channel.ts';
import { ProviderSessions } from './sessions/provider-sessions.ts';
import { TenantAccounts } from './accounts/tenant-accounts.ts';
import { tenantRequestHandlers } from './rpc/tenant-requests.ts';
import { loadUnknownUserSecret } from './accounts/unknown-user-secret.ts';
import { CertificateUsageEvents } from './certificates/certificate-usage-events.ts';

/** Shortest time between two counts of the repositories while sessions store blocks. */
const usageIntervalMs = 2_000;

export interface ProviderOptions extends ServiceOptions<ProviderConfig> {
  /** Access rights of the files with private keys. Left out: only the owner, on Linux and macOS. */
  readonly access?: AccessControl;
  /** The certificate store of Windows; undefined on other systems. */
  readonly windowsCertificates?: WindowsCertificates | undefined;
  /** How target movers are started; as child processes by default. */
  readonly startMover?: StartMover;
}

/** @throws service.port-in-use, service.start-failed, certificate.key-unreadable, storage errors */
export function startProvider(options: ProviderOptions): Promise<RunningService> {
  return openParts(options.logger, (parts) => open(options, parts));
}

/** Each part that must be closed adds itself to `parts`. A stop closes them in reverse order. */
async function open(options: ProviderOptions, parts: ServiceParts): Promise<Omit<RunningService, 'stop'>> {
  const { home, config, logger, clock, publish } = options;
  const common = { logger, clock, publish };
  const stopReason = new FarkeepError('service.not-running', 'The provider service is stopping');
  const state = openProviderState(home, logger);
  parts.defer(() => state.close());
  const own = await openOwnCertificates(options, parts);
  const { store, license, identity, infrastructure } = own;
  const certificateUsers = new CertificateUsers(state.certificateUsers, clock);
  const certificateUsageEvents = new CertificateUsageEvents({
    publish,
    publishCounts: () =>
      rollover.publishCounts().catch((error: unknown) => {
        if (!state.isClosed) logger.warn('The planned change cannot be shown', { error });
      }),
  });
  parts.defer(() => certificateUsageEvents.stop());

  const audit = new AuditLog(state.audit, clock);
  const accounts = new TenantAccounts({ store: state.accounts, repositories: state.repositories, clock });
  const gateways = await Gateways.open(state.gateways, clock);
  const archive = new SessionArchive(state.sessions);
  // A backup's restore point has the same identifier as its session.
  const points = new RestorePoints(logger, (pointId) => archive.endedAtMs(pointId));
  const repositories = new Repositories(state.repositories, clock, points);
  const unknownUserSecret = parts.use(await loadUnknownUserSecret(state.settings));
  const connections = new OpenConnections();
  const deleting = new Set<string>();
  const health = new ProviderHealth({ gateways, identity, clock });

  const publishRepositories = (): void => {
    void repositories
      .list()
      .then((all) => all.forEach((repository) => publish(repositoriesDomain, 'changed', repository)))
      .catch((error: unknown) => {
        // The last sessions end while the service stops.
        if (!state.isClosed) logger.warn('The repositories could not be read', { error });
      });
  };
  const usageOut = new Coalescer<void>(usageIntervalMs, publishRepositories);
  const sessions = new ProviderSessions({
    accounts,
    archive,
    points,
    repositories,
    ...common,
    moverHost: config.moverHost,
    advertisedHost: config.advertisedHost,
    resumeWindowMs: config.resumeWindowMs,
    maxTasksPerTenant: config.maxTasksPerTenant,
    startMover: options.startMover ?? startMoverProcess,
    onTenantChanged: (tenantId) => tenantChanged(tenantId),
    onUsageChanged: (tenantId) => {
      tenantChanged(tenantId);
      usageOut.push();
    },
    deleting,
  });
  const tenantChanges = new SerialQueue();
  const tenantChanged = (tenantId: string): void => {
    const publishing = tenantChanges.run(async () => {
      const account = await accounts.find(tenantId);
      if (account === undefined) return;
      const activeSessions = sessions.activeSessions(tenantId);
      publish(tenantsDomain, 'changed', { ...account, activeSessions });
      // The stored bytes of a session also count in the repository.
      if (activeSessions === 0) publishRepositories();
    });
    publishing.catch((error: unknown) => {
      // The last sessions end while the service stops.
      if (!state.isClosed) logger.warn('The change of a tenant cannot be shown', { error });
    });
  };
  parts.defer(() => sessions.stop());
  await archive.prune();
  // Before the listener opens: a tenant that reconnects at once must find its session.
  await sessions.resumeAfterRestart();

  const publishGateway = (gatewayId: string): void => {
    health.refresh();
    const row = gateways.find(gatewayId);
    if (row === undefined) return;
    const gateway = gateways.describe(row, (host) => identity.covers(host));
    publish(gatewaysDomain, 'changed', gateway);
  };
  const controlPort: { value: number } = { value: config.control.port };
  const links = await startGatewayLinks({
    config,
    controlPort: () => controlPort.value,
    infrastructure,
    gateways,
    audit,
    onChanged: publishGateway,
    onLinkChanged: () => certificateUsageEvents.usageChanged('provider'),
    isStopped: () => state.isClosed,
    ...common,
  });
  parts.defer(() => links.close(stopReason));

  const installer = new CertificateInstaller({
    store,
    audit,
    publish,
    putInService: async (slot) => {
      if (slot !== 'provider') return;
      await identity.reload((next) => control.setIdentity(next));
      for (const { id } of gateways.rows()) publishGateway(id);
    },
  });
  const rollover = await RolloverPlan.open({
    settings: state.settings,
    store,
    identity,
    installer,
    users: certificateUsers,
    receivers: () => connections.loggedIn(),
    audit,
    ...common,
  });

  const requests = tenantRequestHandlers({
    accounts,
    gateways,
    points: new PointList({ accounts, points, logger }),
    deletion: new PointDeletion({
      accounts,
      points,
      isInUse: (tenantId, pointId) => sessions.isPointInUse(tenantId, pointId),
      deleting,
      onDeleted: publishRepositories,
      audit,
      ...common,
    }),
    gatewayLoads: () => connections.gatewayLoads(),
    sessions,
    store,
    providerName: config.name,
  });
  const door = new TenantDoor({
    accounts,
    sessions,
    connections,
    certificateUsers,
    certificateUsageEvents,
    rolloverAnswer: (shownSha256) => rollover.answerFor(shownSha256),
    requests,
    channelOf: (connection) => sessionChannel(connection, gateways, links, connection.shownSha256),
    unknownUserSecret,
    providerName: config.name,
    audit,
    ...common,
  });
  const control = await ControlServer.start({
    host: config.control.host,
    port: config.control.port,
    identity: own.serving,
    authenticateProxy: (received) => links.authenticateProxyHeader(received),
    isKnownAddress: (key) => gateways.isKnownAddress(key),
    isDirectAllowed: config.isDirectControlAllowed,
    onConnection: (connection) => door.take(connection),
    logger,
  });
  parts.defer(() => control.close(stopReason));
  controlPort.value = control.port;
  // Sessions stop before the listener: a tenant that gets the stop message must find its reservation after the restart.
  parts.defer(() => sessions.stop());
  parts.defer(() => rollover.stop());
  rollover.start();
  // Gateways that connected earlier got the configured port, which may be 0 (any free port).
  await links.refreshConfiguration();

  const certificates = new CertificateHandlers({
    store,
    windowsCertificates: options.windowsCertificates,
    identity,
    gateways,
    audit,
    ...common,
    subject: () => license.subject(),
    settings: new CertificateSettingsStore({
      saved: state.settings,
      store,
      infrastructureProtection: infrastructure.protection,
      defaultKeyBits: config.certificateKeyBits,
    }),
    installer,
    users: certificateUsers,
    certificateUsageEvents,
    accounts,
    rollover,
  });
  parts.defer(() => certificates.dispose());
  return {
    domains: providerDomains({
      ...{
        own,
        certificates,
        gateways,
        links,
        accounts,
        certificateUsers,
        certificateUsageEvents,
        connections,
        sessions,
      },
      ...{ points, repositories, rollover, providerName: config.name, config, publishRepositories, tenantChanged },
      ...{ audit, ...common },
    }),
    listeners: {
      control: `${config.control.host}:${control.port}`,
      infrastructure: `${config.infrastructure.host}:${links.port}`,
    },
    health: () => health.current(),
    onHealthChanged: (listener) => health.onChanged(listener),
    activeSessions: () => sessions.activeSessions(),
  };
}
