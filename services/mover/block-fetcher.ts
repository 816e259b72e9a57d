// Owns asking the target for blocks during a restore: spreads requests over the streams, joins requests for the same content, hands out contents.
// Contents come decoded and checked from the stream workers, which make files of one block by themselves. Bounds nothing: its callers ask for no
// more than they can hold.
import type { ErrorInfo } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { releaseMemory } from '../kernel/release-memory.ts';
import type { SmallFile } from '../repository/small-file.ts';
import type { StreamPool } from './stream-pool.ts';
import { asBuffer } from './worker-link.ts';
import type { FromWorker, PlacedFile, RestoredBlock } from './worker-link.ts';

/** While more blocks than this are on their way a request waits until it is full: tiny files would make a message each. */
const requestBlocks = 64;
const requestBytes = 4 * 1024 * 1024;

export interface FetchedBlock {
  readonly content: Buffer;
  /** To be called once by each who asked: the memory is given back when nobody uses any part of it any more. */
  readonly release: () => void;
}

interface Asked extends PromiseWithResolvers<FetchedBlock> {
  askers: number;
}

export class BlockFetcher {
  readonly #pool: Pick<StreamPool, 'send' | 'size'>;
  readonly #asked = new Map<string, Asked>();
  readonly #placing = new Map<number, PromiseWithResolvers<ErrorInfo | undefined>>();
  #nextFile = 0;
  #request: Buffer[] = [];
  #files: PlacedFile[] = [];
  #requestBytes = 0;
  #nextStream = 0;
  #unansweredBlocks = 0;
  #isFlushPlanned = false;
  #failure: FarkeepError | undefined;

  constructor(pool: Pick<StreamPool, 'send' | 'size'>) {
    this.#pool = pool;
  }

  /**
   * Content of a block; its memory may be shared with others who asked for the same one.
   * @throws restore.mismatch, storage.damaged for this block alone; whatever ends the session
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
    answer.promise.catch(() => undefined); // whoever waits gets it; a file that was given up does not wait any more
    this.#asked.set(key, answer);
    this.#ask(id, lengthBytes);
    return answer.promise;
  }

  /**
   * As fetch, for a file that is this one block: the worker that gets the block makes it. Resolves with what kept it from setting all of
   * owner, mode and times.
   * @throws as fetch, and what the file system says
   */
  place(id: Buffer, lengthBytes: number, file: SmallFile): Promise<ErrorInfo | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const index = this.#nextFile;
    this.#nextFile += 1;
    const answer = Promise.withResolvers<ErrorInfo | undefined>();
    this.#placing.set(index, answer);
    this.#files.push({ index, position: this.#request.length, lengthBytes, file });
    this.#ask(id, lengthBytes);
    return answer.promise;
  }

  #ask(id: Buffer, lengthBytes: number): void {
    this.#request.push(id);
    this.#requestBytes += lengthBytes;
    if (this.#request.length >= requestBlocks || this.#requestBytes >= requestBytes) this.#flush();
    else if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(() => {
        this.#isFlushPlanned = false;
        this.#flushWhenDue();
      });
    }
  }

  #flushWhenDue(): void {
    if (this.#unansweredBlocks < requestBlocks) this.#flush();
  }

  #flush(): void {
    if (this.#request.length === 0 || this.#failure !== undefined) return;
    const ids = new Uint8Array(Buffer.concat(this.#request));
    this.#unansweredBlocks += this.#request.length;
    this.#pool.send(this.#nextStream, { type: 'read', ids, files: this.#files });
    this.#request = [];
    this.#files = [];
    this.#requestBytes = 0;
    this.#nextStream = (this.#nextStream + 1) % this.#pool.size;
  }

  receive(message: FromWorker): void {
    switch (message.type) {
      case 'blocks':
        this.#unansweredBlocks -= message.blocks.length;
        this.#handOut(message.blocks);
        break;
      case 'placed':
        this.#unansweredBlocks -= message.results.length;
        for (const { index, error, metadataError } of message.results) {
          const answer = this.#placing.get(index);
          this.#placing.delete(index);
          if (error === undefined) answer?.resolve(metadataError);
          else answer?.reject(FarkeepError.fromInfo(error));
        }
        break;
      case 'blocks-failed': {
        const all = asBuffer(message.ids);
        const error = new FarkeepError(message.code, message.message);
        this.#unansweredBlocks -= all.length / 32;
        for (let at = 0; at < all.length; at += 32) this.#take(all.subarray(at, at + 32))?.reject(error);
        break;
      }
      default:
        return;
    }
    this.#flushWhenDue();
  }

  fail(error: FarkeepError): void {
    this.#failure ??= error;
    for (const answer of this.#asked.values()) answer.reject(error);
    this.#asked.clear();
    for (const answer of this.#placing.values()) answer.reject(error);
    this.#placing.clear();
  }

  #handOut(blocks: readonly RestoredBlock[]): void {
    const users = new Map<ArrayBufferLike, number>();
    const answers = blocks.map(({ id, content }) => {
      const answer = this.#take(asBuffer(id));
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

  #take(id: Buffer): Asked | undefined {
    const key = id.toString('latin1');
    const answer = this.#asked.get(key);
    this.#asked.delete(key);
    return answer;
  }
}
