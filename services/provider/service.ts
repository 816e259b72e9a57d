// Owns the provider service: opens its state, starts the infrastructure port and the control listener, wires the handlers, stops in order.
// Decides nothing by itself.
import { hostname } from 'node:os';
import path from 'node:path';
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import type { AccessControl } from '../certstore/access-control.ts';
import { applyAccess } from '../certstore/apply-access.ts';
import { CertificateStore } from '../certstore/certificate-store.ts';
import type { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { withDeadline } from '../kernel/deadline.ts';
import { abortError } from '../kernel/clock.ts';
import { CountedLog } from '../kernel/counted-log.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { SerialQueue } from '../kernel/serial-queue.ts';
import type { RunningService, ServiceOptions } from '../kernel/running-service.ts';
import { anonymousCommonName } from '../pki/create/generate.ts';
import { SessionArchive } from '../session/session-archive.ts';
import { ControlServer, type ControlConnection } from '../transport/control-server.ts';
import { AuditLog } from './state/audit-log.ts';
import { CertificateHandlers } from './rpc/certificate-handlers.ts';
import { CertificateSettingsStore } from './certificates/certificate-settings.ts';
import { CertificateInstaller } from './certificates/certificate-installer.ts';
import { CertificateUsers } from './certificates/certificate-users.ts';
import type { ProviderConfig } from './state/config.ts';
import { ProviderHealth } from './certificates/provider-health.ts';
import { gatewayHandlers } from './rpc/gateway-handlers.ts';
import { fingerprintHex, startGatewayLinks } from './gateways/gateway-links.ts';
import { Gateways } from './gateways/gateways.ts';
import { openInfrastructureIdentity } from './gateways/infrastructure-identity.ts';
import { InstalledLicense } from './license/license.ts';
import { LoginExchange } from './accounts/login-exchange.ts';
import { LoginThrottle } from './accounts/login-throttle.ts';
import { OpenConnections } from './rpc/open-connections.ts';
import { PointDeletion } from './repositories/point-deletion.ts';
import { PointList } from './repositories/point-list.ts';
import { openProviderState } from './state/provider-state.ts';
import { ProviderIdentity } from './certificates/provider-identity.ts';
import { Repositories } from './repositories/repositories.ts';
import { repositoryHandlers } from './rpc/repository-handlers.ts';
import { RestorePoints } from './repositories/restore-points.ts';
import { RolloverPlan } from './certificates/rollover.ts';
import { sessionChannel } from './sessions/session-channel.ts';
import { sessionHandlers } from './rpc/session-handlers.ts';
import { ProviderSessions } from './sessions/provider-sessions.ts';
import { TenantAccounts } from './accounts/tenant-accounts.ts';
import { TenantConnection } from './rpc/tenant-connection.ts';
import { tenantHandlers } from './rpc/tenant-handlers.ts';
import { tenantRequestHandlers } from './rpc/tenant-requests.ts';
import { loadUnknownUserSecret } from './accounts/unknown-user-secret.ts';
import { CertificateUsageEvents } from './certificates/certificate-usage-events.ts';

/** With private keys, below the service's folder. */
const keyFolders = ['certificates', 'infrastructure'];

export interface ProviderOptions extends ServiceOptions<ProviderConfig> {
  /** Of the files with private keys; left out: for one user on Linux and macOS. */
  readonly access?: AccessControl;
  /** The certificate store of Windows; there is none elsewhere. */
  readonly windowsCertificates?: WindowsCertificates | undefined;
}

/** @throws service.port-in-use, service.start-failed, certificate.key-unreadable, storage errors */
export async function startProvider(options: ProviderOptions): Promise<RunningService> {
  const started: (() => Promise<void> | void)[] = [];
  try {
    return await start(options, started);
  } catch (error) {
    for (const undo of started.reverse()) await undo();
    throw error;
  }
}

async function start(
  { home, config, logger, clock, publish, keychainKey, access, windowsCertificates }: ProviderOptions,
  started: (() => Promise<void> | void)[],
): Promise<RunningService> {
  const state = openProviderState(home, logger);
  started.push(() => state.close());
  if (config.serviceGroup !== undefined && access !== undefined) {
    // The group has to get through to the keys; the databases beside them stay the owner's.
    await access.apply(home, 'folder');
    for (const folder of keyFolders) await applyAccess(path.join(home, folder), access);
  }
  const store = await CertificateStore.open(path.join(home, 'certificates'), { logger, clock, keychainKey, access });
  started.push(() => store[Symbol.dispose]());
  const license = await InstalledLicense.open({
    home,
    keyFiles: config.licenseKeyFiles,
    machineName: hostname() || anonymousCommonName(),
    clock,
    logger,
    publish,
  });
  started.push(() => license.dispose());
  for (const slot of ['provider', 'server'] as const) {
    await store.ensureSelfSigned(slot, { subject: license.subject(), keyBits: config.certificateKeyBits });
  }
  const { identity, serving } = await ProviderIdentity.open(store);
  const certificateUsers = new CertificateUsers(state.certificateUsers, clock);
  const certificateUsageEvents = new CertificateUsageEvents({
    publish,
    publishCounts: () =>
      rollover.publishCounts().catch((error: unknown) => {
        if (!state.isClosed) logger.warn('The planned change cannot be shown', { error });
      }),
  });
  started.push(() => certificateUsageEvents.stop());
  const infrastructureHost = config.infrastructureAddress ?? dialable(config.infrastructure.host);
  const infrastructure = await openInfrastructureIdentity({
    home,
    names: [infrastructureHost],
    clock,
    logger,
    keychainKey,
    access,
  });
  started.push(() => infrastructure.protection[Symbol.dispose]());

  const audit = new AuditLog(state.audit, clock);
  const accounts = new TenantAccounts({ store: state.accounts, repositories: state.repositories, clock });
  const gateways = await Gateways.open(state.gateways, clock);
  const archive = new SessionArchive(state.sessions);
  // A backup's restore point has the same identifier as its session.
  const points = new RestorePoints(logger, (pointId) => archive.endedAtMs(pointId));
  const repositories = new Repositories(state.repositories, clock, points);
  const throttle = new LoginThrottle(clock);
  const unknownUserSecret = await loadUnknownUserSecret(state.settings);
  started.push(() => unknownUserSecret.dispose());
  const connections = new OpenConnections();
  const refusals = new CountedLog(clock);
  const deleting = new Set<string>();
  const health = new ProviderHealth({ gateways, identity, clock });

  const publishRepositories = (): void => {
    void repositories
      .list()
      .then((all) => all.forEach((repository) => publish(repositoriesDomain, 'changed', repository)))
      .catch((error: unknown) => {
        // The last sessions end while the service stops.
        if (!state.isClosed) logger.warn('The repositories could not be looked at', { error });
      });
  };
  const sessions = new ProviderSessions({
    accounts,
    archive,
    points,
    repositories,
    clock,
    logger,
    publish,
    moverHost: config.moverHost,
    advertisedHost: config.advertisedHost,
    resumeWindowMs: config.resumeWindowMs,
    maxTasksPerTenant: config.maxTasksPerTenant,
    onTenantChanged: (tenantId) => tenantChanged(tenantId),
    deleting,
  });
  const tenantChanges = new SerialQueue();
  const tenantChanged = (tenantId: string): void => {
    const told = tenantChanges.run(async () => {
      const account = await accounts.find(tenantId);
      if (account === undefined) return;
      const activeSessions = sessions.activeSessions(tenantId);
      publish(tenantsDomain, 'changed', { ...account, activeSessions });
      // What a session stored counts in the repository too.
      if (activeSessions === 0) publishRepositories();
    });
    told.catch((error: unknown) => {
      // The last sessions end while the service stops.
      if (!state.isClosed) logger.warn('The change of a tenant cannot be shown', { error });
    });
  };
  started.push(() => sessions.stop());
  await archive.prune();
  await sessions.resumeAfterRestart();

  const publishGateway = (gatewayId: string): void => {
    health.refresh();
    const row = gateways.find(gatewayId);
    if (row !== undefined)
      publish(
        gatewaysDomain,
        'changed',
        gateways.describe(row, (host) => identity.covers(host)),
      );
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
    logger,
    clock,
  });
  started.push(() => links.close());

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
    clock,
    logger,
    audit,
    publish,
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
      clock,
      logger,
    }),
    gatewayLoads: () => connections.gatewayLoads(),
    sessions,
    store,
    providerName: config.name,
  });
  const takeConnection = (connection: ControlConnection): void => {
    const login = new LoginExchange({
      accounts,
      throttle,
      unknownUserSecret,
      channelBinding: connection.channelBinding,
      address: connection.remoteAddress,
      providerName: config.name,
      software: 'Farkeep',
      clock,
      onClockDiffers: (userName, aheadMs) =>
        logger.warn('The clock of a tenant differs from the clock of this machine', {
          userName,
          aheadMinutes: Math.round(aheadMs / 60_000),
        }),
      onFailure: (typedName, error) => {
        // The name comes from a stranger: it is shortened, and characters that control a terminal are removed.
        const userName = typedName.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 64);
        const { remoteAddress: address } = connection;
        refusals.note(`login ${address} ${error.code}`, (times) => {
          logger.warn('Login refused', { userName, address, reason: error.code, times });
          void audit.addRefusal(`${userName} (${address})`, userName, error.code, times);
        });
      },
    });
    const tenantConnection: TenantConnection = new TenantConnection({
      connection,
      login,
      sessions,
      logger,
      handlers: {
        ...requests,
        'certificate.status': async (tenantId, report) => {
          const { name } = await accounts.get(tenantId);
          if (await certificateUsers.noteReport(name, report)) {
            certificateUsageEvents.usageChanged('provider');
            certificateUsageEvents.countsChanged();
          }
          return rollover.answerFor(connection.shownSha256);
        },
      },
      channel: () => sessionChannel(connection, gateways, links, connection.shownSha256),
      onLogin: async (tenantId) => {
        const account = await accounts.get(tenantId);
        publish(tenantsDomain, 'changed', { ...account, activeSessions: sessions.activeSessions(tenantId) });
        if (await certificateUsers.noteSeen('provider', 'tenant', account.name, connection.shownSha256)) {
          certificateUsageEvents.usageChanged('provider');
        }
      },
      onClose: () => connections.remove(tenantConnection),
      bucketOf: (tenantId) => connections.bucketOf(tenantId),
      refusals,
    });
    connections.add(tenantConnection);
  };
  const control = await ControlServer.start({
    host: config.control.host,
    port: config.control.port,
    identity: serving,
    authenticateProxy: (received) => links.authenticateProxyHeader(received),
    isKnownAddress: (key) => gateways.isKnownAddress(key),
    isDirectAllowed: config.isDirectControlAllowed,
    onConnection: takeConnection,
    logger,
  });
  started.push(() => control.close());
  controlPort.value = control.port;
  started.push(() => rollover.stop());
  rollover.start();
  // Gateways that dialed in between were told the configured port, which may have been "any".
  await links.refreshConfiguration();

  const certificates = new CertificateHandlers({
    store,
    windowsCertificates,
    identity,
    gateways,
    clock,
    audit,
    publish,
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
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const reason = new FarkeepError('service.not-running', 'The provider service is stopping');
    license.dispose();
    certificateUsageEvents.stop();
    await rollover.stop();
    // Sessions first: a tenant that is told "stopping" finds its reservation when it comes back.
    await sessions.stop();
    await control.close(reason);
    await links.close(reason);
    certificates.dispose();
    unknownUserSecret.dispose();
    infrastructure.protection[Symbol.dispose]();
    store[Symbol.dispose]();
    state.close();
  };
  return {
    domains: {
      certificate: certificates.handlers(),
      license: license.handlers(audit),
      gateways: gatewayHandlers({
        gateways,
        identity,
        links: () => links,
        infrastructure: {
          host: infrastructureHost,
          port: () => links.port,
          sha256: fingerprintHex(infrastructure.server.certificatePem),
        },
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
        providerName: config.name,
        clock,
        audit,
        publish,
        disconnect: (tenantId, reason) => connections.disconnect(tenantId, reason),
        onQuotasChanged: publishRepositories,
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
          tenantChanged(tenantId);
        },
      }),
      sessions: sessionHandlers({ sessions, store, providerName: config.name, audit }),
    },
    listeners: {
      control: `${config.control.host}:${control.port}`,
      infrastructure: `${config.infrastructure.host}:${links.port}`,
    },
    health: () => health.current(),
    onHealthChanged: (listener) => health.onChanged(listener),
    activeSessions: () => sessions.activeSessions(),
    stop: (deadlineMs) => (stopping ??= withDeadline({ limitMs: deadlineMs + 500, onLate: abortError }, stop)),
  };
}

/** What a gateway on this machine can dial when the listener takes every address. */
function dialable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
