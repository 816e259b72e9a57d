// Owns vector files: bytes that were recorded once and that the code is held against. Tests only. With FARKEEP_WRITE_VECTORS=1 a test
// writes what the code gives now; do that only for a new vector, or the recorded bytes prove nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

export type VectorJson = Readonly<Record<string, unknown>>;

export function readVector(url: URL): VectorJson {
  return JSON.parse(readFileSync(url, 'utf8')) as VectorJson;
}

/** @param made what the code gives for the inputs in the file; plain JSON */
export function expectVector(url: URL, made: VectorJson): void {
  if (process.env['FARKEEP_WRITE_VECTORS'] === '1') {
    // Invisible marks in a name are part of a vector: nothing but ASCII is written as it is.
    const json = JSON.stringify(made, null, 2).replaceAll(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    writeFileSync(url, `${json}\n`);
  }
  expect(made).toEqual(readVector(url));
}
