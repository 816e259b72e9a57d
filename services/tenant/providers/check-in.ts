// Owns asking every provider for news at intervals. So a tenant learns of an announced certificate also on a day without a job, and its
// admin learns of an unreachable provider. Asks one provider at a time. A failure is only recorded with the provider.
import type { Clock } from '../../kernel/clock.ts';
import { signalWithin } from '../../kernel/deadline.ts';
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ProviderDialer } from './provider-dialer.ts';
import type { ServiceProviders } from './service-providers.ts';

/** Soon after the start, but not at once: a machine that boots may have no network yet. */
const firstAfterMs = 60_000;
const limitMs = 60_000;

export interface CheckInOptions {
  readonly providers: ServiceProviders;
  readonly dialer: ProviderDialer;
  /** 0: never. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class CheckIn {
  readonly #options: CheckInOptions;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: CheckInOptions) {
    this.#options = options;
    this.#running = options.intervalMs === 0 ? Promise.resolve() : this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, intervalMs, logger } = this.#options;
    const { signal } = this.#abort;
    try {
      await clock.sleep(Math.min(firstAfterMs, intervalMs), signal);
      for (;;) {
        await this.#askAll();
        // The random delay spreads thousands of tenants that started in the same second, for example after a power failure.
        await clock.sleep(intervalMs * (0.9 + Math.random() * 0.2), signal);
      }
    } catch (error) {
      if (!signal.aborted) logger.error('The regular check of the providers has stopped', { error });
    }
  }

  async #askAll(): Promise<void> {
    const { providers, dialer, logger } = this.#options;
    for (const provider of providers.list()) {
      try {
        using limit = signalWithin({ limitMs, signal: this.#abort.signal });
        await dialer.askAmongOthers(provider, limit.signal, () => Promise.resolve());
      } catch (error) {
        this.#abort.signal.throwIfAborted();
        logger.info('A provider could not be asked', {
          provider: provider.name,
          reason: toFarkeepError(error).message,
        });
      }
    }
  }
}
