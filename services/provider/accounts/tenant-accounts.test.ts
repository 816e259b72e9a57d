import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { invitationLogin } from '../../wire/invitation-login.ts';
import { makeScramVerifier } from '../../wire/scram.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { stateIn } from '../state/provider-state.ts';
import { TenantAccounts } from './tenant-accounts.ts';

const start = Date.parse('2026-01-01T00:00:00Z');

describe('TenantAccounts', () => {
  let nowMs: number;
  let database: Database;
  let accounts: TenantAccounts;
  let tenantId: string;

  beforeEach(async () => {
    nowMs = start;
    database = new Database(':memory:', providerMigrations);
    const { accounts: store, repositories } = stateIn(database);
    const clock = { now: () => nowMs, sleep: () => Promise.resolve() };
    accounts = new TenantAccounts({ store, repositories, clock });
    for (const name of ['main', 'cold']) {
      database.run(
        'INSERT INTO repositories (id, name, folder, created_at) VALUES (?, ?, ?, ?)',
        `id-${name}`,
        name,
        `/disk/${name}`,
        'then',
      );
    }
    tenantId = await accounts.add({
      name: 'contoso',
      password: 'a good password',
      quotas: [{ repository: 'main', limitBytes: 100 }],
      leaseUntil: null,
    });
  });

  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'no error';
    } catch (error) {
      return error instanceof FarkeepError ? error.code : String(error);
    }
  };

  it('stores a verifier, never the password', () => {
    const row = database.get('SELECT * FROM tenants');
    expect(JSON.stringify(Object.values(row ?? {}).map(String))).not.toContain('a good password');
    expect(row?.['iterations']).toBe(600_000);
  });

  it('ignores the case of names, and refuses a taken name', async () => {
    const again = accounts.add({ name: 'Contoso', password: 'x', quotas: [], leaseUntil: null });
    await expect(again).rejects.toMatchObject({ code: 'call.conflict', field: 'name' });
    expect((await accounts.findCredential('CONTOSO'))?.tenantId).toBe(tenantId);
    expect(await accounts.findCredential('nobody')).toBeUndefined();
  });

  it('refuses an account that is disabled or whose lease has ended', async () => {
    expect(await codeOf(accounts.requireActive(tenantId))).toBe('no error');
    await accounts.set(tenantId, { leaseUntil: '2026-01-02T00:00:00Z' });
    nowMs = Date.parse('2026-01-01T23:59:59Z');
    expect(await codeOf(accounts.requireActive(tenantId))).toBe('no error');
    nowMs = Date.parse('2026-01-02T00:00:00Z');
    expect(await codeOf(accounts.requireActive(tenantId))).toBe('login.lease-expired');
    await accounts.set(tenantId, { leaseUntil: null, isEnabled: false });
    expect(await codeOf(accounts.requireActive(tenantId))).toBe('login.disabled');
  });

  it('stores the task limit of one tenant until the limit is removed', async () => {
    expect((await accounts.get(tenantId)).maxTasks).toBeNull();
    await accounts.set(tenantId, { maxTasks: 3 });
    await accounts.set(tenantId, { isEnabled: true });
    expect((await accounts.get(tenantId)).maxTasks).toBe(3);
    await accounts.set(tenantId, { maxTasks: null });
    expect((await accounts.get(tenantId)).maxTasks).toBeNull();
    const other = await accounts.add({ name: 'b', password: 'x', quotas: [], leaseUntil: null, maxTasks: 1 });
    expect((await accounts.get(other)).maxTasks).toBe(1);
  });

  it('replaces all quotas together, and keeps the used bytes', async () => {
    await accounts.setUsage(tenantId, 'id-main', 42);
    await accounts.set(tenantId, {
      quotas: [
        { repository: 'main', limitBytes: 200 },
        { repository: 'cold', limitBytes: 1 },
      ],
    });
    expect(await accounts.quotas(tenantId)).toMatchObject([
      { repository: 'cold', limitBytes: 1, usedBytes: 0 },
      { repository: 'main', limitBytes: 200, usedBytes: 42 },
    ]);
    await accounts.set(tenantId, { quotas: [{ repository: 'cold', limitBytes: 1 }] });
    expect((await accounts.quotas(tenantId)).map(({ repository }) => repository)).toEqual(['cold']);
    const wrong = accounts.set(tenantId, { quotas: [{ repository: 'nowhere', limitBytes: 1 }] });
    await expect(wrong).rejects.toMatchObject({ code: 'call.not-found' });
    expect(await accounts.quotas(tenantId)).toHaveLength(1);
  });

  it('creates invitations that work once and expire', async () => {
    const { userName, secret } = await accounts.invite(tenantId, new Date(start + 1000).toISOString(), '11');
    const login = invitationLogin(userName, secret);
    const credential = await accounts.findCredential(login.userName);
    expect(credential).toMatchObject({ tenantId });
    const invitationId = credential?.invitationId ?? '';
    const verifier = await makeScramVerifier('chosen by the tenant');
    await accounts.redeemInvitation(invitationId, tenantId, verifier);
    expect(await accounts.findCredential(login.userName)).toBeUndefined();
    expect(await codeOf(accounts.redeemInvitation(invitationId, tenantId, verifier))).toBe('login.refused');
    expect((await accounts.findCredential('contoso'))?.verifier.storedKey.equals(verifier.storedKey)).toBe(true);

    const late = await accounts.invite(tenantId, new Date(start + 1000).toISOString(), '11');
    nowMs = start + 1000;
    expect(await accounts.findCredential(invitationLogin(late.userName, late.secret).userName)).toBeUndefined();
  });

  it('deletes all data of a removed account', async () => {
    await accounts.invite(tenantId, new Date(start + 1000).toISOString(), '11');
    await accounts.remove(tenantId);
    expect(await accounts.list()).toEqual([]);
    expect(database.get('SELECT count(*) AS count FROM invitations')?.['count']).toBe(0);
    expect(database.get('SELECT count(*) AS count FROM quotas')?.['count']).toBe(0);
  });
});
