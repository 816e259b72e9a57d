// Owns the opening of a data stream under Key B (docs/protocol.md, section 4): nonces both ways, then records. Sans-IO, both sides. Must
// not know messages or sockets; the caller has handled the preamble before.
import { randomBytes } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';
import { deriveDataKeys, nonceBytes, parseSessionId } from './key-schedule.ts';
import type { ConnectionContext } from './key-schedule.ts';
import { NonceReader } from './nonce-reader.ts';
import { RecordOpener, RecordSealer } from './records.ts';
import type { RekeyLimits } from './records.ts';

export interface DataStreamOptions {
  readonly side: 'client' | 'server';
  readonly keyB: Secret;
  /** 32 hex digits. */
  readonly sessionId: string;
  readonly attempt: number;
  readonly streamIndex: number;
  /** For vectors only: the nonce that this side sends, instead of a random one. */
  readonly nonce?: Buffer;
  /** For tests only; both sides must use the same limits. */
  readonly limits?: RekeyLimits;
}

export interface OpenDataStream {
  readonly sealer: RecordSealer;
  readonly opener: RecordOpener;
  /** Bytes of the other side's first records that arrived with its nonce; push them into the opener. */
  readonly rest: Buffer;
}

export class DataStreamHandshake {
  readonly #options: DataStreamOptions;
  readonly #ownNonce: Buffer;
  readonly #nonceReader = new NonceReader();

  constructor(options: DataStreamOptions) {
    this.#options = options;
    this.#ownNonce = options.nonce ?? randomBytes(nonceBytes);
  }

  /** Returns the first bytes of this side; the client sends them right after the preamble, the server at once. */
  start(): Buffer {
    return this.#ownNonce;
  }

  /** Returns the two directions when the other side's nonce is complete. */
  push(chunk: Buffer): OpenDataStream | undefined {
    const read = this.#nonceReader.push(chunk);
    if (read === undefined) return undefined;
    const { side, keyB, sessionId, attempt, streamIndex, limits } = this.#options;
    const isClient = side === 'client';
    const context: ConnectionContext = {
      clientNonce: isClient ? this.#ownNonce : read.nonce,
      serverNonce: isClient ? read.nonce : this.#ownNonce,
      sessionId: parseSessionId(sessionId),
      attempt,
    };
    return {
      sealer: new RecordSealer(deriveDataKeys(keyB, context, streamIndex, isClient ? 'c' : 's'), limits),
      opener: new RecordOpener(
        deriveDataKeys(keyB, context, streamIndex, isClient ? 's' : 'c'),
        limits === undefined ? {} : { limits },
      ),
      rest: read.rest,
    };
  }
}
