import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExcludes } from './exclude-patterns.ts';
import { compileWildcard } from './wildcard.ts';

/** The pattern as a regular expression: correct, but slow for some patterns. */
function asExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*\*\/|\*\*|\*|\?|[\\^$.|+()[\]{}/]/g, (part) => {
    const meanings: Record<string, string> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
    return meanings[part] ?? `\\${part}`;
  });
  return new RegExp(`^${source}$`, 's');
}

const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*', '**/', '**', '?', '/', '.', '\n'), maxLength: 7 });
const texts = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '\n'), maxLength: 8 });

describe('a wildcard pattern', () => {
  it('means what its regular expression means', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(compileWildcard(pattern)(text)).toBe(asExpression(pattern).test(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('gives the same answer however often it is asked', () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { maxLength: 5 }), (pattern, asked) => {
        const isMatch = compileWildcard(pattern);
        const first = asked.map((text) => isMatch(text));
        expect(asked.map((text) => isMatch(text))).toEqual(first);
      }),
    );
  });

  const hostile: readonly (readonly [pattern: string, text: string])[] = [
    ['*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(250)],
    [`${'*a'.repeat(400)}*b`, 'a'.repeat(250)],
    [`${'**/'.repeat(300)}b`, 'a/'.repeat(2000)],
    [`${'**a'.repeat(300)}b`, 'a/'.repeat(2000)],
    [`${'*?'.repeat(400)}b`, 'a'.repeat(4000)],
    [`${'?'.repeat(900)}*b*`, 'a'.repeat(4000)],
  ];
  for (const [pattern, text] of hostile) {
    it(`is quick: ${pattern.slice(0, 30)}`, () => {
      const before = process.cpuUsage();
      expect(compileExcludes([pattern])(Buffer.from(text), false)).toBe(false);
      const { user } = process.cpuUsage(before);
      expect(user / 1000).toBeLessThan(1500);
    });
  }
});
