// Owns the tunnel that delivers Key B under Key A and proves its arrival (docs/protocol.md, section 4), both sides, sans-IO. Must not open
// connections or know tickets; the caller has handled the preamble before.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { Secret } from '../kernel/secret.ts';
import { deriveProofKey, deriveTunnelKeys, nonceBytes, parseSessionId } from './key-schedule.ts';
import type { ConnectionContext } from './key-schedule.ts';
import { NonceReader } from './nonce-reader.ts';
import { RecordOpener, RecordSealer, recordHeaderBytes, recordTagBytes, recordTypes } from './records.ts';
import type { OpenedRecord } from './records.ts';

const keyBBytes = 32;
const identifierBytes = 8;
/** The longest plaintext in a tunnel is the delivery of Key B. */
const maxPlaintextBytes = keyBBytes + identifierBytes;
const deliveryRecordBytes = recordHeaderBytes + keyBBytes + identifierBytes + recordTagBytes;

interface TunnelOptions {
  readonly keyA: Secret;
  /** 32 hex digits. */
  readonly sessionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** For vectors only: the nonce that this side sends, instead of a random one. */
  readonly nonce?: Buffer;
}

export interface TunnelClientOptions extends TunnelOptions {
  readonly keyB: Secret;
}

export interface TunnelStep<Done> {
  /** Bytes to write to the connection, in order. */
  readonly send?: Buffer;
  readonly done?: Done;
}

/** The tenant's side. Done when the target has proved that it holds Key B; the caller then ends the connection. */
export class TunnelClient {
  readonly #options: TunnelClientOptions;
  readonly #sessionId: Buffer;
  readonly #clientNonce: Buffer;
  readonly #nonceReader = new NonceReader();
  #proof: Buffer | undefined;
  #sealer: RecordSealer | undefined;
  #opener: RecordOpener | undefined;
  #isDone = false;

  constructor(options: TunnelClientOptions) {
    this.#options = options;
    this.#sessionId = parseSessionId(options.sessionId);
    this.#clientNonce = options.nonce ?? randomBytes(nonceBytes);
  }

  /** Returns the first bytes of the tunnel; the client sends them right after the preamble. */
  start(): Buffer {
    return this.#clientNonce;
  }

