// A tenant's connection at the provider, from its first message to its end, over a peer in memory.
import { beforeEach, describe, expect, it } from 'vitest';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import { standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory, type ProviderInMemory } from '../../testing/provider-in-memory.ts';
import type { CloseHandler, ControlPeer, NotificationHandler, RequestHandler } from '../../transport/control-peer.ts';
import type { ControlConnection } from '../../transport/control-server.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { controlProtocolVersion, type TenantRequestOutput } from '../../wire/control-messages.ts';
import { ScramClient } from '../../wire/scram.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import type { SessionChannel } from '../sessions/session-channel.ts';
import { OpenConnections } from './open-connections.ts';
import { TenantDoor, type TenantDoorOptions } from './tenant-door.ts';

const start = Date.parse('2027-03-01T12:00:00.000Z');
const password = 'a good password';
const sha256 = '11:22';
const channelBinding = Buffer.alloc(32, 7);
const greeting = { protocol: controlProtocolVersion, software: 'test', features: [] };
const status = { acceptedBy: 'person', nextSha256: null, refused: null } as const;

/** The tenant's end. */
interface Tenant {
  request(type: string, payload: unknown): Promise<unknown>;
  notify: NotificationHandler;
  close: CloseHandler;
  readonly charged: number[];
}

