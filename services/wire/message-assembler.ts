// Owns the step from decrypted records to data messages: collects the records of one message within its size limit, then decodes them.
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

  /** Plaintexts of the records of the last message. Blocks and identifiers in this message are views of this memory. */
  get lastParts(): readonly Buffer[] {
    return this.#lastParts;
  }

  /**
   * Returns the message that this record completes, if any. A close record completes no message, and must not come inside one.
   * @throws protocol.malformed, security.tampered
   */
  push(record: OpenedRecord): DataMessage | undefined {
    if (record.type === recordTypes.close) {
      if (this.#parts.length > 0) throw malformed('the stream was closed inside it');
      return undefined;
    }
    if (record.type !== recordTypes.message) {
      throw new FarkeepError('security.tampered', 'A tunnel record arrived on a data stream');
    }
    this.#bytes += record.plaintext.length;
    if (this.#bytes > maxMessageBytes) throw malformed('it is longer than the limit of a message');
    if (record.hasMore && record.plaintext.length === 0) throw malformed('an empty record says that more follows');
    this.#parts.push(record.plaintext);
    if (record.hasMore) return undefined;
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    this.#lastParts = parts;
    return decodeMessage(parts);
  }
}
