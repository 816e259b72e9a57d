// Owns the messages between a source mover's main thread and its stream workers. One worker owns one data stream.
import type { ErrorInfo } from '../../../contracts/errors.ts';
import type { RefusedStep } from '../../../repository/restore/entry-metadata.ts';
import type { Operation } from '../../../wire/messages.ts';

/** The first message to a worker. */
export interface WorkerStart {
  readonly type: 'start';
  readonly sessionId: string;
  readonly attempt: number;
  readonly keyB: Uint8Array;
  readonly streamIndex: number;
  readonly streamCount: number;
  readonly ticket: Uint8Array;
  readonly gateway: { readonly host: string; readonly port: number };
  readonly operation: Operation;
  readonly pointId: string;
  /** The job whose chain of restore points a backup goes on with; undefined for a restore. */
  readonly chain: string | undefined;
}

/** A block that the main thread made (manifest); `content` is transferred. */
export interface MadeBlock {
  readonly id: Uint8Array;
  readonly content: Uint8Array;
}

/** A file (placed-files.ts) with a problem to report. */
export interface PlacedResult {
  readonly index: number;
  /** Why the file is not there. */
  readonly error?: ErrorInfo;
  /** The file exists, but these metadata steps were refused. */
  readonly refused?: readonly RefusedStep[];
}

export type ToWorker =
  | WorkerStart
  /** Files to read, cut and send; packed tasks (file-batch.ts). */
  | { readonly type: 'files'; readonly files: Uint8Array }
  | { readonly type: 'offer'; readonly token: number; readonly ids: Uint8Array }
  | { readonly type: 'store'; readonly blocks: readonly MadeBlock[] }
  /** Answered by `drained` when everything given before has been sent. */
  | { readonly type: 'drain' }
  | { readonly type: 'commit'; readonly blockCount: number; readonly root: Uint8Array }
  /** Restore: ids of 32 bytes each, joined. The worker makes the files in `files` (placed-files.ts); other blocks come back as `blocks`. */
  | { readonly type: 'read'; readonly ids: Uint8Array; readonly files: Uint8Array }
  | { readonly type: 'abort'; readonly code: string; readonly message: string }
  /** End with the authenticated close; the worker then ends by itself. */
  | { readonly type: 'close' };

/** Since the last report. Times are of this worker's thread, in ms. */
export interface WorkerCounters {
  readBytes: number;
  /** Of what was read: survives a crash of the target. Less than 0 when a file has to be read once more. */
  safeBytes: number;
  transferredBytes: number;
  newBlocks: number;
  reusedBlocks: number;
  sourceMs: number;
  compressMs: number;
  networkMs: number;
  targetMs: number;
}

export interface RestoredBlock {
  readonly id: Uint8Array;
  /** Decoded and checked against `id`; transferred. */
  readonly content: Uint8Array;
}

export type FromWorker =
  | { readonly type: 'open'; readonly root: Uint8Array }
  /** Results of reading files, packed (file-batch.ts). */
  | { readonly type: 'files-read'; readonly results: Uint8Array }
  /** Every block of these files survives a crash of the target. */
  | { readonly type: 'files-durable'; readonly indexes: readonly number[] }
  | { readonly type: 'offered'; readonly token: number; readonly wanted: readonly boolean[] }
  /** What was not wanted of that offer survives a crash of the target. */
  | { readonly type: 'offer-safe'; readonly token: number }
  | { readonly type: 'drained'; readonly sentBlocks: number }
  | { readonly type: 'durable'; readonly totalStoredBytes: number }
  | { readonly type: 'committed'; readonly storedBytes: number }
  | { readonly type: 'blocks'; readonly blocks: readonly RestoredBlock[] }
  /** `whole`: indexes of files that were made completely, with all metadata. */
  | { readonly type: 'placed'; readonly whole: Uint32Array; readonly results: readonly PlacedResult[] }
  | {
      readonly type: 'blocks-failed';
      readonly ids: Uint8Array;
      readonly code: ErrorInfo['code'];
      readonly message: string;
    }
  | { readonly type: 'counters'; readonly counters: WorkerCounters }
  | { readonly type: 'failed'; readonly error: ErrorInfo }
  | { readonly type: 'closed' };

export function emptyCounters(): WorkerCounters {
  return {
    readBytes: 0,
    safeBytes: 0,
    transferredBytes: 0,
    newBlocks: 0,
    reusedBlocks: 0,
    sourceMs: 0,
    compressMs: 0,
    networkMs: 0,
    targetMs: 0,
  };
}

/** A Buffer over the memory of a Uint8Array that came through structured clone. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
