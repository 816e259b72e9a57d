// Process entry of a stream worker's thread: gives a StreamWorker its port, its connection and its disk. Must not decide anything.
import { parentPort } from 'node:worker_threads';
import { placeSmallFile } from '../../repository/restore/small-file.ts';
import { connectData } from '../../transport/data-socket.ts';
import { BackupLane } from './backup/backup-lane.ts';
import { DataConnection } from '../link/data-connection.ts';
import { FilePlacer } from './restore/file-placer.ts';
import { StreamWorker } from './stream-worker.ts';
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
  worker = new StreamWorker(message, {
    post: (answer, transfer = []) => {
      port.postMessage(answer, transfer);
    },
    onFinished: () => {
      port.close();
    },
    connect: async ({ gateway, ticket, sessionId, attempt, streamIndex }, keyB, handlers) => {
      const socket = await connectData({ ...gateway, kind: 'data', ticket: Buffer.from(ticket) });
      return new DataConnection(socket, { side: 'client', keyB, sessionId, attempt, streamIndex }, handlers);
    },
    createLane: (ports) => new BackupLane(ports),
    placer: new FilePlacer(placeSmallFile),
  });
  void worker.run();
});
