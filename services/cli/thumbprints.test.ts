// No part of the services and of the command line has its own form of a thumbprint: people compare them with those in the console.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const services = path.resolve(import.meta.dirname, '..');
/** Folders whose texts people read. Identifiers on the wire and in files have their own form. */
const folders = ['cli', 'offline', 'demo', 'diagnostics', 'host', 'provider', 'tenant', 'gateway'];
const ownForm = /\b\w*(sha256|sha1|[Tt]humbprint|[Ff]ingerprint|serialNumber)\.(slice|match|split|substring)\(/g;

it('writes thumbprints in one form', () => {
  const found = folders.flatMap((folder) =>
    readdirSync(path.join(services, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => {
        const text = readFileSync(path.join(services, folder, file), 'utf8');
        return [...text.matchAll(ownForm)].map(([hit]) => `${folder}/${file}: ${hit}`);
      }),
  );
  expect(found).toEqual([]);
  expect([...'`${summary.sha256.slice(0, 17)}...`'.matchAll(ownForm)]).toHaveLength(1);
});
