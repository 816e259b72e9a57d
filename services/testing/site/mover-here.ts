// Owns a data mover that runs in the process of the tests, with all its code and without worker threads. Saves the start of a process and
// its threads. Suites that kill movers, or look at their processes, use real processes.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { errorInfoSchema } from '../../contracts/error-schemas.ts';
import type { ErrorInfo } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { DataMover, MoverOptions, MoverPlan, StartMover } from '../../mover/link/data-mover.ts';
import type { MoverEvent, MoverExit, MoverStart } from '../../mover/link/local-link.ts';
import { MoverWork } from '../../mover/mover-work.ts';
import { createStreamWorker } from '../../mover/source/stream-worker-factory.ts';
import type { StreamWorker } from '../../mover/source/stream-worker.ts';
import type { StartThread } from '../../mover/source/streams/stream-thread.ts';
import type { FromWorker } from '../../mover/source/streams/worker-link.ts';

/** A copy as the process channel makes it: buffers stay buffers. */
const copy = <Message>(message: Message): Message => deserialize(serialize(message)) as Message;

/** A stream worker without a thread. Messages are copied and transferred as between threads, and arrive in a later turn. */
const startThreadHere: StartThread = ({ onMessage, onError, onExit }) => {
  let worker: StreamWorker | undefined;
  let isOver = false;
  const later = (run: () => void): void => {
    void nextTurn().then(() => {
      if (isOver) return;
      try {
        run();
      } catch (error) {
        onError(error);
      }
    });
  };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    onExit();
  };
  return {
    send: (message, transfer = []) => {
      const received = structuredClone(message, { transfer });
      later(() => {
        if (received.type !== 'start') {
          worker?.command(received);
          return;
        }
        worker = createStreamWorker(received, {
          post: (answer: FromWorker, memory: ArrayBuffer[] = []) => {
            const posted = structuredClone(answer, { transfer: memory });
            later(() => onMessage(posted));
          },
          onFinished: () => later(end),
        });
        void worker.run();
      });
    },
    terminate: end,
  };
};

class MoverHere implements DataMover {
  readonly #work: MoverWork;
  #failure: Extract<MoverEvent, { type: 'failed' }> | undefined;
  #lastEvent: Promise<void> = Promise.resolve();
  readonly exited: Promise<MoverExit>;

  constructor({ side, streams = 0 }: MoverPlan, { logger = silentLogger, onEvent }: MoverOptions) {
    this.#work = new MoverWork({
      ...{ side, streams, logger, startThread: startThreadHere },
      emit: (event) => {
        const received = copy(event);
        if (received.type === 'failed') this.#failure = received;
        this.#lastEvent = this.#lastEvent.then(() => nextTurn()).then(() => onEvent(received));
      },
    });
    this.exited = this.#work.ended.then(async () => {
      await this.#lastEvent;
      return this.#failure === undefined
        ? { kind: 'finished' }
        : {
            kind: 'failed',
            error: errorInfoSchema.parse(this.#failure.error),
            isTampered: this.#failure.isTampered,
          };
    });
  }

  begin(start: MoverStart): void {
    const received = copy(start);
    void nextTurn().then(() => this.#work.begin(received));
  }

  abort(reason: ErrorInfo = new FarkeepError('call.canceled').toInfo()): void {
    void nextTurn().then(() => this.#work.abort(FarkeepError.fromInfo(reason)));
  }

  stop(reason?: ErrorInfo): Promise<MoverExit> {
    this.abort(reason);
    return this.exited;
  }
}

export const startMoverHere: StartMover = (plan, options) => new MoverHere(plan, options);
