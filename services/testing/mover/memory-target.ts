// Owns a simulated target data mover in memory. It keeps blocks and the root, and answers each data message in the next turn of the event
// loop. A test can change, delay or drop any answer, and cut any stream. For tests of the source side only. Must not check quotas, tickets
// or keys.
import { decodeNow, encodeNow } from '../repository/plain-blocks.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { DataConnectionHandlers } from '../../mover/link/data-connection.ts';
import type { StreamConnection } from '../../mover/source/stream-worker.ts';
import { dataProtocolVersion, type DataMessage } from '../../wire/messages.ts';

export interface MemoryTargetOptions {
  /** Contents by identifier in hex. Several targets can share this map, as successive sessions share a repository. */
  readonly blocks?: Map<string, Buffer>;
  /** Root of an existing restore point. */
  readonly root?: Buffer;
  /** Called first for each message. If the function returns `true`, the target does not answer the message. */
  readonly onMessage?: (message: DataMessage, stream: MemoryStream) => boolean;
}

/** One data stream, as the target sees it. */
export interface MemoryStream {
  readonly index: number;
  send(message: DataMessage): void;
  /** Cuts the stream without a close record. */
  cut(): void;
}

export class MemoryTarget {
  readonly blocks: Map<string, Buffer>;
  readonly #options: MemoryTargetOptions;
  readonly #streams: MemoryStream[] = [];
  /** All received messages, in order. */
  readonly received: DataMessage[] = [];
  root: Buffer | undefined;
  /** Identifiers of blocks that are stored but not yet reported as durable. */
  undurable: { readonly stream: MemoryStream; readonly id: Buffer }[] = [];
  /** If true, the target reports blocks as durable only when the test calls `makeDurable`. */
  isHoldingDurable = false;
  /** Time since the source last received something, as the source measures it. */
  silentMs = 0;

  constructor(options: MemoryTargetOptions = {}) {
    this.#options = options;
    this.blocks = options.blocks ?? new Map<string, Buffer>();
    this.root = options.root;
  }

  get streams(): readonly MemoryStream[] {
    return this.#streams;
  }

  ofType<Type extends DataMessage['type']>(type: Type): (DataMessage & { readonly type: Type })[] {
    return this.received.filter((message): message is DataMessage & { readonly type: Type } => message.type === type);
  }

  connect(index: number, handlers: DataConnectionHandlers): StreamConnection {
    let isOpen = true;
    let isCut = false;
    const close = (error: FarkeepError | undefined): void => {
      if (!isOpen) return;
      isOpen = false;
      isCut = error !== undefined;
      setImmediate(() => {
        handlers.onClose(error);
      });
    };
    const stream: MemoryStream = {
      index,
      send: (message) => {
        setImmediate(() => {
          if (isOpen) handle(handlers, message);
        });
      },
      cut: () => {
        close(new FarkeepError('connection.lost', 'The data stream was cut before its authenticated end'));
      },
    };
    this.#streams.push(stream);
    setImmediate(() => {
      handlers.onOpen();
    });
    const silentMs = (): number => this.silentMs;
    return {
      get silentMs() {
        return silentMs();
      },
      get isOpen() {
        return isOpen;
      },
      send: (message) => {
        // A socket has copied the blocks when `send` returns, so the caller may reuse their memory. This target therefore copies them too.
        const kept = message.type === 'block' ? { ...message, blocks: message.blocks.map(copyOf) } : message;
        setImmediate(() => {
          if (!isCut) this.#receive(kept, stream);
        });
        return true;
      },
      end: () => {
        close(undefined);
      },
      fail: close,
    };
  }

  /** Reports all stored blocks as durable. @param order changes the order of the identifiers */
  makeDurable(order: (ids: Buffer[]) => Buffer[] = (ids) => ids): void {
    const waiting = this.undurable;
    this.undurable = [];
    for (const stream of this.#streams) {
      const ids = order(waiting.filter((each) => each.stream === stream).map(({ id }) => id));
      for (const id of ids) stream.send(durable([id]));
    }
  }

  /** Answers a message as a real target does. */
  answer(message: DataMessage, stream: MemoryStream): void {
    switch (message.type) {
      case 'open':
        stream.send({ ...message, protocol: dataProtocolVersion, root: this.root ?? Buffer.alloc(0) });
        return;
      case 'offer': {
        const wanted = message.ids.map((id) => !this.blocks.has(id.toString('hex')));
        stream.send({ type: 'want', offerId: message.offerId, wanted });
        this.#stored(
          message.ids.filter((_, index) => wanted[index] === false),
          stream,
        );
        return;
      }
      case 'block':
        for (const block of message.blocks) this.blocks.set(block.id.toString('hex'), decodeNow(block));
        this.#stored(
          message.blocks.map(({ id }) => id),
          stream,
        );
        return;
      case 'commit':
        this.root = message.root;
        stream.send({ type: 'committed', pointId: '00'.repeat(16), storedBytes: 1, newBlocks: message.blockCount });
        return;
      case 'read':
        for (const id of message.ids) stream.send(this.#data(id));
        return;
      default:
        return;
    }
  }

  #receive(message: DataMessage, stream: MemoryStream): void {
    this.received.push(message);
    if (this.#options.onMessage?.(message, stream) !== true) this.answer(message, stream);
  }

  #stored(ids: readonly Buffer[], stream: MemoryStream): void {
    if (ids.length === 0) return;
    if (this.isHoldingDurable) this.undurable.push(...ids.map((id) => ({ stream, id })));
    else stream.send(durable(ids));
  }

  #data(id: Buffer): DataMessage {
    const content = this.blocks.get(id.toString('hex'));
    if (content !== undefined) return { type: 'data', blocks: [copyOf({ ...encodeNow(Buffer.from(content)), id })] };
    return { type: 'error', code: 'storage.damaged', message: 'The block is missing', ids: [id] };
  }
}

/** Calls the handler. If the handler throws, it has already failed its connection. */
function handle(handlers: DataConnectionHandlers, message: DataMessage): void {
  try {
    void handlers.onMessage(message, []);
  } catch {
    // The stream worker has already reported this error.
  }
}

function durable(ids: readonly Buffer[]): DataMessage {
  return { type: 'durable', totalBlocks: ids.length, totalStoredBytes: ids.length, ids };
}

function copyOf(block: StoredBlock): StoredBlock {
  return { ...block, id: Buffer.from(block.id), stored: Buffer.from(block.stored) };
}
