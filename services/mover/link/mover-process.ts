// Owns a data mover as a child process: start, start message, events, and the meaning of its end. Runs inside the provider or tenant
// service; moves no data itself.
import { fileURLToPath } from 'node:url';
import { errorInfoSchema } from '../../contracts/error-schemas.ts';
import type { ErrorInfo } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import { passedEnvironment } from '../../process/environment.ts';
import { hungAfterMs } from '../../process/heartbeat-watch.ts';
import { SupervisedChild, type ChildExit } from '../../process/supervised-child.ts';
import type { DataMover, MoverOptions, MoverPlan, StartMover } from './data-mover.ts';
import type { MoverCommand, MoverEvent, MoverExit, MoverStart } from './local-link.ts';

const entry = fileURLToPath(new URL('../mover-entry.ts', import.meta.url));

/**
 * By default glibc returns freed megabytes to the kernel, and the next block causes page faults that cost as much as the cipher. A mover
 * releases its buffers itself (release-memory.ts). Other C libraries ignore these variables.
 */
const allocatorTuning = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '33554432',
  MALLOC_TRIM_THRESHOLD_: '33554432',
};
/**
 * Without a limit V8 lets the heap grow to four times the memory in use before it collects garbage. With a limit below 2 GiB it collects
 * earlier: a source of many small files needs 15 % less memory and no more time. A target has few large objects, so V8 can keep more young
 * objects between two collections.
 */
const heapLimits = {
  source: ['--max-semi-space-size=4', '--max-old-space-size=2000'],
  target: ['--max-semi-space-size=16', '--max-old-space-size=2000'],
};
/** Compiled code that earlier movers stored; with it a mover and its workers start in a third of the time. */
const compileCacheFolder = fileURLToPath(new URL('../../../build/compile-cache', import.meta.url));
const stopDeadlineMs = 10_000;
/** A mover sends a sign of life every 5 s. If 5 of them are missing, the mover is killed and counts as crashed. */
const heartbeat = { intervalMs: 5_000, missedForHung: 5 };
const maxLogLineLength = 4_000;

export const startMoverProcess: StartMover = (plan, options) => new MoverProcess(plan, options);

export class MoverProcess implements DataMover {
  readonly #child: SupervisedChild;
  readonly #logger: Logger;
  readonly #side: MoverStart['side'];
  readonly #onEvent: (event: MoverEvent) => void;
  #outcome: MoverExit | undefined;

  readonly exited: Promise<MoverExit>;

  /**
   * Starts the mover process. The service may do this before the keys exist, to save time: the process and its threads need as long to
   * start as a login.
   */
  constructor({ side, sessionId, attempt, streams = 0 }: MoverPlan, options: MoverOptions) {
    this.#logger = (options.logger ?? silentLogger).child({ mover: side, sessionId, attempt });
    this.#side = side;
    this.#onEvent = options.onEvent;
    this.#child = new SupervisedChild({
      program: process.execPath,
      args: [...heapLimits[side], entry, side, String(streams)],
      environment: {
        ...passedEnvironment(process.env),
        ...allocatorTuning,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? compileCacheFolder,
      },
      channel: { serialization: 'advanced', onMessage: (message) => this.#receive(message as MoverEvent) },
      log: { onLine: (line) => this.#logger.info('mover', { line: line.slice(0, maxLogLineLength) }) },
      heartbeat,
    });
    this.exited = this.#child.exited.then((exit) => this.#outcome ?? this.#crash(exit));
  }

  begin(start: MoverStart): void {
    this.#send(start);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  abort(reason: ErrorInfo = new FarkeepError('call.canceled').toInfo()): void {
    void this.#child.stop(stopDeadlineMs, { type: 'abort', reason } satisfies MoverCommand);
  }

  async stop(reason?: ErrorInfo): Promise<MoverExit> {
    this.abort(reason);
    return this.exited;
  }

  kill(): void {
    this.#child.kill();
  }

  #receive(event: MoverEvent): void {
    this.#child.heard();
    if (event.type === 'alive') {
      this.#send({ type: 'alive' });
      return;
    }
    if (event.type === 'finished') this.#outcome = { kind: 'finished' };
    if (event.type === 'failed') {
      this.#outcome = { kind: 'failed', error: errorInfoSchema.parse(event.error), isTampered: event.isTampered };
    }
    try {
      this.#onEvent(event);
    } catch (error) {
      this.#logger.error('An event of the data mover could not be handled', { event: event.type, error });
    }
  }

  #send(command: MoverCommand): void {
    this.#child.send(command);
  }

  #crash({ code, signal, killedFor, startError }: ChildExit): MoverExit {
    if (startError !== undefined) this.#logger.error('The data mover could not be started', { error: startError });
    let how = `with code ${code ?? 'unknown'}`;
    if (signal !== null) how = `by signal ${signal}`;
    if (killedFor === 'silent') how = `after ${hungAfterMs(heartbeat)} ms without a sign of life`;
    const error = new FarkeepError('session.mover-died', `The ${this.#side} data mover ended unexpectedly, ${how}`);
    return { kind: 'crashed', error: error.toInfo(), exitCode: code, signal };
  }
}
