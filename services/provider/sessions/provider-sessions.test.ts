// Which accounts may start a session, also when an account changes during the start. services/testing tests whole sessions.
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { Database } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { LiveSession } from '../../session/live-session.ts';
import { SessionArchive } from '../../session/session-archive.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import type { SessionGrant } from '../../wire/control-messages.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { stateIn, type ProviderState } from '../state/provider-state.ts';
import type { SessionChannel } from './session-channel.ts';
import { Repositories } from '../repositories/repositories.ts';
import { RestorePoints } from '../repositories/restore-points.ts';
import { ProviderSessions } from './provider-sessions.ts';
import { TenantAccounts } from '../accounts/tenant-accounts.ts';

const channel: SessionChannel = {
  peer: { request: () => Promise.reject(new FarkeepError('call.unknown')), notify: () => undefined },
  gatewayName: 'gw',
  certificateSha256: 'AA',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' },
  pushRoutes: () => Promise.reject(new FarkeepError('gateway.link-down')),
};

describe('a session that starts', () => {
  let state: ProviderState;
  let accounts: TenantAccounts;
  let sessions: ProviderSessions;
  let repositories: Repositories;
  let repositoryId: string;
  let tenantId: string;
  /** Called between the read of an account and its result, to simulate a slow database on another machine. */
  let onAccountRead: (() => Promise<void>) | undefined;

  beforeEach(async () => {
    state = stateIn(new Database(':memory:', providerMigrations));
    const points = new RestorePoints(silentLogger);
    repositories = new Repositories(state.repositories, systemClock, points);
    onAccountRead = undefined;
    const store = new Proxy(state.accounts, {
      get: (target, name) =>
        name === 'find'
          ? async (id: string) => {
              const account = await target.find(id);
              const wait = onAccountRead;
              onAccountRead = undefined;
              await wait?.();
              return account;
            }
          : (Reflect.get(target, name) as (...input: unknown[]) => unknown).bind(target),
    });
    accounts = new TenantAccounts({ store, repositories: state.repositories, clock: systemClock });
    sessions = new ProviderSessions({
      accounts,
      archive: new SessionArchive(state.sessions),
      points,
      repositories,
      clock: systemClock,
      logger: silentLogger,
      startMover: () => {
        throw new Error('No test here starts a mover');
      },
      publish: () => undefined,
      moverHost: '127.0.0.1',
      advertisedHost: undefined,
      resumeWindowMs: 1000,
      maxTasksPerTenant: 16,
      onTenantChanged: () => undefined,
      onUsageChanged: () => undefined,
      deleting: new Set(),
    });
    ({ id: repositoryId } = await repositories.add('main', path.join(await makeTemporaryFolder(), 'repository')));
    tenantId = await accounts.add({
      name: 'contoso',
      password: 'a good password',
      quotas: [{ repository: 'main', limitBytes: 1e6 }],
      leaseUntil: null,
    });
  });

  const start = (): Promise<SessionGrant> =>
    sessions.start(
      tenantId,
      {
        sessionId: newId(),
        operation: 'backup',
        jobId: newId(),
        jobName: 'documents',
        repository: 'main',
        pointId: null,
        streams: 1,
        areNamesHidden: false,
      },
      channel,
    );

  it('is refused when its account is disabled or removed while the repository is checked', async () => {
    const whileDisabled = start();
    await accounts.set(tenantId, { isEnabled: false });
    await sessions.cancelAllOf(tenantId, new FarkeepError('login.disabled'));
    await expect(whileDisabled).rejects.toMatchObject({ code: 'login.disabled' });
    await accounts.set(tenantId, { isEnabled: true });
    const whileRemoved = start();
    await accounts.remove(tenantId);
    await expect(whileRemoved).rejects.toMatchObject({ code: 'call.not-found' });
    expect(sessions.activeSessions()).toBe(0);
    expect(await sessions.list(10)).toEqual([]);
  });

  it('is refused when its account is disabled after the last read of the account', async () => {
    let isSecond = false;
    onAccountRead = () => {
      onAccountRead = async () => {
        isSecond = true;
        await state.accounts.change(tenantId, { isEnabled: false });
        await sessions.cancelAllOf(tenantId, new FarkeepError('login.disabled'));
      };
      return Promise.resolve();
    };
    await expect(start()).rejects.toMatchObject({ code: 'login.disabled' });
    expect(isSecond).toBe(true);
    expect(sessions.activeSessions()).toBe(0);
    expect(await sessions.list(10)).toEqual([]);
  });

  it('is refused when the service stops during the start', async () => {
    const started = start();
    await sessions.stop();
    await expect(started).rejects.toMatchObject({ code: 'service.not-running' });
    expect(sessions.activeSessions()).toBe(0);
  });

  it('finds its repository by the name that the job knows, after the repository was renamed', async () => {
    await repositories.change(repositoryId, { name: 'vault' });
    // No mover runs here, so the session fails later.
    await expect(start()).rejects.not.toMatchObject({ code: 'call.not-found' });
    expect(await sessions.list(10)).toMatchObject([{ repository: 'vault' }]);
    await accounts.set(tenantId, { quotas: [] });
    await expect(start()).rejects.toMatchObject({ code: 'call.not-found' });
  });

  it('is refused when the folder of its repository changes during the start', async () => {
    const before = start();
    await sessions.whileUnused(repositoryId, () => Promise.resolve());
    await expect(before).rejects.toMatchObject({ code: 'storage.io', retryable: true });
    await sessions.whileUnused(repositoryId, async () => {
      await expect(start()).rejects.toMatchObject({ code: 'storage.io', retryable: true });
      await expect(sessions.whileUnused(repositoryId, () => Promise.resolve())).rejects.toMatchObject({
        code: 'service.locked',
      });
    });
    await sessions.whileUnused('f'.repeat(32), async () => {
      await expect(start()).rejects.not.toMatchObject({ code: 'storage.io' });
    });
  });

  it('that has failed meanwhile is not resumed: the tenant learns why it ended, and what to do', async () => {
    const live = LiveSession.create(
      {
        ...{ id: newId(), kind: 'backup', jobName: 'documents', otherSide: 'contoso', repository: 'main' },
        ...{ viewer: 'provider', streams: 1, areObjectNamesHidden: false },
      },
      systemClock,
      [],
    );
    live.finish('failed', new FarkeepError('session.mover-died', 'The target data mover ended unexpectedly'));
    await new SessionArchive(state.sessions).save(live, tenantId, { tenantId, isCommitted: false });
    await expect(sessions.resume(tenantId, { sessionId: live.id, streams: 1 }, channel)).rejects.toMatchObject({
      code: 'call.conflict',
      message: 'The session has ended: The target data mover ended unexpectedly',
      hint: 'Start it again as a new session.',
      retryable: false,
    });
    live.dispose();
  });
});
