// Owns the product version that services and the command line report.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

let known: string | undefined;

export function productVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  known ??= z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8'))).version;
  return known;
}
