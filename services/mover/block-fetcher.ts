// Owns asking the target for blocks during a restore: spreads requests over the streams, joins requests for the same block, hands out contents.
// Contents come decoded and checked from the stream workers. Bounds nothing: its callers ask for no more than they can hold.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { releaseMemory } from '../kernel/release-memory.ts';
import type { StreamPool } from './stream-pool.ts';
import { asBuffer } from './worker-link.ts';
import type { FromWorker } from './worker-link.ts';

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
  readonly #pool: StreamPool;
  readonly #asked = new Map<string, Asked>();
  #request: Buffer[] = [];
  #requestBytes = 0;
  #nextStream = 0;
  #isFlushPlanned = false;
  #failure: FarkeepError | undefined;

  constructor(pool: StreamPool) {
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
    this.#request.push(id);
    this.#requestBytes += lengthBytes;
    if (this.#request.length >= requestBlocks || this.#requestBytes >= requestBytes) this.flush();
    else if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      setImmediate(() => {
        this.#isFlushPlanned = false;
        this.flush();
      });
    }
    return answer.promise;
  }

  flush(): void {
    if (this.#request.length === 0 || this.#failure !== undefined) return;
    const ids = new Uint8Array(Buffer.concat(this.#request));
    this.#request = [];
    this.#requestBytes = 0;
    this.#pool.send(this.#nextStream, { type: 'read', ids });
    this.#nextStream = (this.#nextStream + 1) % this.#pool.size;
  }

  receive(message: FromWorker): void {
    if (message.type === 'blocks') {
      const users = new Map<ArrayBufferLike, number>();
      const answers = message.blocks.map(({ id, content }) => {
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
    } else if (message.type === 'blocks-failed') {
      const all = asBuffer(message.ids);
      const error = new FarkeepError(message.code, message.message);
      for (let at = 0; at < all.length; at += 32) this.#take(all.subarray(at, at + 32))?.reject(error);
    }
  }

  fail(error: FarkeepError): void {
    this.#failure ??= error;
    for (const answer of this.#asked.values()) answer.reject(error);
    this.#asked.clear();
  }

  #take(id: Buffer): Asked | undefined {
    const key = id.toString('latin1');
    const answer = this.#asked.get(key);
    this.#asked.delete(key);
    return answer;
  }
}
