// Owns the repeated report of an ended session: the connection broke before the provider took the end, or there was none. Without the report
// the provider keeps the session until its resume window is over, and then counts it as failed. Must not change the session.
import type { Clock } from '../../kernel/clock.ts';
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isWorthAnotherAttempt } from '../../session/machine/tenant-failures.ts';

export interface EndReportOptions {
  /** Sends the report once, over a new connection. */
  readonly report: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  /** Fires when the service stops. */
  readonly untilStop: AbortSignal;
}

/** Resolves when the provider has taken the report, or will not take it any more. Never rejects. */
export async function reportEnd(options: EndReportOptions): Promise<void> {
  const { report, clock, logger, retryIntervalMs, retryWindowMs, untilStop } = options;
  const untilMs = clock.now() + retryWindowMs;
  while (!untilStop.aborted) {
    try {
      await report(untilStop);
      return;
    } catch (thrown) {
      const failure = toFarkeepError(thrown);
      logger.info('The end of a session could not be reported to the provider', { reason: failure.message });
      if (!isWorthAnotherAttempt(failure) || clock.now() + retryIntervalMs > untilMs) return;
    }
    // The sleep rejects when the service stops.
    await clock.sleep(retryIntervalMs, untilStop).catch(() => undefined);
  }
}
