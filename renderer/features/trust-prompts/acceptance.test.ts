import { expect, it } from 'vitest';
import { canAccept } from './acceptance.ts';

it('needs a matching thumbprint or the tick, and no tick outweighs a mismatch', () => {
  expect(canAccept(null, false)).toBe(false);
  expect(canAccept(null, true)).toBe(true);
  expect(canAccept({ isMatch: true }, false)).toBe(true);
  expect(canAccept({ isMatch: false }, false)).toBe(false);
  expect(canAccept({ isMatch: false }, true)).toBe(false);
});
