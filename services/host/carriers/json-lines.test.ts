import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader, encodeLine } from './json-lines.ts';

describe('JSON lines', () => {
  it('returns the same documents for any division of the bytes into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 30 }),
        (documents, cuts) => {
          const bytes = Buffer.from(documents.map(encodeLine).join(''));
          const seen: unknown[] = [];
          const reader = createLineReader((document) => seen.push(document));
          let start = 0;
          for (const length of [...cuts, bytes.length]) {
            expect(reader.push(bytes.subarray(start, start + length))).toBeUndefined();
            start += length;
          }
          expect(seen).toEqual(documents.map((document) => JSON.parse(JSON.stringify(document)) as unknown));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuses a line that is not JSON', () => {
    const reader = createLineReader(() => undefined);
    expect(reader.push(Buffer.from('{"a":1}\nGET / HTTP/1.1\n'))).toBe('not-json');
  });

  it('refuses a line as soon as it is too long, in one chunk or in several', () => {
    expect(createLineReader(() => undefined, 10).push(Buffer.from('"12345678901234567890"\n'))).toBe('line-too-long');
    const reader = createLineReader(() => undefined, 10);
    expect(reader.push(Buffer.from('"12345'))).toBeUndefined();
    expect(reader.push(Buffer.from('678901'))).toBe('line-too-long');
  });
});
