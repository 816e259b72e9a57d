// Owns the port of a data mover: how a service starts a mover, gives it work, and learns how it ended. Today a mover is a child process
// (mover-process.ts) on the computer of its service.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { MoverEvent, MoverExit, MoverStart } from './local-link.ts';

/**
 * The data that is known when the mover is started. The mover loads the code of its side and starts its threads immediately; `begin` sends
 * the work later.
 */
export interface MoverPlan {
  readonly side: MoverStart['side'];
  readonly sessionId: string;
  readonly attempt: number;
  /** Number of data streams of a source; each has one thread. */
  readonly streams?: number;
}

export interface MoverOptions {
  readonly logger?: Logger;
  readonly onEvent: (event: MoverEvent) => void;
}

export interface DataMover {
  /** Resolves when the mover has ended; never rejects. */
  readonly exited: Promise<MoverExit>;
  /** Sends the start message, once. The caller may zero its keys afterwards, because the message holds copies. */
  begin(start: MoverStart): void;
  /** Asks the mover to end in order; kills it after a time limit. Safe to call twice. */
  abort(reason?: ErrorInfo): void;
  /** Ends the mover and waits until it has ended. */
  stop(reason?: ErrorInfo): Promise<MoverExit>;
}

export type StartMover = (plan: MoverPlan, options: MoverOptions) => DataMover;
