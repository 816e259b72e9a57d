// Owns reaching a provider that is already known: gateways in order, trust, login with the saved password, its offers refreshed.
// One failed gateway leads to the next; a refused certificate or login does not.
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { canonicalHost } from '../../kernel/host-name.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ClockWatch } from './clock-watch.ts';
import type { RolloverReceiver, NewsWatcher } from './rollover-receiver.ts';
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
import type { TrustPrompts } from '../trust/trust-prompts.ts';
import type { TrustRules } from '../trust/trust-settings.ts';

/** After these the next gateway may do better. */
const gatewayFailures = new Set([
  'gateway.unreachable',
  'gateway.provider-unreachable',
  'tls.failed',
  'connection.lost',
  'connection.refused-limit',
  'call.timeout',
]);

/**
 * So long a refused login is not tried again by a question that nobody asked about this provider. A provider counts refusals for each address
 * (login-throttle.ts): one password that is out of date would soon shut out the other accounts of this tenant.
 */
const refusalMemoryMs = 15 * 60_000;

/** After trouble, a gateway is tried last for this time, whatever load the provider reports. */
const troubleMemoryMs = 10 * 60_000;
const maxTroubled = 1000;

export interface DialerOptions {
  readonly providers: ServiceProviders;
  readonly trustPrompts: TrustPrompts;
  readonly rules: TrustRules;
  readonly news: RolloverReceiver;
  /** Addresses of names that the system does not resolve. */
  readonly hostAddresses: Readonly<Record<string, string>>;
  readonly connectTimeoutMs: number;
  readonly software: string;
  readonly clockWatch: ClockWatch;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DialWatcher extends LinkWatcher, NewsWatcher {
  excluded?(gateway: GatewayAddress, reason: string): void;
  failed?(gateway: GatewayAddress, error: FarkeepError): void;
}

export class ProviderDialer {
  readonly #options: DialerOptions;
  readonly #refusals = new Map<string, { readonly error: FarkeepError; readonly atMs: number }>();

