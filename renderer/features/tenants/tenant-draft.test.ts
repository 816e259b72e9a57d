import { describe, expect, it } from 'vitest';
import { setCommands, addCommands } from './tenant-command.ts';
import {
  accountProblems,
  changesOf,
  draftOf,
  leaseOf,
  quotaBytes,
  quotaLimits,
  tasksOf,
  tenantNameProblem,
} from './tenant-draft.ts';
import type { AccountDraft, QuotaLimit } from './tenant-draft.ts';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';

const account: TenantAccount = {
  id: 'a'.repeat(32),
  name: 'acme',
  isEnabled: true,
  createdAt: '2026-11-01T00:00:00.000Z',
  leaseUntil: '2027-03-31T23:59:59.999Z',
  quotas: [
    { repository: 'main', limitBytes: 1_500_000_000_000, usedBytes: 7 },
    { repository: 'old', limitBytes: 123_456_789, usedBytes: 0 },
  ],
  lastLoginAt: null,
  activeSessions: 0,
  maxTasks: 4,
};

function limitsOf(draft: AccountDraft): QuotaLimit[] {
  return quotaLimits(
    ['main', 'old', 'new'],
    (name) => draft.quotas[name] ?? { isChosen: false, amount: '1', unit: 'GB' },
    account,
  ).flatMap(({ repository, limitBytes }) => (limitBytes === null ? [] : [{ repository, limitBytes }]));
}

describe('the tenant wizard', () => {
  it('reads quotas in their unit', () => {
    expect(quotaBytes({ isChosen: true, amount: '500', unit: 'GB' })).toBe(500_000_000_000);
    expect(quotaBytes({ isChosen: true, amount: ' 1.5 ', unit: 'TB' })).toBe(1_500_000_000_000);
    expect(quotaBytes({ isChosen: true, amount: '0,5', unit: 'MB' })).toBe(500_000);
    for (const amount of ['', '0', '-1', 'x', '1e9', '9'.repeat(12)])
      expect(quotaBytes({ isChosen: true, amount, unit: 'GB' })).toBeNull();
  });

  it('accepts the same account names as the contract', () => {
    expect(tenantNameProblem('contoso.backup@north')).toBeNull();
    expect(tenantNameProblem('')).toBe('field.required');
    expect(tenantNameProblem('con toso')).toBe('tenantWizard.name.invalid');
    expect(tenantNameProblem('-x')).toBe('tenantWizard.name.invalid');
  });

  it('opens filled with the account, and changes nothing without input', () => {
    const draft = draftOf(account);
    expect(draft).toMatchObject({ name: 'acme', isEnabled: true, leaseDay: '2027-03-31', tasks: '4' });
    expect(draft.quotas['main']).toEqual({ isChosen: true, amount: '1.5', unit: 'TB' });
    // The bytes that no unit shows exactly stay as they are.
    expect(draft.quotas['old']).toEqual({ isChosen: true, amount: '123.457', unit: 'MB' });
    expect(limitsOf(draft)).toEqual(account.quotas.map(({ repository, limitBytes }) => ({ repository, limitBytes })));
    expect(changesOf(account, draft, limitsOf(draft))).toEqual({});
    expect(accountProblems(draft, false)).toEqual({});
  });

  it('sends only what differs, and has a command for each change', () => {
    const before = draftOf(account);
    const draft = {
      ...before,
      isEnabled: false,
      leaseDay: '',
      tasks: ' ',
      quotas: { ...before.quotas, main: { isChosen: true, amount: '2', unit: 'TB' as const } },
    };
    const changes = changesOf(account, draft, limitsOf(draft));
    expect(changes).toEqual({
      isEnabled: false,
      leaseUntil: null,
      maxTasks: null,
      quotas: [
        { repository: 'main', limitBytes: 2e12 },
        { repository: 'old', limitBytes: 123_456_789 },
      ],
    });
    expect(setCommands('acme', changes)).toEqual([
      'farkeep tenant set acme --quota main=2TB --quota old=123456789 --lease none --tasks none',
      'farkeep tenant disable acme',
    ]);
    expect(setCommands('acme', { quotas: [], maxTasks: 2, leaseUntil: '2027-05-01T23:59:59.999Z' })).toEqual([
      'farkeep tenant set acme --lease 2027-05-01 --tasks 2 --no-quota',
    ]);
    expect(
      addCommands({ name: 'x', leaseDay: '2027-05-01', tasks: '3' }, [{ repository: 'main', limitBytes: 1e9 }])[0],
    ).toBe('farkeep tenant add x --password-file PASSWORD_FILE --quota main=1GB --lease 2027-05-01 --tasks 3');
  });

  it('reads the last day as the command line does, and the tasks as the contract does', () => {
    expect(leaseOf('')).toBeNull();
    expect(leaseOf('2027-03-31')).toBe('2027-03-31T23:59:59.999Z');
    for (const day of ['2027-02-30', '31.3.2027', 'soon']) expect(leaseOf(day)).toBeUndefined();
    expect(tasksOf('')).toBeNull();
    expect(tasksOf(' 12 ')).toBe(12);
    for (const tasks of ['0', '1001', '1.5', 'x', '-2']) expect(tasksOf(tasks)).toBeUndefined();
    expect(accountProblems({ ...draftOf(null), tasks: '0', leaseDay: 'x' }, true)).toEqual({
      name: 'field.required',
      password: 'tenantWizard.password.short',
      lease: 'tenantWizard.lease.invalid',
      tasks: 'tenantWizard.tasks.invalid',
    });
  });
});
