// Owns the messages between a source mover's main thread and its stream workers. One worker owns one data stream.
import type { ErrorInfo } from '../contracts/errors.ts';
import type { RefusedStep } from '../repository/entry-metadata.ts';
import type { Operation } from '../wire/messages.ts';

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
}

/** A file to be read, cut and sent. `index` names it in the answers. */
export interface FileTask {
  readonly index: number;
  readonly path: Uint8Array;
}

/** What became of a file. Its content list (content-list.ts) and state (file-state.ts) lie one after the other in the message's `bytes`. */
export interface FileResult {
  readonly index: number;
  readonly contentBytes: number;
  /** 0 when a later change might not show in the file's times. */
  readonly stateBytes: number;
  readonly sizeBytes: number;
  readonly isChanged: boolean;
  /** Why it could not be read. */
  readonly problem: string | undefined;
}

/** A block that the main thread made (manifest); `content` is transferred. */
export interface MadeBlock {
  readonly id: Uint8Array;
  readonly content: Uint8Array;
}

/** A file (placed-files.ts) of which there is something to say. */
export interface PlacedResult {
  readonly index: number;
  /** Why the file is not there. */
  readonly error?: ErrorInfo;
  /** The file is there, without these. */
  readonly refused?: readonly RefusedStep[];
}

export type ToWorker =
  | WorkerStart
  | { readonly type: 'files'; readonly files: readonly FileTask[] }
  | { readonly type: 'offer'; readonly token: number; readonly ids: Uint8Array }
  | { readonly type: 'store'; readonly blocks: readonly MadeBlock[] }
  /** Answered by `drained` when everything given before has been sent. */
  | { readonly type: 'drain' }
  | { readonly type: 'commit'; readonly blockCount: number; readonly root: Uint8Array }
  /** Restore: ids of 32 bytes each, joined. What is in `files` (placed-files.ts) the worker makes a file of, the rest comes back as `blocks`. */
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
  /** One buffer for all of them: an ArrayBuffer for each would cost more than what is in it. */
  | { readonly type: 'files-read'; readonly results: readonly FileResult[]; readonly bytes: Uint8Array }
  /** Every block of these files survives a crash of the target. */
  | { readonly type: 'files-durable'; readonly indexes: readonly number[] }
  | { readonly type: 'offered'; readonly token: number; readonly wanted: readonly boolean[] }
  /** What was not wanted of that offer survives a crash of the target. */
  | { readonly type: 'offer-safe'; readonly token: number }
  | { readonly type: 'drained'; readonly sentBlocks: number }
  | { readonly type: 'durable'; readonly totalStoredBytes: number }
  | { readonly type: 'committed'; readonly storedBytes: number }
  | { readonly type: 'blocks'; readonly blocks: readonly RestoredBlock[] }
  /** `whole`: indexes of files that are there with all they should have. */
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
