// Owns starting the thread of one stream worker, and the port by which the pool sees such a thread. Does not know what the messages mean.
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './worker-link.ts';

/** Each worker needs little beside its arenas; without a bound V8 lets garbage pile up before it looks. */
const workerLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 };

export interface StreamThread {
  /** What is sent after the end of the thread is lost. */
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

/** Calls no handler before it returns. */
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