  /** @throws security.tampered, security.key-proof */
  push(chunk: Buffer): TunnelStep<{ readonly keyBIdentifier: string }> {
    const { keyA, keyB, attempt } = this.#options;
    const parts: Buffer[] = [];
    let rest = chunk;
    if (this.#opener === undefined) {
      const nonce = this.#nonceReader.push(chunk);
      if (nonce === undefined) return {};
      rest = nonce.rest;
      const context: ConnectionContext = {
        clientNonce: this.#clientNonce,
        serverNonce: nonce.nonce,
        sessionId: this.#sessionId,
        attempt,
      };
      this.#sealer = new RecordSealer(deriveTunnelKeys(keyA, context, 'c'));
      this.#opener = new RecordOpener(deriveTunnelKeys(keyA, context, 's'), { maxPlaintextBytes });
      const delivery = Buffer.concat(
        this.#sealer.seal(recordTypes.keyDelivery, 0, [keyB.bytes, Buffer.from(keyB.identifier(), 'hex')]),
      );
      this.#proof = proveKeyB(keyB, context, delivery);
      parts.push(delivery);
    }
    let done: { keyBIdentifier: string } | undefined;
    for (const record of this.#opener.push(rest)) {
      if (record.type === recordTypes.close && this.#isDone) continue;
      if (this.#isDone) throw unexpected();
      this.#checkProof(record);
      this.#isDone = true;
      done = { keyBIdentifier: keyB.identifier() };
      if (this.#sealer !== undefined) parts.push(...this.#sealer.close());
    }
    return { ...(parts.length > 0 ? { send: Buffer.concat(parts) } : {}), ...(done === undefined ? {} : { done }) };
  }

  /** Call when the connection ended. Before the proof this is a failure. */
  end(): void {
    if (!this.#isDone) {
      throw new FarkeepError('security.key-proof', 'The tunnel ended before the target proved that it has Key B', {
        retryable: true,
      });
    }
  }

  dispose(): void {
    this.#sealer?.dispose();
    this.#opener?.dispose();
  }

  #checkProof(record: OpenedRecord): void {
    const proof = this.#proof;
    if (record.type !== recordTypes.keyProof) throw unexpected();
    if (proof === undefined || record.plaintext.length !== proof.length || !timingSafeEqual(record.plaintext, proof)) {
      throw new FarkeepError('security.key-proof', 'The target could not prove that it has Key B');
    }
  }
}

/** The target data mover's side. `done` contains Key B; the caller must dispose it. */
export class TunnelServer {
  readonly #options: TunnelOptions;
  readonly #sessionId: Buffer;
  readonly #serverNonce: Buffer;
  readonly #nonceReader = new NonceReader();
  #context: ConnectionContext | undefined;
  #sealer: RecordSealer | undefined;
  #opener: RecordOpener | undefined;
  #isDone = false;
  #isClosed = false;
  /** Sealed bytes of the delivery as received; the proof covers them. */
  #received: Buffer[] = [];

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#sessionId = parseSessionId(options.sessionId);
    this.#serverNonce = options.nonce ?? randomBytes(nonceBytes);
  }

  /** Whether the client has confirmed the proof with its close record. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws security.tampered, security.key-proof */
  push(chunk: Buffer): TunnelStep<{ readonly keyB: Secret; readonly keyBIdentifier: string }> {
    const { keyA, attempt } = this.#options;
    const parts: Buffer[] = [];
    let rest = chunk;
    if (this.#opener === undefined) {
      const nonce = this.#nonceReader.push(chunk);
      if (nonce === undefined) return {};
      rest = nonce.rest;
      this.#context = {
        clientNonce: nonce.nonce,
        serverNonce: this.#serverNonce,
        sessionId: this.#sessionId,
        attempt,
      };
      this.#sealer = new RecordSealer(deriveTunnelKeys(keyA, this.#context, 's'));
      this.#opener = new RecordOpener(deriveTunnelKeys(keyA, this.#context, 'c'), { maxPlaintextBytes });
      parts.push(this.#serverNonce);
    }
    if (!this.#isDone) this.#received.push(rest);
    let done: { keyB: Secret; keyBIdentifier: string } | undefined;
    for (const record of this.#opener.push(rest)) {
      if (this.#isDone) {
        if (record.type !== recordTypes.close) throw unexpected();
        this.#isClosed = true;
        continue;
      }
      done = this.#accept(record);
      parts.push(...this.#answer(done.keyB));
    }
    return { ...(parts.length > 0 ? { send: Buffer.concat(parts) } : {}), ...(done === undefined ? {} : { done }) };
  }

  dispose(): void {
    this.#sealer?.dispose();
    this.#opener?.dispose();
  }

  #accept(record: OpenedRecord): { keyB: Secret; keyBIdentifier: string } {
    if (record.type !== recordTypes.keyDelivery || record.plaintext.length !== keyBBytes + identifierBytes)
      throw unexpected();
    const identifier = record.plaintext.subarray(keyBBytes).toString('hex');
    const keyB = Secret.take(record.plaintext.subarray(0, keyBBytes));
    if (keyB.identifier() !== identifier) {
      keyB.dispose();
      throw new FarkeepError('security.key-proof', 'The delivered Key B does not have the identifier it came with');
    }
    this.#isDone = true;
    return { keyB, keyBIdentifier: identifier };
  }

  #answer(keyB: Secret): Buffer[] {
    if (this.#context === undefined || this.#sealer === undefined) throw unexpected();
    const received = Buffer.concat(this.#received);
    this.#received = [];
    // A close record may have arrived in the same chunk; the proof covers only the delivery record.
    const delivery = received.subarray(0, deliveryRecordBytes);
    const proof = proveKeyB(keyB, this.#context, delivery);
    return [...this.#sealer.seal(recordTypes.keyProof, 0, [proof]), ...this.#sealer.close()];
  }
}

/** HMAC-SHA256 under a key from Key B, over SHA-256(client nonce || server nonce || sealed delivery record) (section 4). */
function proveKeyB(keyB: Secret, context: ConnectionContext, delivery: Buffer): Buffer {
  const transcript = createHash('sha256')
    .update(context.clientNonce)
    .update(context.serverNonce)
    .update(delivery)
    .digest();
  const key = deriveProofKey(keyB, context.sessionId, context.attempt);
  const proof = createHmac('sha256', key).update(transcript).digest();
  key.fill(0);
  return proof;
}

function unexpected(): FarkeepError {
  return new FarkeepError('security.tampered', 'The tunnel contains an unexpected record');
}
