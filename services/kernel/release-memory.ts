// Owns giving large buffers back at once instead of leaving them to the garbage collector, which is told of outside memory only in lumps and
// answers with a full collection every dozen megabytes. For bulk data paths; whoever calls must be the last user.
import { isMarkedAsUntransferable } from 'node:worker_threads';

/** Below this the collector is cheaper. */
const minReleaseBytes = 16 * 1024;

/**
 * Frees the memory behind `view`, whole: every other view of it becomes empty. Small memory, memory that Node shares between buffers (its
 * pool) and shared memory is left alone. The memory of WebAssembly cannot be given back: throws TypeError.
 */
export function releaseMemory(view: Uint8Array): void {
  const memory = view.buffer;
  if (memory.byteLength < minReleaseBytes || !(memory instanceof ArrayBuffer)) return;
  if (memory.detached || isMarkedAsUntransferable(memory)) return;
  memory.transfer(0);
}
