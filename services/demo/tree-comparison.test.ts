import { chmod, cp, link, mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { makeSampleFolder } from './sample-folder.ts';
import { compareTrees } from './tree-comparison.ts';

const { signal } = new AbortController();

async function makePair(): Promise<{ left: string; right: string }> {
  const root = await makeTemporaryFolder();
  const left = path.join(root, 'left');
  await mkdir(path.join(left, 'folder'), { recursive: true });
  await writeFile(path.join(left, 'file'), 'content');
  await writeFile(path.join(left, 'folder', 'inner'), 'more');
  await symlink('file', path.join(left, 'symlink'));
  await link(path.join(left, 'file'), path.join(left, 'second name'));
  const right = path.join(root, 'right');
  await cp(left, right, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  // cp makes two independent files from the two names.
  await rm(path.join(right, 'second name'));
  await link(path.join(right, 'file'), path.join(right, 'second name'));
  const time = new Date('2026-01-02T03:04:05.678Z');
  for (const top of [left, right]) {
    for (const name of ['file', 'folder/inner', 'folder', '.']) await utimes(path.join(top, name), time, time);
  }
  return { left, right };
}

describe('comparing trees', () => {
  it('finds no difference between a tree and its copy', async () => {
    const { left, right } = await makePair();
    expect(await compareTrees(left, right, signal)).toEqual({
      files: 3,
      folders: 1,
      links: 1,
      bytes: 11,
      differences: [],
    });
  });

  it.each<[string, string, (right: string) => Promise<void>]>([
    [
      'other content of the same length',
      'other content',
      (right) => writeFile(path.join(right, 'folder', 'inner'), 'MORE'),
    ],
    ['another length', 'bytes', (right) => truncate(path.join(right, 'folder', 'inner'), 3)],
    ['another mode', 'mode 0640', (right) => chmod(path.join(right, 'folder', 'inner'), 0o640)],
    ['another time', 'modification time', (right) => utimes(path.join(right, 'file'), 1, 1)],
    ['a missing file', 'is missing', (right) => rm(path.join(right, 'folder', 'inner'))],
    ['a file too many', 'which the source does not have', (right) => writeFile(path.join(right, 'folder', 'new'), '')],
    ['a file too many at the top', 'which the source does not have', (right) => writeFile(path.join(right, 'new'), '')],
    [
      'another link target',
      'points elsewhere',
      async (right) => {
        await rm(path.join(right, 'symlink'));
        await symlink('folder', path.join(right, 'symlink'));
      },
    ],
    [
      'a file instead of a link',
      'is a file, not a symbolic link',
      async (right) => {
        await rm(path.join(right, 'symlink'));
        await writeFile(path.join(right, 'symlink'), 'content');
      },
    ],
    [
      'a hard link that became a copy',
      'hard link',
      async (right) => {
        await rm(path.join(right, 'second name'));
        await cp(path.join(right, 'file'), path.join(right, 'second name'), { preserveTimestamps: true });
      },
    ],
  ])('finds %s', async (_name, what, change) => {
    const { left, right } = await makePair();
    await change(right);
    const { differences } = await compareTrees(left, right, signal);
    expect(differences.map((difference) => difference.what).join('; ')).toContain(what);
  });

  it('reads the sample, unusual names and holes included', async () => {
    const folder = path.join(await makeTemporaryFolder(), 'sample');
    await makeSampleFolder(folder);
    const { files, links, bytes, differences } = await compareTrees(folder, folder, signal);
    expect(differences).toEqual([]);
    expect({ files, links }).toEqual({ files: 21, links: 2 });
    expect(bytes).toBeGreaterThan(90_000_000);
  });
});
