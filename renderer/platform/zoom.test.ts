import { expect, it } from 'vitest';
import { zoomAfterKey } from './zoom.ts';

it('zooms in steps, within bounds, and back to the normal size', () => {
  expect(zoomAfterKey('+', 1)).toBe(1.1);
  expect(zoomAfterKey('=', 1.1)).toBe(1.25);
  expect(zoomAfterKey('-', 1)).toBe(0.9);
  expect(zoomAfterKey('-', 0.97)).toBe(0.9);
  expect(zoomAfterKey('+', 2)).toBe(2);
  expect(zoomAfterKey('-', 0.5)).toBe(0.5);
  expect(zoomAfterKey('0', 1.75)).toBe(1);
  expect(zoomAfterKey('f', 1)).toBeNull();
});
