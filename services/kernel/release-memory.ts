// Owns freeing large buffers at once. The garbage collector gets the size of outside memory only in large steps and then does a full
// collection every dozen megabytes. For bulk data only; the caller must be the last user of the buffer.
import { isMarkedAsUntransferable } from 'node:worker_threads';

/** Below this size the garbage collector is cheaper. */
const minReleaseBytes = 16 * 1024;

/**
 * Frees all memory behind `view`, so every other view of this memory becomes empty. Does nothing for small memory, memory that Node shares
 * between buffers (its pool) and shared memory. @throws TypeError for the memory of WebAssembly, which cannot be freed
 */
export function releaseMemory(view: Uint8Array): void {
  const memory = view.buffer;
  if (memory.byteLength < minReleaseBytes || !(memory instanceof ArrayBuffer)) return;
  if (memory.detached || isMarkedAsUntransferable(memory)) return;
  memory.transfer(0);
}