describe('the door for tenants', () => {
  let memory: ProviderInMemory;
  let connections: OpenConnections;
  let door: TenantDoor;
  let tenantId: string;
  let asked: string[];
  let logged: { message: string; fields: Record<string, unknown> | undefined }[];

  beforeEach(async () => {
    const clock = new ManualClock(start);
    memory = await openProviderInMemory(clock);
    const { accounts, users, audit, events } = memory;
    tenantId = await accounts.add({ name: 'contoso', password, quotas: [], leaseUntil: null });
    connections = new OpenConnections();
    asked = [];
    logged = [];
    const logger: Logger = { ...silentLogger, warn: (message, fields) => void logged.push({ message, fields }) };
    const ask = (what: string) => async (who: string) => {
      asked.push(`${what} of ${who === tenantId ? 'contoso' : who}`);
    };
    door = new TenantDoor({
      accounts,
      sessions: standIn<ProviderSessions>({
        activeSessions: () => 1,
        find: (who) => {
          void ask('find session')(who);
          return undefined;
        },
        cancelByTenant: ask('cancel session'),
        channelLost: (_peer, { code }) => void asked.push(`channel lost: ${code}`),
      }),
      connections,
      certificateUsers: users,
      certificateUsageEvents: standIn<CertificateUsageEvents>({
        usageChanged: (slot) => void asked.push(`usage changed: ${slot}`),
        countsChanged: () => void asked.push('counts changed'),
      }),
      rolloverAnswer: (shown) => ({ kind: shown === sha256 ? 'none' : 'outdated', announcement: null }),
      requests: standIn<TenantDoorOptions['requests']>({
        'repositories.list': async (who) => {
          await ask('repositories')(who);
          return { repositories: [] };
        },
      }),
      channelOf: () => standIn<SessionChannel>({}),
      unknownUserSecret: Secret.random(),
      providerName: 'Northwind',
      audit: audit.log,
      clock,
      logger,
      publish: events.publish,
    });
  });

  const connect = (): Tenant => {
    let onRequest: RequestHandler | undefined;
    let notify: NotificationHandler | undefined;
    let close: CloseHandler | undefined;
    const charged: number[] = [];
    const peer = standIn<ControlPeer>({
      onRequest: (handler) => void (onRequest = handler),
      onNotify: (handler) => void (notify = handler),
      onClose: (handler) => void (close = handler),
      countInto: () => undefined,
      charge: (cost) => void charged.push(cost),
      close: async (reason) => {
        asked.push(`closed: ${reason?.code ?? 'in order'}`);
        close?.(reason);
      },
    });
    const connection = standIn<ControlConnection>({
      peer,
      remoteAddress: '192.0.2.1',
      gatewayId: undefined,
      channelBinding,
      shownSha256: sha256,
      confirmLogin: () => void asked.push('login confirmed'),
    });
    door.take(connection);
    if (onRequest === undefined || notify === undefined || close === undefined) throw new Error('Nobody listens');
    const request = onRequest;
    return {
      request: (type, payload) => request(type, payload, { signal: new AbortController().signal }),
      notify,
      close,
      charged,
    };
  };
  const logIn = async (
    tenant: Tenant,
    { userName = 'contoso', typed = password } = {},
  ): Promise<TenantRequestOutput<'login.finish'>> => {
    const client = new ScramClient({ userName, password: typed, channelBinding, minIterations: 4096 });
    const peer = {
      request: (type: string, payload: unknown) => tenant.request(type, payload),
      notify: () => undefined,
    };
    await askProvider(peer, 'hello', greeting);
    const first = { mechanism: 'SCRAM-SHA-256-PLUS', message: client.first() } as const;
    const { message } = await askProvider(peer, 'login.start', first);
    return askProvider(peer, 'login.finish', { message: await client.answer(message) });
  };

  it('shows a login, and notes which certificate the tenant met', async () => {
    const tenant = connect();
    expect(await logIn(tenant)).toMatchObject({ tenantId, mustSetPassword: false });
    expect(memory.events.of(tenantsDomain, 'changed')).toMatchObject([
      { name: 'contoso', activeSessions: 1, lastLoginAt: new Date(start).toISOString() },
    ]);
    expect(asked).toEqual(['login confirmed', 'usage changed: provider']);
    expect(await memory.users.list('provider', { sha256, nextSha256: undefined })).toMatchObject([
      { kind: 'tenant', name: 'contoso', state: 'updated' },
    ]);
    await logIn(connect());
    expect(asked.filter((what) => what.startsWith('usage'))).toHaveLength(1);
    expect(connections.loggedIn()).toHaveLength(2);
  });

  it('answers nothing before the login', async () => {
    const tenant = connect();
    for (const [name, payload] of [
      ['repositories.list', {}],
      ['certificate.status', status],
    ] as const) {
      await expect(tenant.request(name, payload)).rejects.toMatchObject({ code: 'call.refused' });
    }
    expect(() => tenant.notify('session.report', {})).toThrow('before the login');
    await expect(tenant.request('no.such.request', {})).rejects.toMatchObject({ code: 'call.unknown' });
    expect(asked).toEqual([]);
  });

  it('answers a logged-in tenant under its own identifier, and charges costly requests', async () => {
    const tenant = connect();
    await logIn(tenant);
    asked.length = 0;
    expect(await tenant.request('repositories.list', {})).toEqual({ repositories: [] });
    expect(await tenant.request('session.cancel', { sessionId: 'a'.repeat(32) })).toEqual({});
    expect(asked).toEqual(['repositories of contoso', 'cancel session of contoso']);
    expect(tenant.charged).toEqual([1, 1]);
  });

  it('notes what a tenant reports about its certificates, and tells of news once', async () => {
    const tenant = connect();
    await logIn(tenant);
    asked.length = 0;
    const report = { ...status, nextSha256: Array(32).fill('AB').join(':') };
    expect(await tenant.request('certificate.status', report)).toEqual({ kind: 'none', announcement: null });
    expect(asked).toEqual(['usage changed: provider', 'counts changed']);
    await tenant.request('certificate.status', report);
    expect(asked).toHaveLength(2);
  });

  it('ends the connection after a malformed request, after its answer', async () => {
    const tenant = connect();
    await logIn(tenant);
    asked.length = 0;
    const answered = tenant.request('session.cancel', { sessionId: 'short' });
    await expect(answered).rejects.toMatchObject({ code: 'protocol.malformed' });
    expect(asked).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(['closed: protocol.malformed', 'channel lost: protocol.malformed']);
    expect(connections.loggedIn()).toEqual([]);
  });

  it('forgets a connection that ends, and tells the sessions', async () => {
    const tenant = connect();
    await logIn(tenant);
    tenant.close(undefined);
    expect(asked.at(-1)).toBe('channel lost: connection.lost');
    expect(connections.loggedIn()).toEqual([]);
  });

  it('lets a disabled account in no more, and ends a connection of it by its name', async () => {
    const tenant = connect();
    await logIn(tenant);
    connections.disconnect(tenantId, new FarkeepError('login.disabled'));
    expect(asked).toContain('closed: login.disabled');
    await memory.accounts.set(tenantId, { isEnabled: false });
    await expect(logIn(connect())).rejects.toMatchObject({ code: 'login.disabled' });
    expect(connections.loggedIn()).toEqual([]);
  });

  it('records refused logins with the address, without what controls a terminal, counted and not repeated', async () => {
    const typedName = `a\u202e${'b'.repeat(100)}`;
    for (let each = 0; each < 2; each += 1) {
      await expect(logIn(connect(), { userName: typedName, typed: 'wrong' })).rejects.toMatchObject({
        code: 'login.refused',
      });
    }
    expect(memory.audit.entries).toHaveLength(1);
    const [entry] = memory.audit.entries;
    expect(entry).toMatchObject({ action: 'login.refused', parameters: { code: 'login.refused', times: 1 } });
    expect(entry?.subject).toHaveLength(64);
    expect(entry?.who).toBe(`${entry?.subject} (192.0.2.1)`);
    expect(entry?.who).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(logged).toMatchObject([{ message: 'Login refused', fields: { times: 1, address: '192.0.2.1' } }]);
    expect(JSON.stringify([memory.audit.entries, logged])).not.toContain('wrong');
  });

  it('does not say whether the name or the password is wrong', async () => {
    const refusals = [{ typed: 'wrong' }, { userName: 'nobody' }].map((login) => logIn(connect(), login));
    const [one, other] = await Promise.allSettled(refusals);
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'login.refused' } });
    expect(other).toEqual(one);
  });
});
