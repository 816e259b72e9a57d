import { describe, expect, it } from 'vitest';
import { storedCertificateOf } from '../../testing/fixtures.ts';
import { certificateUses } from './certificate-uses.ts';

describe('what a stored certificate is used for', () => {
  it('names the slots and an announced change', () => {
    const both = storedCertificateOf(1, { installedInSlots: ['server', 'provider'] });
    const next = storedCertificateOf(2, { installedInSlots: [] });
    expect(certificateUses(both, null)).toEqual(['server', 'provider']);
    expect(certificateUses(next, null)).toEqual([]);
    expect(certificateUses(next, { next })).toEqual(['announced']);
    expect(certificateUses(both, { next })).toEqual(['server', 'provider']);
  });
});
