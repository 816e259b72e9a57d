// Owns fakes around one tenant session: a provider that only answers, its control connection, and a source mover. For tests only.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { DataMover, MoverOptions } from '../../mover/link/data-mover.ts';
import type { MoverExit, MoverStart } from '../../mover/link/local-link.ts';

/** The identifier of the session, which is also its point. */
export const sessionId = 'a'.repeat(32);
/** How long the fake provider keeps a session. */
export const keptForMs = 20 * 60_000;
const keyBytes = Buffer.alloc(32, 7).toString('base64');

/** Rejects when the signal fires. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(new FarkeepError('call.canceled'));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A control connection as the tenant sees it. */
export class FakePeer {
  readonly asked: string[] = [];
  readonly #provider: FakeProvider;
  readonly #onClose: ((error?: FarkeepError) => void)[] = [];
  #onNotify: (name: string, payload: unknown) => void = () => undefined;
  isClosed = false;

  constructor(provider: FakeProvider) {
    this.#provider = provider;
  }

  async request(name: string, payload: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    this.asked.push(name);
    this.#provider.asked.push({ name, payload: payload as Record<string, unknown> });
    if (this.isClosed) throw new FarkeepError('connection.lost', 'The control channel is closed');
    const closed = new Promise<never>((_resolve, reject) => {
      this.#onClose.push(() => reject(new FarkeepError('connection.lost', 'The control channel was interrupted')));
    });
    closed.catch(() => undefined);
    return Promise.race([this.#provider.answer(name), closed, untilAborted(options.signal)]);
  }

  notify(): void {
    // Other tests cover the reports.
  }

  onNotify(handler: (name: string, payload: unknown) => void): void {
    this.#onNotify = handler;
  }

  onClose(handler: (error?: FarkeepError) => void): void {
    this.#onClose.push(handler);
  }

  close(): Promise<void> {
    this.drop();
    return Promise.resolve();
  }

  drop(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const handler of this.#onClose)
      handler(new FarkeepError('connection.lost', 'The control channel was interrupted'));
  }

  say(name: string, payload: object): void {
    this.#onNotify(name, { sessionId, attempt: 1, ...payload });
  }
}

export class FakeProvider {
  readonly asked: { name: string; payload: Record<string, unknown> }[] = [];
  attempts = 0;
  /** Answers that differ from the default. */
  readonly special = new Map<string, () => Promise<unknown>>();

  async answer(name: string): Promise<unknown> {
    const special = this.special.get(name);
    if (special !== undefined) return special();
    if (name === 'session.start' || name === 'session.resume') return this.grant();
    if (name === 'session.pause') return { committed: null, keptForMs };
    if (name === 'session.finish') return { pointId: sessionId, storedBytes: 5 };
    return {};
  }

  grant(): object {
    this.attempts += 1;
    return {
      ...{ sessionId, attempt: this.attempts, keyA: keyBytes, tunnelTicket: keyBytes, streamTickets: [keyBytes] },
      ...{ ticketLifeMs: 1, resumeWindowMs: keptForMs, steps: [] },
    };
  }

  get names(): string[] {
    return this.asked.map(({ name }) => name);
  }
}

const totals = {
  ...{ totalBytes: 1, totalFiles: 1, processedBytes: 1, readBytes: 1, transferredBytes: 1, durableBytes: 1 },
  ...{ safeBytes: 1, processedFiles: 1, skippedFiles: 0, unchangedFiles: 0, newBlocks: 1, reusedBlocks: 0 },
};

export class FakeMover implements DataMover {
  readonly #options: MoverOptions;
  readonly #exit = Promise.withResolvers<MoverExit>();
  readonly exited = this.#exit.promise;
  work: MoverStart | undefined;
  abortedFor: string | undefined;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  begin(start: MoverStart): void {
    this.work = start;
  }

  abort(reason = new FarkeepError('call.canceled').toInfo()): void {
    this.abortedFor ??= reason.message;
    this.#exit.resolve({ kind: 'failed', error: reason, isTampered: false });
  }

  stop(reason?: ReturnType<FarkeepError['toInfo']>): Promise<MoverExit> {
    this.abort(reason);
    return this.exited;
  }

  openStreams(): void {
    this.#options.onEvent({ type: 'streams-open', count: 1 });
  }

  finalize(): void {
    const busy = { source: 0, compress: 0, network: 0, target: 0 };
    this.#options.onEvent({ type: 'progress', phase: 'finalizing', totals, busy });
  }

  finish(): void {
    const figures = { totals, warningCount: 0, pointId: sessionId, rootHash: '00', peakMemoryBytes: 1 };
    this.#options.onEvent({ type: 'finished', ...figures });
    this.#exit.resolve({ kind: 'finished' });
  }

  fail(error: FarkeepError, isTampered = false): void {
    this.#exit.resolve({ kind: 'failed', error: error.toInfo(), isTampered });
  }
}
