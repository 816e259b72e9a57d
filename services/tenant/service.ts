// Owns the tenant service: opens its state, connects trust, providers, jobs, sessions and points, stops in order. Must not listen for
// connections.
import path from 'node:path';
import { mkdir } from 'node:fs/promises';
import { pointsDomain } from '../contracts/rpc/points.ts';
import { PinStore } from '../certstore/pin-store.ts';
import { openTrustDatabase } from '../certstore/trust-database.ts';
import { TrustJournal } from '../certstore/trust-journal.ts';
import { openParts, type RunningService, type ServiceOptions, type ServiceParts } from '../kernel/running-service.ts';
import { SessionArchive } from '../session/session-archive.ts';
import { RolloverReceiver } from './providers/rollover-receiver.ts';
import { CheckIn } from './providers/check-in.ts';
import { ClockWatch } from './providers/clock-watch.ts';
import type { TenantConfig } from './state/config.ts';
import { Jobs } from './rpc/job-handlers.ts';
import { JobList } from './jobs/job-list.ts';
import { pointHandlers } from './rpc/point-handlers.ts';
import { Points } from './sessions/points.ts';
import { ProviderDialer } from './providers/provider-dialer.ts';
import type { StartMover } from '../mover/link/data-mover.ts';
import { startMoverProcess } from '../mover/link/mover-process.ts';
import { SecretVault } from './state/secret-vault.ts';
import { serviceProviderHandlers } from './rpc/service-provider-handlers.ts';
import { ServiceProviders } from './providers/service-providers.ts';
import { sessionHandlers } from './rpc/session-handlers.ts';
import { TenantSessions } from './sessions/tenant-sessions.ts';
import { openTenantState } from './state/tenant-state.ts';
import { TrustPrompts } from './trust/trust-prompts.ts';
import { TrustCheck } from './providers/trust-check.ts';
import { trustHandlers } from './rpc/trust-handlers.ts';
import { TrustSettingsStore } from './trust/trust-settings.ts';

export interface TenantOptions extends ServiceOptions<TenantConfig> {
  /** How source movers are started; as child processes by default. */
  readonly startMover?: StartMover;
}

/** @throws config.invalid, service.database-damaged, storage errors */
export function startTenant(options: TenantOptions): Promise<RunningService> {
  return openParts(options.logger, (parts) => open(options, parts));
}

async function open(
  { home, config, logger, clock, publish, startMover = startMoverProcess }: TenantOptions,
  parts: ServiceParts,
): Promise<Omit<RunningService, 'stop'>> {
  const trustSettings = await TrustSettingsStore.open({
    home,
    configuredRootFiles: config.extraRoots,
    fetchTimeoutMs: config.crlFetchTimeoutMs,
    clock,
    logger,
  });
  const cacheFolder = path.join(home, 'jobs');
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  const vault = parts.use(await SecretVault.open(home));
  const state = openTenantState(home, logger);
  parts.defer(() => state.close());
  const providers = await ServiceProviders.open({ store: state.providers, vault, clock, publish });
  const trustDatabase = parts.use(
    openTrustDatabase(path.join(home, 'trust.sqlite'), {
      logger,
      // A tenant with providers has used the file before, so a missing or empty file is damage.
      wasUsed: () => providers.list().length > 0,
    }),
  );

  const pins = new PinStore(trustDatabase, clock);
  const journal = new TrustJournal(trustDatabase, clock);
  const trustPrompts = new TrustPrompts({
    pins,
    journal,
    clock,
    publish,
    // A provider that is trusted by its chain has no pin but is known. A man in the middle must not count as its first use.
    canTrustFirstUse: (identity) => trustSettings.current.canTrustFirstUse && !providers.isKnown(identity),
  });
  const clockWatch = new ClockWatch();
  const dialer = new ProviderDialer({
    clockWatch,
    providers,
    trustPrompts,
    rules: trustSettings,
    news: new RolloverReceiver({ pins, journal, clock, logger, publish }),
    hostAddresses: config.hostAddresses,
    connectTimeoutMs: config.connectTimeoutMs,
    software: 'Farkeep',
    clock,
    logger,
  });
  const archive = new SessionArchive(state.sessions);
  const sessions = new TenantSessions({
    archive,
    providers,
    dialer,
    clock,
    logger,
    publish,
    retryIntervalMs: config.retryIntervalMs,
    retryWindowMs: config.retryWindowMs,
    promptWaitMs: config.promptWaitMs,
    stallTimeoutMs: config.stallTimeoutMs,
    startMover,
    onJobChanged: (jobId) => {
      jobs.publishChange(jobId);
      if (sessions.runningSessionOf(jobId) === null) publish(pointsDomain, 'changed', {});
    },
  });
  const jobs = new Jobs({
    jobs: new JobList(state.jobs, clock),
    providers,
    sessions,
    archive,
    publish,
    logger,
    cacheFolder,
  });
  const points = new Points({
    store: state.points,
    providers,
    dialer,
    sessions,
    folder: path.join(home, 'points'),
    publish,
  });
  parts.defer(() => jobs.idle());
  parts.defer(() => sessions.stop());
  await sessions.resumeAfterRestart();
  const checkIn = new CheckIn({ providers, dialer, intervalMs: config.checkInIntervalMs, clock, logger });
  parts.defer(() => checkIn.stop());

  return {
    domains: {
      serviceProviders: serviceProviderHandlers({
        providers,
        dialer,
        trustPrompts,
        onNameGone: (name) => clockWatch.forget(name),
      }),
      trust: trustHandlers({
        ...{ trustPrompts, pins, journal, settings: trustSettings, clock, publish },
        trustCheck: new TrustCheck({ providers, dialer, pins, prompts: trustPrompts, rules: trustSettings, clock }),
      }),
      jobs: jobs.handlers(),
      points: pointHandlers(points),
      sessions: sessionHandlers(sessions),
    },
    listeners: {},
    health: () => clockWatch.health(),
    onHealthChanged: (listener) => clockWatch.onChanged(listener),
    activeSessions: () => sessions.activeCount,
  };
}
