// Owns requesting blocks from the target during a restore: spreads requests over the streams, joins requests for the same content, and
// returns contents. The stream workers decode and check contents, and make files of one block themselves. Does not limit requests: callers
// must request no more than they can hold.
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../../kernel/release-memory.ts';
import type { RefusedStep } from '../../../repository/restore/entry-metadata.ts';
import type { SmallFile } from '../../../repository/restore/small-file.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import { asBuffer } from '../streams/worker-link.ts';
import type { FromWorker, RestoredBlock } from '../streams/worker-link.ts';
import { packPlacedFiles, type PlacedFile } from '../streams/placed-files.ts';

/**
 * While this many blocks of a stream are in flight, the next request waits until it is full. Without this wait, each tiny file would need
 * its own message.
 */
const requestBlocks = 64;
const requestBytes = 4 * 1024 * 1024;

export interface FetchedBlock {
  readonly content: Buffer;
  /** Each requester must call `release` once. The memory is released after the last call. */
  readonly release: () => void;
}

/** The outcome of a file that a worker should make. With `error`, the file does not exist. */
export type PlacedOutcome =
  { readonly refused: readonly RefusedStep[]; readonly error?: undefined } | { readonly error: FarkeepError };

/** The next request of one stream, not sent yet. */
interface Request {
  ids: Buffer[];
  files: PlacedFile[];
  bytes: number;
  unansweredBlocks: number;
}

const nothingRefused: PlacedOutcome = { refused: [] };

interface Asked extends PromiseWithResolvers<FetchedBlock> {
  askers: number;
}

export class BlockFetcher {
  readonly #pool: Pick<PipelineStreams, 'send' | 'size'>;
  readonly #asked = new Map<string, Asked>();
  readonly #placing = new Map<number, (outcome: PlacedOutcome) => void>();
  readonly #requests: readonly Request[];
  #nextFile = 0;
  /** The stream of the next content for the main thread. Small files always use the stream of their lane. */
  #nextStream = 0;
  #isFlushPlanned = false;
  #failure: FarkeepError | undefined;

  constructor(pool: Pick<PipelineStreams, 'send' | 'size'>) {
    this.#pool = pool;
    this.#requests = Array.from({ length: pool.size }, () => ({ ids: [], files: [], bytes: 0, unansweredBlocks: 0 }));
  }

  /**
   * Returns the content of a block. Other requesters of the same block get the same memory.
   * @throws restore.mismatch, storage.damaged for this block alone; for all blocks, the error that ended the session
   */
  fetch(id: Buffer, lengthBytes: number): Promise<FetchedBlock> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const key = id.toString('latin1');
    const asked = this.#asked.get(key);
    if (asked !== undefined) {
      asked.askers += 1;
      return asked.promise;
    }
    const answer: Asked = { ...Promise.withResolvers<FetchedBlock>(), askers: 1 };
    answer.promise.catch(() => undefined); // Every waiting requester gets this error. If the file was canceled, there is no requester.
    this.#asked.set(key, answer);
    this.#ask(this.#nextStream, id, lengthBytes);
    return answer.promise;
  }

  /**
   * Requests the only block of a file. The worker that receives the block makes the file. All files of a lane go to the same worker.
   * `onEnd` is called once, unless the session ends first; then the state of the file is unknown.
   */
  place(
    id: Buffer,
    { lane, lengthBytes, file }: { readonly lane: number; readonly lengthBytes: number; readonly file: SmallFile },
    onEnd: (outcome: PlacedOutcome) => void,
  ): void {
    if (this.#failure !== undefined) return;
    const stream = lane % this.#pool.size;
    const request = this.#requests[stream];
    if (request === undefined) throw new FarkeepError('call.internal', 'There is no stream to ask for blocks');
    const index = this.#nextFile;
    this.#nextFile = (this.#nextFile + 1) % 2 ** 32;
    this.#placing.set(index, onEnd);
    request.files.push({ index, position: request.ids.length, lengthBytes, file });
    this.#ask(stream, id, lengthBytes);
  }

  #ask(stream: number, id: Buffer, lengthBytes: number): void {
    const request = this.#requests[stream];
    if (request === undefined) throw new FarkeepError('call.internal', 'There is no stream to ask for blocks');
    request.ids.push(id);
    request.bytes += lengthBytes;
    if (request.ids.length >= requestBlocks || request.bytes >= requestBytes) {
      this.#flush(stream, request);
      return;
    }
    if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(() => {
        this.#isFlushPlanned = false;
        this.#flushWhenDue();
      });
    }
  }

  #flushWhenDue(): void {
    for (const [stream, request] of this.#requests.entries())
      if (request.unansweredBlocks < requestBlocks) this.#flush(stream, request);
  }

  #flush(stream: number, request: Request): void {
    if (request.ids.length === 0 || this.#failure !== undefined) return;
    const ids = new Uint8Array(Buffer.concat(request.ids));
    const files = packPlacedFiles(request.files);
    request.unansweredBlocks += request.ids.length;
    request.ids = [];
    request.files = [];
    request.bytes = 0;
    if (stream === this.#nextStream) this.#nextStream = (stream + 1) % this.#pool.size;
    this.#pool.send(stream, { type: 'read', ids, files }, [files.buffer]);
  }

  receive(stream: number, message: FromWorker): void {
    const answered = this.#take(message);
    if (answered === 0) return;
    const request = this.#requests[stream];
    if (request !== undefined) request.unansweredBlocks -= answered;
    this.#flushWhenDue();
  }

  /** @returns number of blocks that the message answers */
  #take(message: FromWorker): number {
    switch (message.type) {
      case 'blocks':
        this.#handOut(message.blocks);
        return message.blocks.length;
      case 'placed':
        for (const index of message.whole) this.#placed(index, nothingRefused);
        for (const { index, error, refused } of message.results)
          this.#placed(
            index,
            error === undefined ? { refused: refused ?? [] } : { error: FarkeepError.fromInfo(error) },
          );
        return message.whole.length + message.results.length;
      case 'blocks-failed': {
        const all = asBuffer(message.ids);
        const error = new FarkeepError(message.code, message.message);
        for (let at = 0; at < all.length; at += 32) this.#takeAsked(all.subarray(at, at + 32))?.reject(error);
        return all.length / 32;
      }
      default:
        return 0;
    }
  }

  #placed(index: number, outcome: PlacedOutcome): void {
    const onEnd = this.#placing.get(index);
    this.#placing.delete(index);
    onEnd?.(outcome);
  }

  fail(error: FarkeepError): void {
    this.#failure ??= error;
    for (const answer of this.#asked.values()) answer.reject(error);
    this.#asked.clear();
    this.#placing.clear();
  }

  #handOut(blocks: readonly RestoredBlock[]): void {
    const users = new Map<ArrayBufferLike, number>();
    const answers = blocks.map(({ id, content }) => {
      const answer = this.#takeAsked(asBuffer(id));
      users.set(content.buffer, (users.get(content.buffer) ?? 0) + (answer?.askers ?? 0));
      return { answer, content };
    });
    for (const { answer, content } of answers) {
      answer?.resolve({
        content: asBuffer(content),
        release: () => {
          const left = (users.get(content.buffer) ?? 0) - 1;
          users.set(content.buffer, left);
          if (left === 0) releaseMemory(content);
        },
      });
    }
  }

  #takeAsked(id: Buffer): Asked | undefined {
    const key = id.toString('latin1');
    const answer = this.#asked.get(key);
    this.#asked.delete(key);
    return answer;
  }
}
