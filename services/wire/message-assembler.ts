// Owns the step from opened records to data messages: gathers the records of one message within its bound, then decodes.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { malformed } from './byte-reader.ts';
import { decodeMessage, maxMessageBytes } from './messages.ts';
import type { DataMessage } from './messages.ts';
import { recordTypes } from './records.ts';
import type { OpenedRecord } from './records.ts';

export class MessageAssembler {
  #parts: Buffer[] = [];
  #bytes = 0;
  #lastParts: readonly Buffer[] = [];

  /** Plaintexts of the records that made the last message: the memory its blocks and identifiers are views of. */
  get lastParts(): readonly Buffer[] {
    return this.#lastParts;
  }

  /**
   * The message that this record completes, if it does. A close record completes nothing, but must not cut a message.
   * @throws protocol.malformed, security.tampered
   */
  push(record: OpenedRecord): DataMessage | undefined {
    if (record.type === recordTypes.close) {
      if (this.#parts.length > 0) throw malformed('the stream was closed inside it');
      return undefined;
    }
    if (record.type !== recordTypes.message) {
      throw new FarkeepError('security.tampered', 'A record of the tunnel came on a data stream');
    }
    this.#bytes += record.plaintext.length;
    if (this.#bytes > maxMessageBytes) throw malformed('it is longer than any message may be');
    if (record.hasMore && record.plaintext.length === 0) throw malformed('an empty record claims that more follows');
    this.#parts.push(record.plaintext);
    if (record.hasMore) return undefined;
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    this.#lastParts = parts;
    return decodeMessage(parts);
  }
}
