// Owns the input of the tenant wizard, and its errors. Pure.
import { tenantNameSchema } from '../../../services/contracts/models/provider.ts';

export const quotaUnits = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
export type QuotaUnit = keyof typeof quotaUnits;

export interface QuotaDraft {
  readonly isChosen: boolean;
  readonly amount: string;
  readonly unit: QuotaUnit;
}

export const defaultQuota: QuotaDraft = { isChosen: false, amount: '500', unit: 'GB' };

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
