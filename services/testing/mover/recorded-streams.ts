// Owns a replacement for the streams of a pipeline: it records all sent messages and answers none. For tests only.
import type { PipelineStreams } from '../../mover/source/streams/stream-pool.ts';
import { emptyCounters, type ToWorker } from '../../mover/source/streams/worker-link.ts';

export interface SentMessage {
  readonly streamIndex: number;
  readonly message: ToWorker;
}

export class RecordedStreams implements PipelineStreams {
  readonly size: number;
  readonly counters = emptyCounters();
  readonly sent: SentMessage[] = [];

  constructor(size = 2) {
    this.size = size;
  }

  send(streamIndex: number, message: ToWorker): void {
    this.sent.push({ streamIndex, message });
  }

  broadcast(message: ToWorker): void {
    for (let streamIndex = 0; streamIndex < this.size; streamIndex += 1) this.send(streamIndex, message);
  }

  /** Removes and returns the recorded messages of one type. */
  take<Type extends ToWorker['type']>(
    type: Type,
  ): { readonly streamIndex: number; readonly message: ToWorker & { readonly type: Type } }[] {
    type Taken = { readonly streamIndex: number; readonly message: ToWorker & { readonly type: Type } };
    const taken = this.sent.filter((each): each is Taken => each.message.type === type);
    const left = this.sent.filter(({ message }) => message.type !== type);
    this.sent.splice(0, this.sent.length, ...left);
    return taken;
  }
}
