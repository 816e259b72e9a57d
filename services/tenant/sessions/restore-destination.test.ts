import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDestination } from './restore-destination.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-destination-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the destination of a restore', () => {
  it('may exist or not; the check creates no folder, because the restore sets owner, mode and time', async () => {
    await checkDestination(folder);
    await checkDestination(path.join(folder, 'new', 'place'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a relative path', () => 'relative'],
    ['a file', () => path.join(folder, 'file')],
    ['a folder below a file', () => path.join(folder, 'file', 'new')],
    ['a new folder whose name is not valid UTF-8', () => path.join(folder, 'out-\ufffd')],
    ['a place where no folder can be created', () => '/proc/farkeep/new'],
  ])('is refused before a session is started: %s', async (_what, destination) => {
    writeFileSync(path.join(folder, 'file'), '');
    await expect(checkDestination(destination())).rejects.toMatchObject({ code: 'restore.target' });
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
