// Owns requests, answers and notifications over one WebSocket, both ways (docs/protocol.md, section 2). Part of the second implementation:
// written from docs/ alone.
import type { WebSocketClient } from './web-socket.ts';

export type Json = Readonly<Record<string, unknown>>;

/** An answer with `ok: false`. */
export class Refusal extends Error {
  readonly code: string;

  constructor(error: Json) {
    super(`${String(error['code'])}: ${String(error['message'])}`);
    this.code = String(error['code']);
  }
}

interface Waiting {
  readonly resolve: (value: Json) => void;
  readonly reject: (error: Error) => void;
}

/** Answers a request of the other side. */
export type Serve = (type: string, payload: Json) => Json | undefined;

export class EnvelopePeer {
  readonly #webSocket: WebSocketClient;
  readonly #serve: Serve;
  readonly #waiting = new Map<number, Waiting>();
  readonly #notifications: { readonly type: string; readonly payload: Json }[] = [];
  readonly #listeners = new Set<() => void>();
  #lastId = 0;
  #end: Error | undefined;

  /** @param serve answers requests; undefined causes the error `call.unknown` */
  constructor(webSocket: WebSocketClient, serve: Serve = () => undefined) {
    this.#webSocket = webSocket;
    this.#serve = serve;
    void this.#receiveAll();
  }

  async request(type: string, payload: Json = {}): Promise<Json> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    this.#webSocket.send(JSON.stringify({ id, type, payload }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  notify(type: string, payload: Json): void {
    this.#webSocket.send(JSON.stringify({ type, payload }));
  }

  /** The next notification of this type, which may already have arrived. @throws when the connection ends before */
  async notified(type: string): Promise<Json> {
    for (;;) {
      const index = this.#notifications.findIndex((notification) => notification.type === type);
      const [found] = index === -1 ? [] : this.#notifications.splice(index, 1);
      if (found !== undefined) return found.payload;
      if (this.#end !== undefined) throw this.#end;
      await this.#changed();
    }
  }

  /** Resolves with the reason for the end of the connection. */
  async closed(): Promise<Error> {
    while (this.#end === undefined) await this.#changed();
    return this.#end;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#listeners.add(resolve));
  }

  async #receiveAll(): Promise<void> {
    try {
      for (;;) {
        this.#take(JSON.parse(await this.#webSocket.receive()) as Json);
        this.#wake();
      }
    } catch (error) {
      const reason = error as Error;
      this.#end = reason;
      for (const { reject } of this.#waiting.values()) reject(reason);
      this.#waiting.clear();
      this.#wake();
    }
  }

  #take(message: Json): void {
    const { id, type } = message as { id?: number; type?: string };
    const payload = (message['payload'] ?? {}) as Json;
    if (type !== undefined && id === undefined) this.#notifications.push({ type, payload });
    else if (type !== undefined) {
      const value = this.#serve(type, payload);
      const error = { code: 'call.unknown', message: `There is no request "${type}"`, hint: '', retryable: false };
      this.#webSocket.send(JSON.stringify(value === undefined ? { id, ok: false, error } : { id, ok: true, value }));
    } else if (message['cancel'] !== true) {
      const waiting = this.#waiting.get(Number(id));
      this.#waiting.delete(Number(id));
      if (message['ok'] === true) waiting?.resolve((message['value'] ?? {}) as Json);
      else waiting?.reject(new Refusal(message['error'] as Json));
    }
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
