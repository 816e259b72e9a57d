// Owns one stream of a source mover on its own thread: waits for its ticket, connects, opens, runs the backup lane or the checking of restored
// blocks. A worker entry: talks to the main thread by worker-link.ts only.
import { isMarkedAsUntransferable, parentPort } from 'node:worker_threads';
import { systemClock } from '../../kernel/clock.ts';
import { every } from '../../kernel/schedule.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../kernel/release-memory.ts';
import { Secret } from '../../kernel/secret.ts';
import { decodeBlockSync } from '../../blocks/block-codec.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import { connectData } from '../../transport/data-socket.ts';
import { dataProtocolVersion } from '../../wire/messages.ts';
import type { DataMessage } from '../../wire/messages.ts';
import { BackupLane } from './backup/backup-lane.ts';
import { aliveIntervalMs, DataConnection, maxSilentMs } from '../link/data-connection.ts';
import { failureOfProvider } from '../link/for-tenant.ts';
import { FilePlacer } from './restore/file-placer.ts';
import { unpackPlacedFiles } from './streams/placed-files.ts';
import { asBuffer, emptyCounters } from './streams/worker-link.ts';
import type { FromWorker, RestoredBlock, ToWorker, WorkerStart } from './streams/worker-link.ts';

const countersIntervalMs = 100;
const closeDeadlineMs = 5_000;
/** Lanes number their offers from 1. */
const aliveOfferId = 0;

if (parentPort === null) throw new Error('This file is the entry of a worker thread');
const port = parentPort;
const started = Promise.withResolvers<WorkerStart>();
port.on('message', (message: ToWorker) => {
  if (message.type === 'start') {
    started.resolve(message);
    return;
  }
  try {
    command(message);
  } catch (error) {
    fail(error);
  }
});
// The thread is there before the keys are. Nothing but the start comes first, so what follows is set up before the next message.
const start = await started.promise;
const isBackup = start.operation === 'backup';
let connection: DataConnection | undefined;
let isOpen = false;
let isEnding = false;
let restoreCounters = emptyCounters();

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => {
  port.postMessage(message, transfer);
};

let hasFailed = false;
const fail = (error: unknown): void => {
  if (hasFailed) return;
  hasFailed = true;
  lane?.stop();
  const { code, message, hint, retryable, details } = toFarkeepError(error);
  const known = new FarkeepError(code, message, {
    hint,
    retryable,
    details: { ...details, stream: start.streamIndex },
    cause: error,
  });
  // First the reason: as soon as this stream is cut the target drops the others, and their workers have less to tell.
  post({ type: 'failed', error: known.toInfo() });
  connection?.fail(known);
  finish();
};

const send = (message: DataMessage): true | Promise<void> =>
  connection?.send(message) ?? Promise.reject(new FarkeepError('connection.lost', 'The data stream is not open yet'));

const placer = new FilePlacer();
const lane = isBackup ? new BackupLane({ send, post, fail }) : undefined;

function receive(message: DataMessage, memory: readonly Uint8Array[]): void {
  if (!isOpen) {
    if (message.type === 'error') throw failureOfProvider(message.code, message.message);
    if (message.type !== 'open' || message.protocol !== dataProtocolVersion || message.pointId !== start.pointId) {
      throw new FarkeepError('protocol.malformed', 'The target did not answer "open" as it should');
    }
    isOpen = true;
    post({ type: 'open', root: new Uint8Array(message.root) });
    return;
  }
  if (message.type === 'want' && message.offerId === aliveOfferId) return;
  switch (message.type) {
    case 'committed':
      post({ type: 'committed', storedBytes: message.storedBytes });
      return;
    case 'data':
      restored(message.blocks, memory);
      return;
    case 'abort':
      throw failureOfProvider(message.code, message.message);
    case 'error': {
      const error = failureOfProvider(message.code, message.message);
      if (message.ids.length === 0) throw error;
      blocksFailed(message.ids, error);
      postPlaced();
      return;
    }
    default:
      if (lane === undefined)
        throw new FarkeepError('protocol.malformed', `The target sent "${message.type}" during a restore`);
      lane.receive(message);
  }
}

/** Decoded and checked here, handed to the main thread without a copy. */
function restored(blocks: readonly StoredBlock[], received: readonly Uint8Array[]): void {
  const checked: RestoredBlock[] = [];
  const memory = new Set<ArrayBuffer>();
  const beganMs = performance.now();
  for (const block of blocks) {
    restoreCounters.transferredBytes += block.stored.length;
    restoreCounters.newBlocks += 1;
    let content: Uint8Array;
    try {
      content = decodeBlockSync(block);
    } catch (error) {
      blocksFailed([block.id], toFarkeepError(error, 'restore.mismatch'));
      continue;
    }
    if (placer.place(block.id, content)) {
      if (block.encoding !== 'raw') releaseMemory(content); // raw content is what was received
      continue;
    }
    const id = new Uint8Array(block.id);
    // Small buffers share Node's pool, which cannot leave this thread.
    if (isMarkedAsUntransferable(content.buffer)) content = new Uint8Array(content);
    memory.add(content.buffer as ArrayBuffer);
    checked.push({ id, content });
  }
  restoreCounters.compressMs += performance.now() - beganMs;
  if (checked.length > 0) post({ type: 'blocks', blocks: checked }, [...memory]);
  postPlaced();
  for (const view of received) releaseMemory(view); // what was not handed over
}

