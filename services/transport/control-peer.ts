// Owns request, answer and notification over one WebSocket, in both directions; detects a dead peer; refuses malformed messages and too
// many messages. Must not know what the messages mean: their schemas are in services/wire. A bad message must end only this connection.
import { WebSocket, type RawData } from 'ws';
import { z } from 'zod';

import { peerErrorSchema } from '../contracts/error-schemas.ts';
import { isErrorCode, type ErrorInfo } from '../contracts/errors.ts';
import { every, type Schedule } from '../kernel/schedule.ts';
import { Deadline } from '../kernel/deadline.ts';
import { systemClock, type Timer } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { TokenBucket, type Pace } from '../kernel/token-bucket.ts';

export const maxMessageBytes = 256 * 1024;
export const pingIntervalMs = 15_000;
const defaultRequestTimeoutMs = 30_000;
/** A peer that does not read makes this process buffer its messages. A peer with more than this many buffered bytes is disconnected. */
const maxBufferedBytes = 8 * maxMessageBytes;
const maxRunningRequests = 128;
/**
 * Limit for unsolicited messages of a peer: requests, notifications, unexpected answers. A message counts as one, plus one for every 2 KiB.
 * A peer over the limit is read more slowly; no message is lost.
 */
const defaultPace: Pace = { perSecond: 200, burst: 1000 };
const bytesPerToken = 2048;
const maxHoldUpMs = 30_000;
const closeDeadlineMs = 2_000;
/** Time for the closing frame to reach a peer that violated the protocol. */
const refusalDeadlineMs = 200;

const identifier = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const messageType = z.string().min(1).max(64);
/** A newer version may send an error code that this version does not know. */
const remoteErrorSchema = z.object({
  code: z.string().max(64),
  message: z.string().transform((text) => text.slice(0, 2_000)),
});
const envelopeSchema = z.union([
  z.object({ id: identifier, ok: z.literal(true), value: z.unknown() }),
  z.object({ id: identifier, ok: z.literal(false), error: z.unknown() }),
  z.object({ id: identifier, cancel: z.literal(true) }),
  z.object({ id: identifier, type: messageType, payload: z.unknown() }),
  // `id` must be absent: a request with an invalid identifier must not be treated as a notification.
  z.object({ id: z.never().optional(), type: messageType, payload: z.unknown() }),
]);

export interface RequestOptions {
  /** When this signal fires, the wait ends and the other side is notified. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Returns the value of the answer. A thrown FarkeepError is sent unchanged; any other error becomes `call.internal` without its text. */
export type RequestHandler = (
  type: string,
  payload: unknown,
  context: { readonly signal: AbortSignal },
) => Promise<unknown>;
export type NotificationHandler = (type: string, payload: unknown) => void;
/** `undefined` when either side closed in order without a reason. */
export type CloseHandler = (error: FarkeepError | undefined) => void;

export interface ControlPeerOptions {
  readonly logger?: Logger;
  readonly pingIntervalMs?: number;
  readonly pace?: Pace;
}

interface PendingRequest {
  readonly type: string;
  settle(outcome: { value: unknown } | { error: FarkeepError }): void;
}

export class ControlPeer {
  readonly #socket: WebSocket;
  readonly #logger: Logger;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #running = new Map<number, AbortController>();
  readonly #closeHandlers: CloseHandler[] = [];
  readonly #heartbeat: Schedule;
  readonly #buckets: TokenBucket[];
  #heldUp: Timer | undefined;
  #nextId = 1;
  #missedPings = 0;
  #isClosed = false;
  #closeError: FarkeepError | undefined;
  #requestHandler: RequestHandler | undefined;
  #notificationHandler: NotificationHandler | undefined;
  /** Messages that arrived before the owner set a handler. They are kept, so that none is lost directly after the handshake. */
  #early: (() => void)[] = [];

