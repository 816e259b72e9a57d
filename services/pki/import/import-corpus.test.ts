// PFX files of other software must open: files of openssl are made here, some files of GnuTLS, NSS and Java are stored. `npm run
// pfx-corpus` tests many more files.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OpenSsl } from '../../testing/certificates/openssl.ts';
import {
  corpusCertificates,
  craftedFiles,
  opensslFiles,
  type CorpusFile,
} from '../../testing/certificates/pfx-corpus.ts';
import { parseImport } from './import-parser.ts';
import { selectImport } from './import-selection.ts';
import { WorkBudget } from './work-budget.ts';

function read(file: Buffer, password: string | undefined, now = Date.now()): string {
  const content = parseImport({ file, password }, new WorkBudget());
  return selectImport(content, now).leaf.structure.commonNames.join();
}

const kept = z
  .object({
    readAt: z.iso.datetime(),
    files: z.array(
      z.object({ tool: z.string(), name: z.string(), password: z.string().nullable(), base64: z.base64() }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('pfx-fixtures.json', import.meta.url), 'utf8')));

describe('files of GnuTLS, NSS and Java', () => {
  it.each(kept.files.map(({ tool, name, ...file }) => [`${tool}: ${name}`, file] as const))(
    '%s',
    (_, { base64, password }) => {
      const name = read(Buffer.from(base64, 'base64'), password ?? undefined, Date.parse(kept.readAt));
      expect(['Northwind', 'keytool']).toContain(name);
    },
  );
});

describe('files of openssl', () => {
  let openssl: OpenSsl;
  let files: CorpusFile[];
  beforeAll(async () => {
    openssl = await OpenSsl.create();
    const certificates = await corpusCertificates(openssl);
    files = [...opensslFiles(openssl, certificates), ...craftedFiles(certificates)];
  });
  afterAll(() => openssl[Symbol.asyncDispose]());

  it('are read in every variant, except variants that are slow to make', async () => {
    const quick = files.filter(({ name }) => !/\d{6} rounds|100,000/.test(name));
    expect(quick.length).toBeGreaterThan(150);
    const failures: string[] = [];
    const waiting = [...quick];
    const work = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        const { name, password, write } = file;
        try {
          const found = read(await write(), password);
          if (found !== 'Northwind') failures.push(`${name}: ${found}`);
        } catch (error) {
          failures.push(`${name}: ${String(error)}`);
        }
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    expect(failures).toEqual([]);
  }, 600_000);
});
