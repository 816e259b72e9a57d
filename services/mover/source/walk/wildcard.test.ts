import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExcludes } from './exclude-patterns.ts';
import { compileWildcard } from './wildcard.ts';

/** Converts the pattern to a regular expression: correct, but slow for some patterns. */
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
  it('matches the same texts as its regular expression', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(compileWildcard(pattern)(text)).toBe(asExpression(pattern).test(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('gives the same result on each call', () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { maxLength: 5 }), (pattern, asked) => {
        const isMatch = compileWildcard(pattern);
        const first = asked.map((text) => isMatch(text));
        expect(asked.map((text) => isMatch(text))).toEqual(first);
      }),
    );
  });

  // Each pattern ends like its text. With a different end, the check of the end alone would reject the text. A matcher that tries one path
  // after the other needs seconds for the first pattern, and years for the others.
  const hostile: readonly (readonly [pattern: string, text: string])[] = [
    [`${'*a'.repeat(4)}*c?b`, `${'a'.repeat(90)}b`],
    ['*a*a*a*a*a*a*a*a*a*c?b', `${'a'.repeat(250)}b`],
    [`${'*a'.repeat(400)}*c?b`, `${'a'.repeat(250)}b`],
    [`${'**/'.repeat(300)}c?b`, `${'a/'.repeat(2000)}aab`],
    [`${'**a'.repeat(300)}c?b`, `${'a/'.repeat(2000)}aab`],
    [`${'*?'.repeat(400)}c?b`, `${'a'.repeat(4000)}b`],
    [`${'?'.repeat(900)}*b*`, 'a'.repeat(4000)],
  ];
  it('is fast for any pattern', () => {
    for (const [pattern, text] of hostile) {
      const before = process.cpuUsage();
      expect(compileExcludes([pattern])(Buffer.from(text), false)).toBe(false);
      const { user } = process.cpuUsage(before);
      expect(user / 1000, pattern.slice(0, 30)).toBeLessThan(1500);
    }
  });
});
