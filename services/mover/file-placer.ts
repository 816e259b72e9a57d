// Owns which blocks that a stream worker asks for are whole files, and makes these files as the blocks arrive: their content crosses no
// thread, and small files are made on as many threads as there are streams. Paths were chosen by the tree writer on the main thread.
import type { ErrorInfo } from '../contracts/errors.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { placeSmallFile } from '../repository/small-file.ts';
import { asBuffer } from './worker-link.ts';
import type { PlacedFile, PlacedResult } from './worker-link.ts';

export class FilePlacer {
  /** By block. A block that is asked for as content too comes once more; which of the two comes first makes no difference. */
  readonly #expected = new Map<string, PlacedFile[]>();
  #results: PlacedResult[] = [];

  /** Before the request for `ids` is sent. */
  expect(ids: readonly Buffer[], files: readonly PlacedFile[]): void {
    for (const file of files) {
      const id = ids[file.position];
      if (id === undefined) throw new FarkeepError('call.internal', 'A file waits for a block that is not asked for');
      const waiting = this.#expected.get(keyOf(id));
      if (waiting === undefined) this.#expected.set(keyOf(id), [file]);
      else waiting.push(file);
    }
  }

  /** Makes a file of this block; false when none waits for it. */
  place(id: Buffer, content: Uint8Array): boolean {
    const placed = this.#take(id);
    if (placed === undefined) return false;
    this.#results.push(make(placed, content));
    return true;
  }

  /** The block cannot be had; false when no file waited for it. */
  fail(id: Buffer, error: ErrorInfo): boolean {
    const placed = this.#take(id);
    if (placed !== undefined) this.#results.push({ index: placed.index, error });
    return placed !== undefined;
  }

  takeResults(): readonly PlacedResult[] {
    const results = this.#results;
    this.#results = [];
    return results;
  }

  #take(id: Buffer): PlacedFile | undefined {
    const key = keyOf(id);
    const expected = this.#expected.get(key);
    const next = expected?.shift();
    if (expected?.length === 0) this.#expected.delete(key);
    return next;
  }
}

function make({ index, lengthBytes, file }: PlacedFile, content: Uint8Array): PlacedResult {
  try {
    if (content.length !== lengthBytes)
      throw new FarkeepError('restore.mismatch', `A block has ${content.length} bytes instead of ${lengthBytes}`);
    const temporaryPath = asBuffer(file.temporaryPath);
    const metadataError = placeSmallFile({ ...file, temporaryPath, path: asBuffer(file.path) }, [content]);
    return metadataError === undefined ? { index } : { index, metadataError: infoOf(metadataError) };
  } catch (error) {
    return { index, error: infoOf(error) };
  }
}

function infoOf(error: unknown): ErrorInfo {
  return toFarkeepError(error, 'storage.io').toInfo();
}

function keyOf(id: Buffer): string {
  return id.toString('latin1');
}