  constructor(
    socket: WebSocket,
    { logger = silentLogger, pingIntervalMs: intervalMs = pingIntervalMs, pace = defaultPace }: ControlPeerOptions = {},
  ) {
    this.#socket = socket;
    this.#buckets = [new TokenBucket(pace)];
    this.#logger = logger;
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', () => (this.#missedPings = 0));
    socket.on('error', (error) => {
      // ws reports protocol violations of the peer here (too long, bad UTF-8, bad frame) and closes the connection with the right code.
      const isProtocol = 'code' in error && typeof error.code === 'string' && error.code.startsWith('WS_ERR');
      this.#closeError ??= isProtocol
        ? new FarkeepError('protocol.malformed', `The other side broke the message rules: ${error.message}`, {
            cause: error,
          })
        : new FarkeepError('connection.lost', `Control channel lost: ${error.message}`, { cause: error });
      // ws would wait 30 s for the answer of a peer that has just violated the protocol.
      systemClock.startTimer(refusalDeadlineMs, () => socket.terminate(), { isBackground: true });
    });
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    this.#heartbeat = every(intervalMs, () => this.#beat(), { isBackground: true });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Counts the messages of this connection also in a shared bucket, such as the bucket of all connections of one tenant. */
  countInto(bucket: TokenBucket): void {
    this.#buckets.push(bucket);
  }

  /** Counts additional cost for a message that causes more work than its length suggests. */
  charge(cost: number): void {
    this.#holdUp(Math.max(...this.#buckets.map((bucket) => bucket.spend(cost))));
  }

  /** Sets the only handler; call this before the first `await`. The handler should throw `call.unknown` for an unknown request type. */
  onRequest(handler: RequestHandler): void {
    this.#requestHandler = handler;
    this.#flushEarly();
  }

  onNotify(handler: NotificationHandler): void {
    this.#notificationHandler = handler;
    this.#flushEarly();
  }

  /** Adds a handler. The handler is called once, also when the channel was already closed. */
  onClose(handler: CloseHandler): void {
    if (this.#isClosed) queueMicrotask(() => handler(this.#closeError));
    else this.#closeHandlers.push(handler);
  }

  /**
   * Sends a request and waits for its answer.
   * @throws FarkeepError as sent by the other side; `call.timeout`, `call.canceled`, `connection.lost`
   */
  request(
    type: string,
    payload: unknown,
    { signal, timeoutMs = defaultRequestTimeoutMs }: RequestOptions = {},
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new FarkeepError('call.canceled'));
        return;
      }
      if (this.#isClosed || this.#socket.readyState !== WebSocket.OPEN) {
        reject(
          this.#closeError ??
            new FarkeepError('connection.lost', `Cannot ask "${type}": the control channel is closed`),
        );
        return;
      }
      const id = this.#nextId;
      this.#nextId += 1;
      const settle: PendingRequest['settle'] = (outcome) => {
        this.#pending.delete(id);
        deadline.stop();
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      };
      const deadline = new Deadline({ limitMs: timeoutMs, signal }, (reason) => {
        const error =
          reason === 'aborted'
            ? new FarkeepError('call.canceled')
            : new FarkeepError('call.timeout', `No answer to "${type}" within ${timeoutMs} ms`);
        settle({ error });
        this.#send({ id, cancel: true });
      });
      this.#pending.set(id, { type, settle });
      try {
        this.#send({ id, type, payload });
      } catch (error) {
        settle({ error: toFarkeepError(error) });
      }
    });
  }

  /**
   * Sends a notification without waiting; does nothing when the channel is closed. @throws FarkeepError `call.invalid` for more than 256
   * KiB
   */
  notify(type: string, payload: unknown): void {
    this.#send({ type, payload });
  }

  /** Closes in order; the other side gets `reason` as its error. Waits up to two seconds for the peer, then drops the connection. */
  close(reason?: FarkeepError): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) {
        resolve();
        return;
      }
      this.onClose(() => resolve());
      const timer = systemClock.startTimer(closeDeadlineMs, () => this.#socket.terminate());
      this.onClose(() => timer.stop());
      if (reason === undefined) this.#socket.close(1000);
      else {
        this.#closeError ??= reason;
        this.#socket.close(closeCodeForReason, closeText(reason));
      }
    });
  }

  /** Drops the connection at once. */
  terminate(error?: FarkeepError): void {
    this.#closeError ??= error;
    this.#socket.terminate();
  }

  #send(envelope: object): void {
    if (this.#isClosed || this.#socket.readyState !== WebSocket.OPEN) return;
    const text = JSON.stringify(envelope);
    if (Buffer.byteLength(text) > maxMessageBytes) {
      throw new FarkeepError(
        'call.invalid',
        `A control message may have ${maxMessageBytes} bytes, this one has ${Buffer.byteLength(text)}`,
      );
    }
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > maxBufferedBytes) {
      this.terminate(new FarkeepError('connection.lost', 'The other side of the control channel does not read'));
    }
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      this.#refuse('binary message on the control channel');
      return;
    }
    let raw: unknown;
    try {
      raw = JSON.parse((data as Buffer).toString());
    } catch (error) {
      this.#refuse(`not JSON: ${error instanceof Error ? error.name : 'error'}`);
      return;
    }
    const parsed = envelopeSchema.safeParse(raw);
    if (!parsed.success) {
      this.#refuse('not a control message');
      return;
    }
    const envelope = parsed.data;
    if (!('ok' in envelope) || !this.#pending.has(envelope.id)) {
      this.charge(1 + Math.floor((data as Buffer).length / bytesPerToken));
    }
    if ('ok' in envelope) {
      // An answer with an unknown identifier is allowed: it came after the time limit of its request.
      const pending = this.#pending.get(envelope.id);
      if (envelope.ok) pending?.settle({ value: envelope.value });
      else pending?.settle({ error: toRemoteError(envelope.error, pending.type) });
    } else if ('cancel' in envelope) this.#running.get(envelope.id)?.abort();
    else if (envelope.id !== undefined)
      this.#whenReady(
        () => this.#requestHandler,
        (handler) => void this.#serve(handler, envelope),
      );
    else
      this.#whenReady(
        () => this.#notificationHandler,
        (handler) => this.#deliver(handler, envelope),
      );
  }

  #whenReady<Handler>(find: () => Handler | undefined, run: (handler: Handler) => void): void {
    const handler = find();
    if (handler !== undefined) run(handler);
    else if (this.#early.length < maxRunningRequests) this.#early.push(() => this.#whenReady(find, run));
    else this.#refuse('too many messages before this side was ready');
  }

  #flushEarly(): void {
    for (const retry of this.#early.splice(0)) retry();
  }

  async #serve(
    handler: RequestHandler,
    { id, type, payload }: { id: number; type: string; payload?: unknown },
  ): Promise<void> {
    if (this.#running.has(id) || this.#running.size >= maxRunningRequests) {
      this.#refuse(this.#running.has(id) ? 'a request identifier used twice' : 'too many requests at once');
      return;
    }
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const value = await handler(type, payload, { signal: controller.signal });
      this.#send({ id, ok: true, value: value ?? null });
    } catch (thrown) {
      this.#send({ id, ok: false, error: this.#errorForPeer(thrown, type) });
    } finally {
      this.#running.delete(id);
    }
  }

  /** An internal error is only logged. The peer gets only errors that are meant for a peer. */
  #errorForPeer(thrown: unknown, type: string): ErrorInfo {
    if (thrown instanceof FarkeepError) return thrown.toInfo();
    if (thrown instanceof Error && thrown.name === 'AbortError') return new FarkeepError('call.canceled').toInfo();
    this.#logger.error('A control request failed', { type, error: thrown });
    return new FarkeepError('call.internal').toInfo();
  }

  #deliver(handler: NotificationHandler, { type, payload }: { type: string; payload?: unknown }): void {
    try {
      handler(type, payload);
    } catch (error) {
      this.#logger.error('A notification could not be handled', { type, error });
      this.#refuse(`a "${type}" message that cannot be handled`);
    }
  }

  #refuse(why: string): void {
    if (this.#isClosed) return;
    this.#logger.warn('Control channel closed because of a malformed message', { why });
    const error = new FarkeepError('protocol.malformed', `The other side sent ${why}`);
    this.#closeError ??= error;
    // Reads no further message of this peer, not even a message that is already buffered.
    this.#socket.removeAllListeners('message');
    this.#socket.close(closeCodeForReason, closeText(error));
    systemClock.startTimer(refusalDeadlineMs, () => this.#socket.terminate(), { isBackground: true });
  }

  /** Stops reading for `waitMs`, so that the other side must slow down. */
  #holdUp(waitMs: number): void {
    if (waitMs <= 0 || this.#heldUp !== undefined || this.#isClosed) return;
    this.#socket.pause();
    const resume = (): void => {
      this.#heldUp = undefined;
      this.#socket.resume();
    };
    this.#heldUp = systemClock.startTimer(Math.min(waitMs, maxHoldUpMs), resume, { isBackground: true });
  }

  #beat(): void {
    if (this.#missedPings >= 2) {
      this.terminate(new FarkeepError('connection.lost', 'The other side of the control channel does not answer'));
      return;
    }
    this.#missedPings += 1;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #onClose(code: number, text: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#heartbeat.stop();
    this.#heldUp?.stop();
    // ws reports code 1006 when the connection broke without a closing frame.
    this.#closeError ??=
      code === closeCodeForReason ? parseCloseText(text) : code === 1000 ? undefined : lostWith(code, text);
    for (const controller of this.#running.values()) controller.abort();
    const error = this.#closeError ?? new FarkeepError('connection.lost', 'The other side closed the control channel');
    for (const pending of [...this.#pending.values()]) pending.settle({ error });
    this.#early = [];
    for (const handler of this.#closeHandlers.splice(0)) {
      try {
        handler(this.#closeError);
      } catch (thrown) {
        this.#logger.error('A close handler failed', { error: thrown });
      }
    }
  }
}

/** A private WebSocket close code; the text is `code: message`. */
const closeCodeForReason = 4000;

function closeText(error: FarkeepError): string {
  // A close frame carries at most 123 bytes of text.
  return Buffer.from(`${error.code}: ${error.message}`).subarray(0, 120).toString().replace(/�+$/u, '');
}

function parseCloseText(text: string): FarkeepError {
  const [code = '', ...rest] = text.split(': ');
  return isErrorCode(code)
    ? new FarkeepError(code, rest.join(': '))
    : new FarkeepError('connection.lost', `The other side closed the control channel: ${text}`);
}

function lostWith(code: number, text: string): FarkeepError {
  return new FarkeepError(
    'connection.lost',
    code === 1006 ? 'The control channel was interrupted' : `The control channel was closed (${code}) ${text}`.trim(),
  );
}

function toRemoteError(raw: unknown, type: string): FarkeepError {
  const partial = remoteErrorSchema.safeParse(raw);
  const info = peerErrorSchema.safeParse(raw);
  if (info.success && partial.success && isErrorCode(partial.data.code)) return FarkeepError.fromInfo(info.data);
  return new FarkeepError(
    'call.internal',
    partial.success
      ? `The other side refused "${type}": ${partial.data.message} (${partial.data.code})`
      : `The other side refused "${type}"`,
  );
}
