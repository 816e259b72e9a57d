// The tenants domain of the provider: accounts, their ends, and invitations.
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory } from '../../testing/provider-in-memory.ts';
import type { RecordedAudit } from '../../testing/recorded-audit.ts';
import type { RecordedEvents } from '../../testing/recorded-events.ts';
import { invitationLogin } from '../../wire/invitation-login.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';
import type { CertificateUsers } from '../certificates/certificate-users.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import { tenantHandlers } from './tenant-handlers.ts';

const start = Date.parse('2027-03-01T12:00:00.000Z');
const [minuteMs, dayMs] = [60_000, 86_400_000];
const password = 'a good password';
const quotas = [{ repository: 'main', limitBytes: 1000 }];
const missing = 'f'.repeat(32);
const inService = { sha256: '11:22' };

describe('the tenants of a provider', () => {
  let accounts: TenantAccounts;
  let users: CertificateUsers;
  let gateways: Gateways;
  let events: RecordedEvents;
  let audit: RecordedAudit;
  let switchAtMs: number | undefined;
  /** What the handlers asked of their collaborators, in order. */
  let asked: string[];
  let tenants: DomainClient<typeof tenantsDomain>;

  beforeEach(async () => {
    const clock = new ManualClock(start);
    ({ accounts, users, gateways, events, audit } = await openProviderInMemory(clock));
    switchAtMs = undefined;
    asked = [];
    const handlers = tenantHandlers({
      accounts,
      sessions: standIn<ProviderSessions>({
        activeSessions: () => 2,
        cancelAllOf: async (tenantId, { code }) => {
          asked.push(`cancel sessions: ${code}, account ${(await accounts.find(tenantId)) ? 'kept' : 'gone'}`);
        },
      }),
      gateways,
      identity: standIn<ProviderIdentity>(inService),
      certificateUsers: users,
      certificateUsageEvents: standIn<CertificateUsageEvents>({
        usageChanged: (slot) => void asked.push(`usage changed: ${slot}`),
      }),
      identityChangesAtMs: () => switchAtMs,
      providerName: 'Northwind',
      clock,
      audit: audit.log,
      publish: events.publish,
      disconnect: (_tenantId, { code }) => void asked.push(`disconnect: ${code}`),
      onQuotasChanged: () => void asked.push('quotas changed'),
      countUsage: async (tenantId) => {
        for (const { repositoryId } of await accounts.quotas(tenantId)) {
          await accounts.setUsage(tenantId, repositoryId, 700);
        }
      },
    });
    tenants = callHandlers(tenantsDomain, handlers);
  });

  const addContoso = async (): Promise<string> => {
    const { id } = await tenants.add({ name: 'contoso', password, quotas });
    audit.entries.length = 0;
    events.all.length = 0;
    asked.length = 0;
    return id;
  };
  const addGateway = async (name: string): Promise<string> =>
    (await gateways.create(name, [{ host: `${name}.test`, port: 6180 }], name, '2999-01-01T00:00:00.000Z')).id;

  it('counts the used space again when a quota comes back', async () => {
    const tenantId = await addContoso();
    await tenants.set({ tenantId, quotas: [] });
    expect(await tenants.set({ tenantId, quotas })).toMatchObject({ quotas: [{ usedBytes: 700 }] });
  });

  it('adds an account, shows it with its running sessions, and records who added it', async () => {
    const added = await tenants.add({ name: 'contoso', password, quotas, maxTasks: 3 });
    expect(added).toMatchObject({
      name: 'contoso',
      isEnabled: true,
      leaseUntil: null,
      activeSessions: 2,
      maxTasks: 3,
      quotas: [{ repository: 'main', limitBytes: 1000, usedBytes: 0 }],
    });
    expect((await tenants.list({})).tenants).toEqual([added]);
    expect(events.of(tenantsDomain, 'changed')).toEqual([added]);
    expect(audit.lines).toEqual(['admin (command line): tenant.add contoso']);
    expect(asked).toEqual(['quotas changed']);
    expect(JSON.stringify([audit.entries, events.all])).not.toContain(password);
  });

  it('changes only what is given, records the names of the fields, and lets the sessions run', async () => {
    const tenantId = await addContoso();
    const changed = await tenants.set({ tenantId, password: 'another password', maxTasks: 5 });
    expect(changed).toMatchObject({ maxTasks: 5, quotas: [{ limitBytes: 1000 }] });
    expect(events.of(tenantsDomain, 'changed')).toEqual([changed]);
    expect(audit.entries).toMatchObject([{ subject: 'contoso', detail: 'Changed: password, maxTasks' }]);
    expect(asked).toEqual(['quotas changed']);
  });

  it.each([
    ['is disabled', { isEnabled: false }, 'login.disabled'],
    ['has a lease that is over', { leaseUntil: new Date(start).toISOString() }, 'login.lease-expired'],
  ])('ends sessions and connections of an account that %s', async (_case, changes, code) => {
    const tenantId = await addContoso();
    await tenants.set({ tenantId, ...changes });
    expect(asked).toEqual([`cancel sessions: ${code}, account kept`, `disconnect: ${code}`, 'quotas changed']);
  });

  it('keeps the connections of an account whose lease still runs', async () => {
    const tenantId = await addContoso();
    await tenants.set({ tenantId, leaseUntil: new Date(start + 1).toISOString() });
    expect(asked).toEqual(['quotas changed']);
  });

  it('removes the account before it ends the sessions, and forgets which certificate the tenant met', async () => {
    const tenantId = await addContoso();
    await users.noteSeen('provider', 'tenant', 'contoso', inService.sha256);
    expect(await tenants.remove({ tenantId })).toEqual({});
    expect(asked).toEqual([
      'cancel sessions: login.disabled, account gone',
      'disconnect: login.disabled',
      'usage changed: provider',
      'quotas changed',
    ]);
    expect(await users.list('provider', { ...inService, nextSha256: undefined })).toEqual([]);
    expect(events.all).toEqual([{ domain: 'tenants', event: 'removed', payload: { tenantId } }]);
    expect(audit.lines).toEqual(['admin (command line): tenant.remove contoso']);
  });

  it('invites with the addresses of the enabled gateways and a secret that logs in as this account', async () => {
    const tenantId = await addContoso();
    await addGateway('gw1');
    await gateways.setEnabled(await addGateway('gw2'), false);
    const { invitation } = await tenants.invite({ tenantId });
    const expiresAt = new Date(start + 3 * dayMs).toISOString();
    expect(invitation).toMatchObject({
      provider: 'Northwind',
      gateways: [{ host: 'gw1.test', port: 6180 }],
      user: 'contoso',
      fingerprint: inService.sha256,
      expiresAt,
    });
    const { userName } = invitationLogin(invitation.user, invitation.secret);
    expect(await accounts.findCredential(userName)).toMatchObject({ tenantId });
    expect(audit.entries).toMatchObject([{ action: 'tenant.invite', subject: 'contoso', parameters: { expiresAt } }]);
    expect(JSON.stringify(audit.entries)).not.toContain(invitation.secret);
    expect(asked).toEqual(['usage changed: provider']);
  });

  it('lets no invitation last beyond a planned change of the certificate', async () => {
    const tenantId = await addContoso();
    await addGateway('gw1');
    switchAtMs = start + dayMs;
    const { invitation } = await tenants.invite({ tenantId });
    expect(invitation.expiresAt).toBe(new Date(switchAtMs).toISOString());
    const shorter = await tenants.invite({ tenantId, validMs: minuteMs });
    expect(shorter.invitation.expiresAt).toBe(new Date(start + minuteMs).toISOString());
  });

  it('does not invite when no gateway could be used', async () => {
    const tenantId = await addContoso();
    await gateways.setEnabled(await addGateway('gw1'), false);
    expect(await refusalOf(tenants.invite({ tenantId }))).toMatchObject({ code: 'gateway.none-usable' });
    expect(await accounts.openInvitations()).toEqual([]);
    expect(audit.entries).toEqual([]);
  });

  describe('refuses, and then nothing has changed:', () => {
    let tenantId: string;
    let before: unknown;
    beforeEach(async () => {
      tenantId = await addContoso();
      await addGateway('gw1');
      before = await tenants.list({});
    });
    const unknownQuota = [{ repository: 'other', limitBytes: 1 }];
    it.each<[string, () => Promise<unknown>, string, string]>([
      ['a taken name', () => tenants.add({ name: 'Contoso', password, quotas }), 'call.conflict', 'name'],
      [
        'a new account with an unknown repository',
        () => tenants.add({ name: 'fabrikam', password, quotas: unknownQuota }),
        'call.not-found',
        'quotas',
      ],
      [
        'a change with an unknown repository',
        () => tenants.set({ tenantId, isEnabled: false, quotas: unknownQuota }),
        'call.not-found',
        'quotas',
      ],
      ['a change of nobody', () => tenants.set({ tenantId: missing, isEnabled: false }), 'call.not-found', 'tenantId'],
      ['the removal of nobody', () => tenants.remove({ tenantId: missing }), 'call.not-found', 'tenantId'],
      ['an invitation of nobody', () => tenants.invite({ tenantId: missing }), 'call.not-found', 'tenantId'],
    ])('%s', async (_case, call, code, field) => {
      expect(await refusalOf(call())).toMatchObject({ code, field });
      expect(await tenants.list({})).toEqual(before);
      expect(events.all).toEqual([]);
      expect(audit.entries).toEqual([]);
      expect(asked).toEqual([]);
    });
  });

  describe('at the bounds of what can be asked', () => {
    const good = { name: 'contoso', password, quotas };
    it.each<[string, () => Promise<unknown>, string]>([
      ['a name of 65 characters', () => tenants.add({ ...good, name: 'a'.repeat(65) }), 'name'],
      ['a password of 7 characters', () => tenants.add({ ...good, password: '1234567' }), 'password'],
      ['a password of 257 characters', () => tenants.add({ ...good, password: 'a'.repeat(257) }), 'password'],
      ['an account without a quota', () => tenants.add({ ...good, quotas: [] }), 'quotas'],
      [
        'a negative limit',
        () => tenants.add({ ...good, quotas: [{ repository: 'main', limitBytes: -1 }] }),
        'quotas.0.limitBytes',
      ],
      ['no simultaneous session', () => tenants.add({ ...good, maxTasks: 0 }), 'maxTasks'],
      [
        'an invitation for less than a minute',
        () => tenants.invite({ tenantId: missing, validMs: minuteMs - 1 }),
        'validMs',
      ],
      [
        'an invitation for more than 30 days',
        () => tenants.invite({ tenantId: missing, validMs: 30 * dayMs + 1 }),
        'validMs',
      ],
    ])('refuses %s', async (_case, call, field) => {
      expect(await refusalOf(call())).toMatchObject({ code: 'call.invalid', field });
    });

    it('takes the longest name and password, and a limit of zero', async () => {
      const name = 'a'.repeat(64);
      const longest = { name, password: 'p'.repeat(256), quotas: [{ repository: 'main', limitBytes: 0 }] };
      expect(await tenants.add({ ...longest, maxTasks: 1000 })).toMatchObject({ name, quotas: [{ limitBytes: 0 }] });
    });
  });
});
