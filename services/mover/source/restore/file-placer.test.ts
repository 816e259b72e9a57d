import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { blockIdOf } from '../../../blocks/block.ts';
import { placeSmallFile } from '../../../repository/restore/small-file.ts';
import { FilePlacer } from './file-placer.ts';
import { packPlacedFiles, unpackPlacedFiles, type PlacedFile } from '../streams/placed-files.ts';

let folder: string;
let placer: FilePlacer;
const content = randomBytes(1000);
const id = blockIdOf(content);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-placer-'));
  placer = new FilePlacer(placeSmallFile);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function fileAt(name: string, index: number, more: Partial<PlacedFile> = {}): PlacedFile {
  const file = {
    folder: Buffer.from(folder),
    name: Buffer.from(name),
    isHidden: false,
    metadata: {
      mode: 0o640,
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      mtimeNs: 1_600_000_000_000_000_000n,
    },
    isOwnerRestored: false,
    bornOwner: undefined,
    isReplacing: false,
  };
  return { index, position: 0, lengthBytes: content.length, file, ...more };
}

describe('a file that is one block', () => {
  it('is made by the thread that receives the block, complete, with mode and time', () => {
    placer.expect([randomBytes(32), id], [fileAt('a', 7, { position: 1 })]);
    // Between threads, a Buffer arrives as a Uint8Array.
    expect(placer.place(id, new Uint8Array(content))).toBe(true);
    expect(placer.takeResults()).toEqual({ whole: Uint32Array.of(7), results: [] });
    expect(placer.takeResults()).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['a']);
    expect(readFileSync(path.join(folder, 'a'))).toEqual(content);
    const { mode, mtimeMs } = lstatSync(path.join(folder, 'a'));
    expect(mode & 0o7777).toBe(0o640);
    expect(mtimeMs).toBe(1_600_000_000_000);
  });

  it('uses one block for each request; a further block is content for other requesters', () => {
    placer.expect([id], [fileAt('a', 1)]);
    placer.expect([id], []);
    placer.expect([id], [fileAt('b', 2)]);
    expect([placer.place(id, content), placer.place(id, content), placer.place(id, content)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(placer.takeResults()).toEqual({ whole: Uint32Array.of(1, 2), results: [] });
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  it('replaces an existing file completely', () => {
    writeFileSync(path.join(folder, 'a'), 'before');
    const { file, ...rest } = fileAt('a', 1);
    placer.expect([id], [{ ...rest, file: { ...file, isReplacing: true } }]);
    placer.place(id, content);
    expect(readFileSync(path.join(folder, 'a'))).toEqual(content);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('is not made from a block of a wrong length, and leaves no temporary file', () => {
    placer.expect([id], [fileAt('a', 1, { lengthBytes: 999 })]);
    expect(placer.place(id, content)).toBe(true);
    expect(placer.takeResults()).toMatchObject({ results: [{ index: 1, error: { code: 'restore.mismatch' } }] });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that cannot be made reports the reason', () => {
    const { file, ...rest } = fileAt('a', 1);
    placer.expect([id], [{ ...rest, file: { ...file, folder: Buffer.from(path.join(folder, 'missing')) } }]);
    placer.place(id, content);
    const message = 'It could not be written here: ENOENT: no such file or directory';
    expect(placer.takeResults()).toMatchObject({ results: [{ index: 1, error: { code: 'storage.io', message } }] });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is the only file that fails when its block cannot be read', () => {
    placer.expect([id], [fileAt('a', 1)]);
    const lost = new FarkeepError('storage.damaged', 'The pack is gone').toInfo();
    expect(placer.fail(id, lost)).toBe(true);
    expect(placer.fail(id, lost)).toBe(false);
    expect(placer.takeResults()).toMatchObject({ results: [{ index: 1, error: lost }] });
  });

  it('is made under its own name in a hidden folder, and does not replace an existing file', () => {
    const { file, ...rest } = fileAt('a', 1);
    placer.expect([id, id], [{ ...rest, file: { ...file, isHidden: true } }]);
    placer.expect([id], [{ ...rest, index: 2, file: { ...file, isHidden: true } }]);
    placer.place(id, content);
    placer.place(id, Buffer.alloc(content.length));
    expect(placer.takeResults()).toMatchObject({ whole: Uint32Array.of(1), results: [{ index: 2 }] });
    expect(readFileSync(path.join(folder, 'a'))).toEqual(content);
  });

  it('is unchanged after packing for another thread', () => {
    const plain = fileAt('a', 2 ** 32 - 1, { position: 63, lengthBytes: 4_000_000 });
    const { file } = fileAt('\xff', 2);
    const metadata = { mode: 0o7777, owner: { uid: 2 ** 32 - 2, gid: 7 }, mtimeNs: -(2n ** 63n) };
    const odd = {
      ...file,
      metadata,
      isHidden: true,
      isOwnerRestored: true,
      isReplacing: true,
      bornOwner: { uid: 1, gid: 2 },
    };
    const files = [plain, { index: 0, position: 0, lengthBytes: 0, file: odd }];
    expect(unpackPlacedFiles(Buffer.from(packPlacedFiles(files)))).toEqual(files);
  });

  it('cannot wait for a block that is not requested', () => {
    expect(() => placer.expect([id], [fileAt('a', 1, { position: 1 })])).toThrow(
      expect.objectContaining({ code: 'call.internal' }),
    );
  });
});
