// Owns the small folder that `farkeep demo` backs up by default. It has what real folders contain, also unusual names and links.
import { createCipheriv, createHash } from 'node:crypto';
import { chmod, link, mkdir, open, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

const incompressibleBytes = 24 * 1024 * 1024;
const sparseBytes = 64 * 1024 * 1024;

/** Makes the folder with the same content every time, about 30 MB to read and 64 MB of holes. */
export async function makeSampleFolder(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'letters', '2026'), { recursive: true });
  await mkdir(path.join(folder, 'photographs'), { recursive: true });
  await mkdir(path.join(folder, 'empty folder'), { recursive: true });
  for (let month = 1; month <= 12; month += 1) {
    const file = path.join(folder, 'letters', '2026', `${String(month).padStart(2, '0')} to Zoë.txt`);
    await writeFile(file, `Letter ${month}\n${'All is well here, and I hope the same of you.\n'.repeat(200 * month)}`);
    await utimes(
      file,
      new Date(Date.UTC(2026, month - 1, 3, 9, 15, 30)),
      new Date(Date.UTC(2026, month - 1, 3, 9, 15, 30)),
    );
  }
  await writeFile(path.join(folder, 'ledger.csv'), ledger());
  await writeFile(path.join(folder, 'empty'), '');
  await writeFile(path.join(folder, '日本語 ☂.txt'), 'A name in other letters.\n');
  await writeFile(path.join(folder, 'run.sh'), '#!/bin/sh\necho "restored with its mode"\n');
  await chmod(path.join(folder, 'run.sh'), 0o755);
  await writeFile(path.join(folder, 'private.txt'), 'Only for the owner.\n', { mode: 0o600 });
  const photograph = path.join(folder, 'photographs', 'harbour.raw');
  await writeFile(photograph, noise('harbour', incompressibleBytes));
  await link(photograph, path.join(folder, 'photographs', 'best of 2026.raw'));
  if (process.platform === 'win32') return;
  await symlink('photographs/harbour.raw', path.join(folder, 'latest photograph'));
  await symlink('nowhere', path.join(folder, 'broken link'));
  // A name that is not UTF-8, as in old archives.
  await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]), 'Latin-1\n');
  const sparse = path.join(folder, 'disk.img');
  await using handle = await open(sparse, 'w');
  await handle.truncate(sparseBytes);
  await handle.write(Buffer.from('boot'), 0, 4, 0);
  await handle.write(noise('disk', 1024 * 1024), 0, 1024 * 1024, sparseBytes / 2);
}

function ledger(): string {
  const lines = ['date,account,amount'];
  for (let line = 0; line < 40_000; line += 1) {
    lines.push(
      `2026-${String((line % 12) + 1).padStart(2, '0')}-11,${1000 + (line % 37)},${((line * 7919) % 100_000) / 100}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Incompressible bytes, the same for the same seed: AES in counter mode over zeros. */
function noise(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
