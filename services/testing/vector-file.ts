// Owns vector files: recorded bytes that tests compare with the code's output. For tests only. With FARKEEP_WRITE_VECTORS=1 a test records
// the current output; do that only for a new vector, otherwise the recorded bytes prove nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

export type VectorJson = Readonly<Record<string, unknown>>;

export function readVector(url: URL): VectorJson {
  return JSON.parse(readFileSync(url, 'utf8')) as VectorJson;
}

/** @param made the code's output for the inputs in the file; plain JSON */
export function expectVector(url: URL, made: VectorJson): void {
  if (process.env['FARKEEP_WRITE_VECTORS'] === '1') {
    // Non-ASCII characters are escaped, because names in a vector may contain invisible characters.
    const json = JSON.stringify(made, null, 2).replaceAll(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    writeFileSync(url, `${json}\n`);
  }
  expect(made).toEqual(readVector(url));
}
