import { describe, expect, it } from 'vitest';
import { generatePassword } from './generate-password.ts';

describe('generated passwords', () => {
  it('are five groups of four without letters that look alike, and never the same', () => {
    const made = Array.from({ length: 200 }, generatePassword);
    for (const password of made)
      expect(password).toMatch(/^([A-HJ-NP-Za-km-np-z2-9]{4}-){4}[A-HJ-NP-Za-km-np-z2-9]{4}$/);
    expect(new Set(made).size).toBe(200);
  });
});
