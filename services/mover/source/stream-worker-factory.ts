// Owns the real ports of a stream worker: its network connection, its disk and its lane.
import { placeSmallFile } from '../../repository/restore/small-file.ts';
import { connectData } from '../../transport/data-socket.ts';
import { DataConnection } from '../link/data-connection.ts';
import { BackupLane } from './backup/backup-lane.ts';
import { FilePlacer } from './restore/file-placer.ts';
import { StreamWorker, type StreamWorkerOptions } from './stream-worker.ts';
import type { WorkerStart } from './streams/worker-link.ts';

/** @param link the way to the main thread */
export function createStreamWorker(
  start: WorkerStart,
  link: Pick<StreamWorkerOptions, 'post' | 'onFinished'>,
): StreamWorker {
  return new StreamWorker(start, {
    ...link,
    connect: async ({ gateway, ticket, sessionId, attempt, streamIndex }, keyB, handlers) => {
      const socket = await connectData({ ...gateway, kind: 'data', ticket: Buffer.from(ticket) });
      return new DataConnection(socket, { side: 'client', keyB, sessionId, attempt, streamIndex }, handlers);
    },
    createLane: (ports) => new BackupLane(ports),
    placer: new FilePlacer(placeSmallFile),
  });
}
