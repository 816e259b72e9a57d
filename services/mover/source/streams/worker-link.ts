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
  /** Identifier of the job that a backup belongs to; undefined for a restore. */
  readonly chain: string | undefined;
}

/** A block that the main thread has made (a manifest block). The memory of `content` moves to the worker. */
export interface MadeBlock {
  readonly id: Uint8Array;
  readonly content: Uint8Array;
}

/** A file (placed-files.ts) with a problem to report. */
export interface PlacedResult {
  readonly index: number;
  /** Reason why the file does not exist. */
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
  /** The worker answers with `drained` when it has sent all blocks of earlier messages. */
  | { readonly type: 'drain' }
  | { readonly type: 'commit'; readonly blockCount: number; readonly root: Uint8Array }
  /** Restore: ids of 32 bytes each, joined. The worker makes the files in `files` (placed-files.ts); other blocks come back as `blocks`. */
  | { readonly type: 'read'; readonly ids: Uint8Array; readonly files: Uint8Array }
  | { readonly type: 'abort'; readonly code: string; readonly message: string }
  /** Ends the stream with the authenticated close. The worker then ends itself. */
  | { readonly type: 'close' };

/** Changes since the last report. Times are those of the worker's thread, in ms. */
export interface WorkerCounters {
  readBytes: number;
  /** Read bytes that survive a crash of the target. Less than 0 when a file must be read again. */
  safeBytes: number;
  transferredBytes: number;
  /** The content of the transferred blocks, before compression and encryption. */
  contentBytes: number;
  newBlocks: number;
  reusedBlocks: number;
  sourceMs: number;
  compressMs: number;
  networkMs: number;
  targetMs: number;
}

export interface RestoredBlock {
  readonly id: Uint8Array;
  /** Decoded content, checked against `id`. Its memory moves to the main thread. */
  readonly content: Uint8Array;
}

export type FromWorker =
  | { readonly type: 'open'; readonly root: Uint8Array }
  /** Results of reading files, packed (file-batch.ts). */
  | { readonly type: 'files-read'; readonly results: Uint8Array }
  /** Every block of these files survives a crash of the target. */
  | { readonly type: 'files-durable'; readonly indexes: readonly number[] }
  | { readonly type: 'offered'; readonly token: number; readonly wanted: readonly boolean[] }
  /** All blocks of this offer that the target did not want survive a crash of the target. */
  | { readonly type: 'offer-safe'; readonly token: number }
  | { readonly type: 'drained'; readonly sentBlocks: number }
  | { readonly type: 'durable'; readonly totalStoredBytes: number }
  | { readonly type: 'committed'; readonly storedBytes: number }
  | { readonly type: 'blocks'; readonly blocks: readonly RestoredBlock[] }
  /** Outcome of small files. `whole`: indexes of files that were made completely, with all metadata. */
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
    contentBytes: 0,
    newBlocks: 0,
    reusedBlocks: 0,
    sourceMs: 0,
    compressMs: 0,
    networkMs: 0,
    targetMs: 0,
  };
}

/** Returns a Buffer over the memory of a Uint8Array from another thread. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
