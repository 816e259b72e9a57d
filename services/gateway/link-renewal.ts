// Owns when the client certificate of the gateway link is renewed: after two thirds of its life, over the link itself, repeated until it
// succeeds. Must not store anything or talk to the provider; the caller passes a function for that.
import { X509Certificate } from 'node:crypto';
import { abortError, type Clock } from '../kernel/clock.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/**
 * Shortest time between two renewals. Prevents a loop when the clocks of gateway and provider differ so much that a new certificate looks
 * old.
 */
const minIntervalMs = dayMs;
const retryMs = hourMs;

/** @returns ms since the epoch */
export function renewalDueAt(certificatePem: string): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem);
  const from = validFromDate.getTime();
  return from + ((validToDate.getTime() - from) * 2) / 3;
}

export interface LinkRenewalOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificate of the open link; undefined without a link. */
  readonly certificateInUse: () => string | undefined;
  /** Gets a new certificate and starts to use it. */
  readonly renew: (signal: AbortSignal) => Promise<void>;
}

export class LinkRenewal {
  readonly #options: LinkRenewalOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #wake = new AbortController();

  constructor(options: LinkRenewalOptions) {
    this.#options = options;
  }

  /** Call when the link was opened or replaced: checks the certificate again. */
  look(): void {
    this.#wake.abort();
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    let notBeforeMs = 0;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const certificate = this.#options.certificateInUse();
      const now = clock.now();
      let pauseMs = dayMs;
      if (certificate !== undefined) {
        const dueAt = Math.max(renewalDueAt(certificate), notBeforeMs);
        if (dueAt > now) pauseMs = Math.min(dueAt - now, dayMs);
        else if (await this.#renew()) {
          notBeforeMs = clock.now() + minIntervalMs;
          continue;
        } else {
          // The renewal failed. A link that is opened before the pause is over does not cause an earlier attempt.
          notBeforeMs = clock.now() + retryMs;
          pauseMs = retryMs;
        }
      }
      await clock.sleep(pauseMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    }
  }

  async #renew(): Promise<boolean> {
    const { renew, logger } = this.#options;
    const { signal } = this.#stopping;
    try {
      await renew(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { code, message } = toFarkeepError(error ?? abortError());
      logger.warn('The certificate of the gateway link could not be renewed; it is tried again', {
        code,
        reason: message,
        retryAfterMs: retryMs,
      });
      return false;
    }
  }
}
