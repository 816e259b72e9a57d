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

  // Each ends as its text does, or it would be refused by the end alone. The first one takes seconds where the ways through a pattern are tried
  // one after the other; the others would take years.
  const hostile: readonly (readonly [pattern: string, text: string])[] = [
    [`${'*a'.repeat(4)}*c?b`, `${'a'.repeat(90)}b`],
    ['*a*a*a*a*a*a*a*a*a*c?b', `${'a'.repeat(250)}b`],
    [`${'*a'.repeat(400)}*c?b`, `${'a'.repeat(250)}b`],
    [`${'**/'.repeat(300)}c?b`, `${'a/'.repeat(2000)}aab`],
    [`${'**a'.repeat(300)}c?b`, `${'a/'.repeat(2000)}aab`],
    [`${'*?'.repeat(400)}c?b`, `${'a'.repeat(4000)}b`],
    [`${'?'.repeat(900)}*b*`, 'a'.repeat(4000)],
  ];
  it('is quick, whatever it is', () => {
    for (const [pattern, text] of hostile) {
      const before = process.cpuUsage();
      expect(compileExcludes([pattern])(Buffer.from(text), false)).toBe(false);
      const { user } = process.cpuUsage(before);
      expect(user / 1000, pattern.slice(0, 30)).toBeLessThan(1500);
    }
  });
});
