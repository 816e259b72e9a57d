// Owns reaching a provider that is already known: gateways in order, trust, login with the saved password, its offers refreshed.
// One failed gateway leads to the next; a refused certificate or login does not.
import type { ServiceProvider } from '../contracts/models/tenant.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import {
  askOffers,
  gatewayCandidates,
  logIn,
  openLink,
  type GatewayAddress,
  type LinkOptions,
  type LinkWatcher,
  type ProviderLink,
} from './provider-link.ts';
import type { ServiceProviders } from './service-providers.ts';
import type { TrustDesk } from './trust-desk.ts';

/** After these the next gateway may do better. */
const gatewayFailures = new Set([
  'gateway.unreachable',
  'gateway.provider-unreachable',
  'tls.failed',
  'connection.lost',
  'connection.refused-limit',
  'call.timeout',
]);

export interface DialerOptions {
  readonly providers: ServiceProviders;
  readonly trustDesk: TrustDesk;
  readonly extraRoots: readonly string[];
  readonly connectTimeoutMs: number;
  readonly software: string;
  readonly logger: Logger;
}

export interface DialWatcher extends LinkWatcher {
  excluded?(gateway: GatewayAddress, reason: string): void;
  failed?(gateway: GatewayAddress, error: FarkeepError): void;
}

export class ProviderDialer {
  readonly #options: DialerOptions;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** The rules for one connection, also to a provider that is not known yet. */
  linkOptions(
    target: Pick<LinkOptions, 'identity' | 'gateway' | 'waitingJob' | 'signal'> &
      Partial<Pick<LinkOptions, 'fingerprint' | 'watcher' | 'onPresented'>>,
  ): LinkOptions {
    const { trustDesk, extraRoots, connectTimeoutMs, software, logger } = this.#options;
    return { ...target, trustDesk, extraRoots, timeoutMs: connectTimeoutMs, software, logger };
  }

  /** Connects and logs in. @throws what the last gateway failed with; gateway.excluded when the certificate covers none */
  async dial(
    provider: ServiceProvider,
    { waitingJob, signal, watcher = {} }: { waitingJob: string | null; signal: AbortSignal; watcher?: DialWatcher },
  ): Promise<ProviderLink> {
    const { providers } = this.#options;
    try {
      const link = await this.#openFirst(provider, { waitingJob, signal, watcher });
      await logIn(link, providers.credentials(provider.id), signal, watcher);
      providers.noteContact(provider.id, await askOffers(link, signal));
      return link;
    } catch (error) {
      const known = toFarkeepError(error, 'connection.lost');
      if (known.code !== 'call.cancelled') providers.noteProblem(provider.id, known.message);
      throw error;
    }
  }

  /** For a short question. The connection is closed afterwards, whatever happened. */
  async withLink<Result>(
    provider: ServiceProvider,
    signal: AbortSignal,
    work: (link: ProviderLink) => Promise<Result>,
  ): Promise<Result> {
    const link = await this.dial(provider, { waitingJob: null, signal });
    try {
      return await work(link);
    } finally {
      await link.channel.peer.close();
    }
  }

  async #openFirst(
    provider: ServiceProvider,
    { waitingJob, signal, watcher }: { waitingJob: string | null; signal: AbortSignal; watcher: DialWatcher },
  ): Promise<ProviderLink> {
    const { usable, excluded } = gatewayCandidates(provider);
    for (const { gateway, reason } of excluded) watcher.excluded?.(gateway, reason);
    const failures: string[] = excluded.map(({ gateway, reason }) => `${gateway.name}: ${reason}`);
    let last: FarkeepError | undefined;
    for (const gateway of usable) {
      try {
        return await openLink(this.linkOptions({ identity: provider.name, gateway, waitingJob, signal, watcher }));
      } catch (error) {
        const known = toFarkeepError(error, 'connection.lost');
        const isExcludedByName = known.code === 'trust.refused' && hasReason(known, 'name.not-covered');
        if (!gatewayFailures.has(known.code) && !isExcludedByName) throw known;
        last = isExcludedByName ? new FarkeepError('gateway.excluded', known.message, { cause: known }) : known;
        failures.push(`${gateway.name}: ${known.message}`);
        watcher.failed?.(gateway, last);
      }
    }
    if (usable.length === 0 || (last?.code === 'gateway.excluded' && usable.length === 1)) {
      throw new FarkeepError(
        'gateway.excluded',
        `No gateway of "${provider.name}" can be used: ${failures.join('; ')}`,
        {
          details: { gateways: failures },
        },
      );
    }
    if (last !== undefined && failures.length === 1) throw last;
    throw new FarkeepError('gateway.none-usable', `No gateway of "${provider.name}" answers: ${failures.join('; ')}`, {
      details: { gateways: failures },
    });
  }
}

function hasReason(error: FarkeepError, reason: string): boolean {
  const reasons = error.details?.['reasons'];
  return Array.isArray(reasons) && reasons.includes(reason);
}
