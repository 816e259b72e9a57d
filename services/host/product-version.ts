// Owns the product version that services and the command line report.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

let cachedVersion: string | undefined;

export function productVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  cachedVersion ??= z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8'))).version;
  return cachedVersion;
}
