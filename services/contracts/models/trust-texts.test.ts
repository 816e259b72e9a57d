import { describe, expect, it } from 'vitest';
import { adviceAgainst, describeReasonsAgainst, trustReasonTexts, withReasonTexts } from './trust-texts.ts';
import { trustReasons } from './trust.ts';

describe('the sentences for a trust decision', () => {
  it('name only what is against a certificate', () => {
    expect(describeReasonsAgainst(['name.covered', 'chain.trusted', 'revocation.revoked'])).toBe(
      'It was revoked by its authority.',
    );
    expect(describeReasonsAgainst(['chain.incomplete', 'date.expired', 'name.covered'])).toBe(
      'Its chain does not lead to an authority that is trusted on this computer. It has expired.',
    );
    for (const reason of trustReasons) expect(describeReasonsAgainst([reason])).not.toContain(reason);
  });

  it('suggest a thumbprint only where it would help', () => {
    for (const reason of ['pin.revoked', 'revocation.revoked', 'strength.weak-key', 'name.not-covered'] as const) {
      expect(adviceAgainst(['chain.trusted', reason])).toMatch(/^(Ask your provider|Use a name|To trust it again)/);
    }
    expect(adviceAgainst(['chain.self-signed', 'revocation.unknown', 'date.expired'])).toBeUndefined();
  });

  it('replace reason codes in a sentence, and nothing else', () => {
    expect(withReasonTexts('Trusted by chain: chain.trusted, name.covered')).toBe(
      `Trusted by chain: ${trustReasonTexts['chain.trusted']} ${trustReasonTexts['name.covered']}`,
    );
    expect(withReasonTexts('The gateway, constructor, toString')).toBe('The gateway, constructor, toString');
  });
});