  /** Time of the last trouble, by "host:port". */
  readonly #troubled = new Map<string, number>();

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * Called when the gateway did not answer, or an attempt through it broke. A gateway that accepts and drops connections must not get every
   * next attempt.
   */
  noteTrouble(gateway: Pick<GatewayAddress, 'host' | 'port'>): void {
    if (this.#troubled.size >= maxTroubled) this.#troubled.clear();
    this.#troubled.set(keyOf(gateway), this.#options.clock.now());
  }

  #isTroubled(gateway: GatewayAddress): boolean {
    const atMs = this.#troubled.get(keyOf(gateway));
    return atMs !== undefined && Math.abs(this.#options.clock.now() - atMs) < troubleMemoryMs;
  }

  /** The rules for one connection, also to a provider that is not known yet. */
  linkOptions(
    target: Pick<LinkOptions, 'identity' | 'gateway' | 'waitingJob' | 'signal'> &
      Partial<Pick<LinkOptions, 'fingerprint' | 'watcher' | 'onPresented'>>,
  ): LinkOptions {
    const { trustPrompts, rules, connectTimeoutMs, software, clock, logger } = this.#options;
    const addressOf = (host: string): string => this.addressOf(host);
    return { ...target, trustPrompts, rules, addressOf, timeoutMs: connectTimeoutMs, software, clock, logger };
  }

  /** What to dial for the name of a gateway; the name itself is what the certificate has to cover. */
  addressOf(host: string): string {
    const { hostAddresses } = this.#options;
    return hostAddresses[host.toLowerCase()] ?? hostAddresses[canonicalHost(host)?.value ?? host] ?? host;
  }

  /** After the login to a provider that got its name just now. */
  async askForNews(link: ProviderLink, identity: string, signal: AbortSignal): Promise<void> {
    await this.#options.news.ask(link, identity, signal);
  }

  /** Connects and logs in. @throws what the last gateway failed with; gateway.excluded when the certificate covers none */
  async dial(
    provider: ServiceProvider,
    { waitingJob, signal, watcher = {} }: { waitingJob: string | null; signal: AbortSignal; watcher?: DialWatcher },
  ): Promise<ProviderLink> {
    const { providers, news } = this.#options;
    try {
      const link = await this.#openFirst(provider, { waitingJob, signal, watcher });
      await logIn(link, await providers.credentials(provider.id), signal, watcher);
      const [offers] = await Promise.all([askOffers(link, signal), news.ask(link, provider.name, signal, watcher)]);
      this.#options.clockWatch.note(provider.name, link.clockDifferenceMs);
      await providers.noteContact(provider.id, offers);
      this.#refusals.delete(provider.id);
      return {
        ...link,
        onCertificateNews: (notification) => void news.receive(link, provider.name, notification, watcher),
      };
    } catch (error) {
      const known = toFarkeepError(error, 'connection.lost');
      if (known.code !== 'call.canceled') await providers.noteProblem(provider.id, known.message);
      if (known.code === 'login.refused') {
        this.#refusals.set(provider.id, { error: known, atMs: this.#options.clock.now() });
      }
      throw error;
    }
  }

  /** Over a link that stands. Its certificate is not noted again: a newer link may have met another one. */
  async askUsage({ id }: ServiceProvider, link: ProviderLink, signal: AbortSignal): Promise<void> {
    const { repositories } = await askOffers(link, signal);
    await this.#options.providers.noteRepositories(id, repositories);
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

  /** As withLink, for what goes to every provider. @throws the last refusal, without asking, while it is fresh */
  async askAmongOthers<Result>(
    provider: ServiceProvider,
    signal: AbortSignal,
    work: (link: ProviderLink) => Promise<Result>,
  ): Promise<Result> {
    const refusal = this.#refusals.get(provider.id);
    if (refusal !== undefined && this.#options.clock.now() - refusal.atMs < refusalMemoryMs) throw refusal.error;
    return this.withLink(provider, signal, work);
  }

  async #openFirst(
    provider: ServiceProvider,
    { waitingJob, signal, watcher }: { waitingJob: string | null; signal: AbortSignal; watcher: DialWatcher },
  ): Promise<ProviderLink> {
    const { usable, excluded } = gatewayCandidates(provider);
    for (const { gateway, reason } of excluded) watcher.excluded?.(gateway, reason);
    const exclusions: string[] = [];
    const failures: string[] = [];
    let last: FarkeepError | undefined;
    // The excluded ones come last, for a look at the certificate only: another one that covers them may be in service by now.
    const candidates = [
      ...usable.filter((gateway) => !this.#isTroubled(gateway)).map((gateway) => ({ gateway, reason: null })),
      ...usable.filter((gateway) => this.#isTroubled(gateway)).map((gateway) => ({ gateway, reason: null })),
      ...excluded.map(({ gateway, reason }) => ({ gateway, reason })),
    ];
    for (const { gateway, reason } of candidates) {
      try {
        return await openLink(this.linkOptions({ identity: provider.name, gateway, waitingJob, signal, watcher }));
      } catch (error) {
        const known = toFarkeepError(error, 'connection.lost');
        const isExcluded = known.code === 'trust.refused' && hasReason(known, 'name.not-covered');
        if (!isExcluded && !gatewayFailures.has(known.code)) throw known;
        if (isExcluded || reason !== null) {
          exclusions.push(`${gateway.name}: ${reason ?? known.message}`);
          if (reason === null) {
            watcher.failed?.(gateway, new FarkeepError('gateway.excluded', known.message, { cause: known }));
          }
        } else {
          last = known;
          this.noteTrouble(gateway);
          failures.push(`${gateway.name}: ${known.message}`);
          watcher.failed?.(gateway, known);
        }
      }
    }
    const gateways = [...exclusions, ...failures];
    // Those that would answer may well be the excluded ones: that is what somebody has to change.
    if (exclusions.length > 0) {
      throw new FarkeepError(
        'gateway.excluded',
        `No gateway of "${provider.name}" can be used: ${gateways.join('; ')}`,
        { details: { gateways, excluded: exclusions }, retryable: last !== undefined },
      );
    }
    if (last !== undefined && failures.length === 1) throw last;
    throw new FarkeepError('gateway.none-usable', `No gateway of "${provider.name}" answers: ${gateways.join('; ')}`, {
      details: { gateways },
    });
  }
}

function keyOf({ host, port }: Pick<GatewayAddress, 'host' | 'port'>): string {
  return `${host.toLowerCase()}:${port}`;
}

function hasReason(error: FarkeepError, reason: string): boolean {
  const reasons = error.details?.['reasons'];
  return Array.isArray(reasons) && reasons.includes(reason);
}