function blocksFailed(ids: readonly Buffer[], error: FarkeepError): void {
  const others = ids.filter((id) => !placer.fail(id, error.toInfo()));
  if (others.length === 0) return;
  const { code, message } = error;
  post({ type: 'blocks-failed', ids: new Uint8Array(Buffer.concat(others)), code, message });
}

function postPlaced(): void {
  const taken = placer.takeResults();
  if (taken !== undefined) post({ type: 'placed', ...taken }, [taken.whole.buffer]);
}

function command(message: Exclude<ToWorker, WorkerStart>): void {
  switch (message.type) {
    case 'files':
      lane?.add(message.files);
      return;
    case 'offer':
      lane?.offerKnown(message.token, message.ids);
      return;
    case 'store':
      lane?.store(message.blocks);
      return;
    case 'drain':
      lane?.drain();
      return;
    case 'commit':
      forget(send({ type: 'commit', blockCount: message.blockCount, root: asBuffer(message.root) }));
      return;
    case 'read': {
      const all = asBuffer(message.ids);
      const ids = Array.from({ length: all.length / 32 }, (_, index) => all.subarray(index * 32, index * 32 + 32));
      placer.expect(ids, unpackPlacedFiles(asBuffer(message.files)));
      forget(send({ type: 'read', ids }));
      return;
    }
    case 'abort':
      lane?.stop();
      isEnding = true;
      if (connection?.isOpen === true)
        void Promise.resolve(send({ type: 'abort', code: message.code, message: message.message })).catch(
          () => undefined,
        ); // it ends either way
      close();
      return;
    case 'close':
      isEnding = true;
      close();
      return;
  }
}

function forget(sent: true | Promise<void>): void {
  Promise.resolve(sent).catch(fail);
}

function close(): void {
  if (connection === undefined || !connection.isOpen) {
    finish();
    return;
  }
  connection.end();
  systemClock.startTimer(closeDeadlineMs, finish, { isBackground: true });
}

let isFinished = false;
function finish(): void {
  if (isFinished) return;
  isFinished = true;
  counterReports.stop();
  signsOfLife.stop();
  report();
  post({ type: 'closed' });
  keyB.dispose();
  port.close();
}

function report(): void {
  const counters = lane === undefined ? restoreCounters : lane.takeCounters();
  restoreCounters = emptyCounters();
  if (Object.values(counters).some((value: number) => value > 0)) post({ type: 'counters', counters });
}

function keepAlive(): void {
  if (connection?.isOpen !== true || !isOpen || isEnding) return;
  if (connection.silentMs > maxSilentMs) {
    fail(new FarkeepError('connection.lost', 'The target has not been heard of for too long'));
  } else if (connection.silentMs > aliveIntervalMs / 2) forget(send({ type: 'offer', offerId: aliveOfferId, ids: [] }));
}

const counterReports = every(countersIntervalMs, report);
const signsOfLife = every(aliveIntervalMs, keepAlive);
const keyB = Secret.take(Buffer.from(start.keyB));
start.keyB.fill(0);

try {
  const socket = await connectData({ ...start.gateway, kind: 'data', ticket: Buffer.from(start.ticket) });
  const { sessionId, attempt, streamIndex, streamCount, operation, pointId } = start;
  connection = new DataConnection(
    socket,
    { side: 'client', keyB, sessionId, attempt, streamIndex },
    {
      onOpen: () => {
        // Sent in the next turn: the connection is being constructed, or is reading.
        setImmediate(() => {
          forget(
            send({
              type: 'open',
              protocol: dataProtocolVersion,
              operation,
              streamIndex,
              streamCount,
              pointId,
              root: Buffer.alloc(0),
            }),
          );
        });
      },
      onMessage: (message, memory) => {
        try {
          receive(message, memory);
        } catch (error) {
          fail(error);
          throw error;
        }
      },
      onPeerEnd: () => {
        if (!isEnding) fail(new FarkeepError('connection.lost', 'The target ended the data stream early'));
      },
      onClose: (error) => {
        if (error === undefined || isEnding) finish();
        else fail(error);
      },
    },
  );
} catch (error) {
  fail(error);
}
