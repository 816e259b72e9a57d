// Owns the file format of a manifest that a tenant saves for browsing: magic, root, then the contents of the manifest's blocks, each after
// its length. The file is either complete or absent.
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { maxManifestBlockBytes } from '../../../repository/points/manifest-format.ts';
import { maxPointRootBytes } from '../../../repository/points/point-root.ts';
import type { ManifestBlocks } from '../../../repository/points/tree-index.ts';

const magic = Buffer.from('FKSM\x01\0\0\0', 'latin1');

export class SavedManifestWriter {
  readonly #file: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;

  private constructor(file: string, temporary: string, handle: FileHandle) {
    this.#file = file;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(file: string, root: Buffer): Promise<SavedManifestWriter> {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    const writer = new SavedManifestWriter(file, temporary, await open(temporary, 'w', 0o600));
    await writer.#handle.appendFile(magic);
    await writer.add(root);
    return writer;
  }

  async add(content: Buffer): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    await this.#handle.appendFile(Buffer.concat([length, content]));
  }

  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await rename(this.#temporary, this.#file);
  }

  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined); // The caller must get the error of the write, not an error of this cleanup.
    await unlink(this.#temporary).catch(() => undefined);
  }
}

/** Opens the blocks of a saved manifest, so that `TreeIndex` can search it without reading all of it. @throws storage.damaged */
export async function openSavedManifest(file: string): Promise<ManifestBlocks & AsyncDisposable> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const places: { readonly start: number; readonly length: number }[] = [];
    const head = Buffer.alloc(magic.length);
    await handle.read(head, 0, magic.length, 0);
    if (!head.equals(magic)) throw damaged(file);
    for (let at = magic.length; at < size;) {
      const { bytesRead } = await handle.read(head, 0, 4, at);
      const length = head.readUInt32BE(0);
      const isTooLong = length > Math.max(maxManifestBlockBytes, maxPointRootBytes) || at + 4 + length > size;
      if (bytesRead < 4 || isTooLong) throw damaged(file);
      places.push({ start: at + 4, length });
      at += 4 + length;
    }
    // The first part of the file is the root.
    const blocks = places.slice(1);
    return {
      count: blocks.length,
      read: async (index) => {
        const place = blocks[index];
        if (place === undefined) throw new RangeError(`There is no manifest block ${index}`);
        const content = Buffer.allocUnsafe(place.length);
        await handle.read(content, 0, place.length, place.start);
        return content;
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function damaged(file: string): FarkeepError {
  return new FarkeepError('storage.damaged', `${file} is not a saved manifest, or was cut`, {
    hint: 'Fetch it from the provider again.',
  });
}
