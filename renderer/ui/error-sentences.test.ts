import { describe, expect, it } from 'vitest';
import { errorSentences } from './error-sentences.ts';

describe('errorSentences', () => {
  it('adds a full stop between message and hint if it is missing', () => {
    expect(errorSentences({ message: 'The password is wrong', hint: 'Type it again.' })).toBe(
      'The password is wrong. Type it again.',
    );
    expect(errorSentences({ message: 'Not 64 hex digits.', hint: 'Copy it again.' })).toBe(
      'Not 64 hex digits. Copy it again.',
    );
    expect(errorSentences({ message: 'Gone', hint: '' })).toBe('Gone');
  });
});
