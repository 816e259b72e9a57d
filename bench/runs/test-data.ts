// Owns the data that is backed up: incompressible bytes, and a copy of a real tree of this machine.
import { createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';

export interface TestData {
  /** Part of the names of the figures. */
  readonly name: 'random' | 'tree';
  /** Folder that is backed up. */
  readonly source: string;
  readonly bytes: number;
  readonly files: number;
  /** The only file in the folder; only for random data. */
  readonly file?: string;
}

export async function makeRandomData(folder: string, bytes: number): Promise<TestData & { readonly file: string }> {
  await mkdir(folder);
  const file = path.join(folder, 'file');
  await makeRandomFile(file, bytes);
  return { name: 'random', source: folder, bytes, files: 1, file };
}

async function makeRandomFile(file: string, bytes: number): Promise<void> {
  const output = createWriteStream(file);
  const chunk = Buffer.alloc(4 * 1024 * 1024);
  for (let left = bytes; left > 0; left -= chunk.length) {
    const part = randomFillSync(Buffer.from(chunk)).subarray(0, Math.min(left, chunk.length));
    if (!output.write(part)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'close');
}

/** Copies a real tree, folder by folder, until the copy has `wantedFiles` files. */
export async function copyTree(from: string, to: string, wantedFiles: number): Promise<TestData> {
  const copied = { files: 0, bytes: 0 };
  const copyFolder = async (below: string): Promise<void> => {
    await mkdir(path.join(to, below), { recursive: true });
    const entries = await readdir(path.join(from, below), { withFileTypes: true });
    for (const entry of entries.sort((left, right) => left.name.localeCompare(right.name))) {
      if (copied.files >= wantedFiles) return;
      const name = path.join(below, entry.name);
      if (entry.isDirectory()) await copyFolder(name);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        await cp(path.join(from, name), path.join(to, name), { verbatimSymlinks: true, preserveTimestamps: true });
        if (!entry.isFile()) continue;
        copied.files += 1;
        copied.bytes += (await stat(path.join(to, name))).size;
      }
    }
  };
  await copyFolder('.');
  return { name: 'tree', source: to, ...copied };
}
