// Owns making small files in a stream worker. If a requested block is a complete file, the worker makes this file when the block arrives.
// So the content is not passed between threads, and all stream threads make files. The tree writer on the main thread has chosen and
// checked the paths.
import type { ErrorInfo } from '../../../contracts/errors.ts';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import type { placeSmallFile } from '../../../repository/restore/small-file.ts';
import { placeError } from '../../../repository/restore/restore-problems.ts';
import type { PlacedFile } from '../streams/placed-files.ts';
import type { PlacedResult } from '../streams/worker-link.ts';

export class FilePlacer {
  /** Expected files by block. If a block is requested for a file and also as content, the block arrives twice, in any order. */
  readonly #expected = new Map<string, PlacedFile[]>();
  #whole: number[] = [];
  #results: PlacedResult[] = [];
  readonly #placeFile: typeof placeSmallFile;

  constructor(placeFile: typeof placeSmallFile) {
    this.#placeFile = placeFile;
  }

  /** Must be called before the request for `ids` is sent. */
  expect(ids: readonly Buffer[], files: readonly PlacedFile[]): void {
    for (const file of files) {
      const id = ids[file.position];
      if (id === undefined) throw new FarkeepError('call.internal', 'A file waits for a block that is not asked for');
      const waiting = this.#expected.get(keyOf(id));
      if (waiting === undefined) this.#expected.set(keyOf(id), [file]);
      else waiting.push(file);
    }
  }

  /** Makes a file from this block; returns false if no file waits for the block. */
  place(id: Buffer, content: Uint8Array): boolean {
    const placed = this.#take(id);
    if (placed === undefined) return false;
    const result = this.#make(placed, content);
    if (result === undefined) this.#whole.push(placed.index);
    else this.#results.push(result);
    return true;
  }

  /** Reports that the block cannot be read; returns false if no file waits for the block. */
  fail(id: Buffer, error: ErrorInfo): boolean {
    const placed = this.#take(id);
    if (placed !== undefined) this.#results.push({ index: placed.index, error });
    return placed !== undefined;
  }

  /** Returns and clears the results; undefined if there are none. */
  takeResults(): { readonly whole: Uint32Array<ArrayBuffer>; readonly results: readonly PlacedResult[] } | undefined {
    if (this.#whole.length === 0 && this.#results.length === 0) return undefined;
    const taken = { whole: Uint32Array.from(this.#whole), results: this.#results };
    this.#whole = [];
    this.#results = [];
    return taken;
  }

  /** Makes the file. Returns a result only if there is a problem. */
  #make({ index, lengthBytes, file }: PlacedFile, content: Uint8Array): PlacedResult | undefined {
    try {
      if (content.length !== lengthBytes)
        throw new FarkeepError('restore.mismatch', `A block has ${content.length} bytes instead of ${lengthBytes}`);
      const refused = this.#placeFile(file, [content]);
      return refused.length === 0 ? undefined : { index, refused };
    } catch (error) {
      return { index, error: placeError(error).toInfo() };
    }
  }

  #take(id: Buffer): PlacedFile | undefined {
    const key = keyOf(id);
    const expected = this.#expected.get(key);
    const next = expected?.shift();
    if (expected?.length === 0) this.#expected.delete(key);
    return next;
  }
}

function keyOf(id: Buffer): string {
  return id.toString('latin1');
}
