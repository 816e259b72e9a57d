// Tests the encodings of a password, and that no encoding causes two key derivations.
import { describe, expect, it } from 'vitest';
import { firstThatFits, type PasswordForm, passwordForms } from './file-password.ts';

function attempts(password: string, uses: keyof PasswordForm): string[] {
  const tried: string[] = [];
  firstThatFits(passwordForms(password), uses, (form) => {
    tried.push(form[uses].toString('hex'));
    return undefined;
  });
  return tried;
}

describe('the bytes of a password', () => {
  it('are UTF-16 for PKCS#12, and an ASCII password has one encoding', () => {
    expect(attempts('ab', 'pkcs12')).toEqual(['006100620000']);
  });

  it('are tried as UTF-8 and then as UTF-16 for PBES2', () => {
    expect(attempts('ab', 'plain')).toEqual(['6162', '006100620000']);
  });

  it.each(['pässwörd', 'пароль', 'žluťoučký'])('are never tried twice in the same encoding: %s', (password) => {
    for (const uses of ['pkcs12', 'plain'] as const) {
      const tried = attempts(password, uses);
      expect(new Set(tried).size).toBe(tried.length);
    }
  });
});
