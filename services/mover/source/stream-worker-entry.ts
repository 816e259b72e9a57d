// Process entry of a stream worker's thread: gives a StreamWorker its port. Must not decide anything.
import { parentPort } from 'node:worker_threads';
import { createStreamWorker } from './stream-worker-factory.ts';
import type { StreamWorker } from './stream-worker.ts';
import type { ToWorker } from './streams/worker-link.ts';

if (parentPort === null) throw new Error('This file is the entry of a worker thread');
const port = parentPort;
let worker: StreamWorker | undefined;

// The thread starts before the keys exist and loads its code. The first message is always the start message.
port.on('message', (message: ToWorker) => {
  if (message.type !== 'start') {
    worker?.command(message);
    return;
  }
  worker = createStreamWorker(message, {
    post: (answer, transfer = []) => {
      port.postMessage(answer, transfer);
    },
    onFinished: () => {
      port.close();
    },
  });
  void worker.run();
});
