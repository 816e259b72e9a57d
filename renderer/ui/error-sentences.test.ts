import { describe, expect, it } from 'vitest';
import { errorSentences } from './error-sentences.ts';

describe('errorSentences', () => {
  it('puts a full stop between message and hint where there is none', () => {
    expect(errorSentences({ message: 'The password is wrong', hint: 'Type it again.' })).toBe(
      'The password is wrong. Type it again.',
    );
    expect(errorSentences({ message: 'Not 64 hex digits.', hint: 'Copy it again.' })).toBe(
      'Not 64 hex digits. Copy it again.',
    );
    expect(errorSentences({ message: 'Gone', hint: '' })).toBe('Gone');
  });
});
