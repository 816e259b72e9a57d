// Owns the small sample for "Try it on this computer": documents to back up, and a folder for the repository. Keeps existing files.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface SampleFolders {
  readonly sourcePath: string;
  readonly repositoryPath: string;
}

const documents: Readonly<Record<string, (random: () => number) => string>> = {
  'Read me first.txt': () =>
    [
      'These files were made by Farkeep to try a backup with.',
      '',
      'Back this folder up, delete a file, restore it, and compare. Then look at the session: which keys were made,',
      'where they went, and what the gateway could see.',
      '',
    ].join('\n'),
  'Letters/To the insurer.txt': (random) => prose(random, 40),
  'Letters/To the landlord.txt': (random) => prose(random, 30),
  'Accounts/2026.csv': (random) => ledger(random, 2_000),
  'Accounts/2025.csv': (random) => ledger(random, 1_500),
  'Notes/Meeting — März.txt': (random) => prose(random, 60),
  'Notes/empty.txt': () => '',
  'Archive/log.txt': (random) => prose(random, 20_000),
};

/** @param home root folder of the instance */
export async function prepareSample(home: string): Promise<SampleFolders> {
  const sourcePath = path.join(home, 'sample', 'documents');
  const repositoryPath = path.join(home, 'sample', 'repository');
  await mkdir(repositoryPath, { recursive: true, mode: 0o700 });
  await mkdir(sourcePath, { recursive: true, mode: 0o700 });
  if ((await readdir(sourcePath)).length > 0) return { sourcePath, repositoryPath };
  const random = seededRandom(6180);
  for (const [name, content] of Object.entries(documents)) {
    const file = path.join(sourcePath, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content(random));
  }
  return { sourcePath, repositoryPath };
}

/** mulberry32, so that every computer gets the same documents. Must not be used for secrets. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words =
  'the roof was mended before winter and every bill is kept with its receipt so that nothing has to be looked for twice when the year ends'.split(
    ' ',
  );

function prose(random: () => number, lines: number): string {
  const line = (): string =>
    Array.from({ length: 12 }, () => words[Math.floor(random() * words.length)] ?? '').join(' ');
  return `${Array.from({ length: lines }, line).join('\n')}\n`;
}

function ledger(random: () => number, rows: number): string {
  const row = (index: number): string =>
    `${index + 1},${words[Math.floor(random() * words.length)] ?? ''},${(random() * 900).toFixed(2)}`;
  return `number,what,amount\n${Array.from({ length: rows }, (_item, index) => row(index)).join('\n')}\n`;
}
