import { describe, expect, it } from 'vitest';
import { quotaBytes, tenantNameProblem } from './tenant-draft.ts';

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
});
