// Owns the input of the tenant wizard, its errors, and what changes at an account. Pure.
import { maxTasksSchema, tenantNameSchema } from '../../../services/contracts/models/provider.ts';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { leastPasswordLength } from '../../ui/form/password-rules.ts';

export const quotaUnits = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
export type QuotaUnit = keyof typeof quotaUnits;

export interface QuotaDraft {
  readonly isChosen: boolean;
  readonly amount: string;
  readonly unit: QuotaUnit;
}

export interface AccountDraft {
  readonly name: string;
  readonly password: string;
  readonly isEnabled: boolean;
  /** "2027-03-31", or empty for no end. */
  readonly leaseDay: string;
  /** Empty: the provider's setting for all tenants. */
  readonly tasks: string;
  /** By name of the repository. */
  readonly quotas: Readonly<Record<string, QuotaDraft>>;
}

export interface QuotaLimit {
  readonly repository: string;
  readonly limitBytes: number;
}

/** The part of `tenants.set` that the wizard can change. */
export interface AccountChanges {
  readonly isEnabled?: boolean;
  readonly leaseUntil?: string | null;
  readonly maxTasks?: number | null;
  readonly quotas?: QuotaLimit[];
}

export type AccountProblems = Partial<
  Record<
    'name' | 'password' | 'lease' | 'tasks',
    | 'field.required'
    | 'tenantWizard.name.invalid'
    | 'tenantWizard.password.short'
    | 'tenantWizard.lease.invalid'
    | 'tenantWizard.tasks.invalid'
  >
>;

export const defaultQuota: QuotaDraft = { isChosen: false, amount: '500', unit: 'GB' };

/** Null for a new account. */
export function draftOf(tenant: TenantAccount | null): AccountDraft {
  return {
    name: tenant?.name ?? '',
    password: '',
    isEnabled: tenant?.isEnabled ?? true,
    leaseDay: tenant?.leaseUntil?.slice(0, 10) ?? '',
    tasks: String(tenant?.maxTasks ?? ''),
    quotas: Object.fromEntries(
      (tenant?.quotas ?? []).map(({ repository, limitBytes }) => [repository, quotaDraftOf(limitBytes)]),
    ),
  };
}

/** The largest unit in which the size is at least one. The amount has at most three digits after the point. */
function quotaDraftOf(bytes: number): QuotaDraft {
  const unit = (['TB', 'GB'] as const).find(
    (each) => bytes >= quotaUnits[each] && bytes % (quotaUnits[each] / 1000) === 0,
  );
  const chosen = unit ?? 'MB';
  return { isChosen: true, amount: String(Number((bytes / quotaUnits[chosen]).toFixed(3))), unit: chosen };
}

/** Whole bytes. Null if the input is no number above zero. */
export function quotaBytes({ amount, unit }: QuotaDraft): number | null {
  if (!/^\s*\d{1,9}([.,]\d{1,3})?\s*$/.test(amount)) return null;
  const bytes = Math.round(Number(amount.trim().replace(',', '.')) * quotaUnits[unit]);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

export function tenantNameProblem(name: string): 'field.required' | 'tenantWizard.name.invalid' | null {
  if (name.trim() === '') return 'field.required';
  return tenantNameSchema.safeParse(name).success ? null : 'tenantWizard.name.invalid';
}

/** The name and the password belong to a new account only. */
export function accountProblems(draft: AccountDraft, isNew: boolean): AccountProblems {
  const name = isNew ? tenantNameProblem(draft.name) : null;
  return {
    ...(name === null ? {} : { name }),
    ...(isNew && draft.password.length < leastPasswordLength ? { password: 'tenantWizard.password.short' } : {}),
    ...(leaseOf(draft.leaseDay) === undefined ? { lease: 'tenantWizard.lease.invalid' } : {}),
    ...(tasksOf(draft.tasks) === undefined ? { tasks: 'tenantWizard.tasks.invalid' } : {}),
  };
}

/** The end of the day in UTC, as on the command line; null for no end; undefined for a text that is no day. */
export function leaseOf(day: string): string | null | undefined {
  if (day === '') return null;
  const end = Date.parse(`${day}T23:59:59.999Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(end) && new Date(end).toISOString().startsWith(day)
    ? new Date(end).toISOString()
    : undefined;
}

/** Null: the provider's setting for all tenants. Undefined for a text that is no number of tasks. */
export function tasksOf(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const parsed = maxTasksSchema.safeParse(/^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN);
  return parsed.success ? parsed.data : undefined;
}

/** The chosen repositories in the given order. An amount that nobody changed keeps its exact bytes. */
export function quotaLimits(
  repositories: readonly string[],
  quotaOf: (repository: string) => QuotaDraft,
  tenant: TenantAccount | null,
): { readonly repository: string; readonly limitBytes: number | null }[] {
  const before = draftOf(tenant).quotas;
  return repositories
    .filter((repository) => quotaOf(repository).isChosen)
    .map((repository) => {
      const { amount, unit } = quotaOf(repository);
      const old = before[repository];
      const isSame = old?.amount === amount && old.unit === unit;
      const oldBytes = tenant?.quotas.find((quota) => quota.repository === repository)?.limitBytes;
      return { repository, limitBytes: isSame && oldBytes !== undefined ? oldBytes : quotaBytes(quotaOf(repository)) };
    });
}

/** Only what differs from the account, so that a change which another admin made meanwhile is not undone. */
export function changesOf(tenant: TenantAccount, draft: AccountDraft, limits: readonly QuotaLimit[]): AccountChanges {
  const before = draftOf(tenant);
  const lease = leaseOf(draft.leaseDay);
  const tasks = tasksOf(draft.tasks);
  const areQuotasSame =
    limits.length === tenant.quotas.length &&
    limits.every(({ repository, limitBytes }) =>
      tenant.quotas.some((old) => old.repository === repository && old.limitBytes === limitBytes),
    );
  return {
    ...(draft.isEnabled === tenant.isEnabled ? {} : { isEnabled: draft.isEnabled }),
    ...(draft.leaseDay === before.leaseDay || lease === undefined ? {} : { leaseUntil: lease }),
    ...(tasks === (tenant.maxTasks ?? null) || tasks === undefined ? {} : { maxTasks: tasks }),
    ...(areQuotasSame ? {} : { quotas: [...limits] }),
  };
}
