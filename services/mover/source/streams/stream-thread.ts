// Owns the thread of one stream worker: its start, and the interface that the pool uses. Does not know the meaning of the messages.
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './worker-link.ts';

/** A worker needs little memory besides its arenas. Without limits, V8 would let garbage grow before it collects. */
const workerLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 };

export interface StreamThread {
  /** Messages that are sent after the end of the thread are lost. */
  send(message: ToWorker, transfer?: ArrayBuffer[]): void;
  terminate(): void;
}

export interface StreamThreadHandlers {
  readonly onMessage: (message: FromWorker) => void;
  /** The thread crashed; `onExit` follows. */
  readonly onError: (error: unknown) => void;
  /** Called once, after everything else. */
  readonly onExit: () => void;
}

/** Must not call a handler before it returns. */
export type StartThread = (handlers: StreamThreadHandlers) => StreamThread;

export function startStreamThread({ onMessage, onError, onExit }: StreamThreadHandlers): StreamThread {
  const worker = new Worker(new URL('../stream-worker-entry.ts', import.meta.url), {
    resourceLimits: workerLimits,
    // Lanes close descriptors that native calls opened, and Node.js would warn about each one. All descriptors end with the process
    // anyway.
    trackUnmanagedFds: false,
  });
  worker.on('message', onMessage);
  worker.on('error', onError);
  worker.once('exit', onExit);
  return {
    send: (message, transfer = []) => {
      worker.postMessage(message, transfer);
    },
    terminate: () => {
      void worker.terminate();
    },
  };
}
