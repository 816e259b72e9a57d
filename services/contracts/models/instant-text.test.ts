import { expect, it } from 'vitest';
import { expiryText, instantText } from './instant-text.ts';

it('writes an instant for a sentence, with its zone', () => {
  expect(instantText('2026-11-29T14:03:59.999Z')).toBe('2026-11-29 14:03 UTC');
  expect(instantText(Date.UTC(2026, 0, 2, 3, 4))).toBe('2026-01-02 03:04 UTC');
});

it('counts days as people do', () => {
  expect([-1, 0, 1, 2].map(expiryText)).toEqual([
    'has expired',
    'expires today',
    'expires tomorrow',
    'expires in 2 days',
  ]);
});
