// Owns reaching a known provider: gateways in order, trust, login with the saved password, and refreshing the provider's offers. After a
// failed gateway, tries the next gateway. Must not try another gateway after a refused certificate or login.
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

/** After one of these errors, the next gateway may succeed. */
const gatewayFailures = new Set([
  'gateway.unreachable',
  'gateway.provider-unreachable',
  'tls.failed',
  'connection.lost',
  'connection.refused-limit',
  'call.timeout',
]);

/**
 * How long a refused login stops background questions to this provider. A provider counts refusals for each address (login-throttle.ts):
 * without this limit, one outdated password would soon block the other accounts of this tenant.
 */
const refusalMemoryMs = 15 * 60_000;

/** After a failure, a gateway is tried last for this time, whatever load the provider reports. */
const troubleMemoryMs = 10 * 60_000;
const maxTroubled = 1000;

export interface DialerOptions {
  readonly providers: ServiceProviders;
  readonly trustPrompts: TrustPrompts;
  readonly rules: TrustRules;
  readonly news: RolloverReceiver;
  /** Addresses of names that the system cannot resolve. */
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

  /** Time of the last failure, by "host:port". */
  readonly #troubled = new Map<string, number>();

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * Called when the gateway did not answer, or when an attempt through it failed. Without this, a gateway that accepts and drops
   * connections would get every next attempt.
   */
  noteTrouble(gateway: Pick<GatewayAddress, 'host' | 'port'>): void {
    if (this.#troubled.size >= maxTroubled) this.#troubled.clear();
    this.#troubled.set(keyOf(gateway), this.#options.clock.now());
  }

  #isTroubled(gateway: GatewayAddress): boolean {
    const atMs = this.#troubled.get(keyOf(gateway));
    return atMs !== undefined && Math.abs(this.#options.clock.now() - atMs) < troubleMemoryMs;
  }

  /** The rules for one connection, also to a provider that was not added yet. */
  linkOptions(
    target: Pick<LinkOptions, 'identity' | 'gateway' | 'waitingJob' | 'signal'> &
      Partial<Pick<LinkOptions, 'fingerprint' | 'watcher' | 'onPresented'>>,
  ): LinkOptions {
    const { trustPrompts, rules, connectTimeoutMs, software, clock, logger } = this.#options;
    const addressOf = (host: string): string => this.addressOf(host);
    return { ...target, trustPrompts, rules, addressOf, timeoutMs: connectTimeoutMs, software, clock, logger };
  }

  /** The address to dial for the name of a gateway. The certificate has to cover the name, not the address. */
  addressOf(host: string): string {
    const { hostAddresses } = this.#options;
    return hostAddresses[host.toLowerCase()] ?? hostAddresses[canonicalHost(host)?.value ?? host] ?? host;
  }

  /** Asks for an announced certificate, for a provider that was added just now. Call this after the login. */
  async askForNews(link: ProviderLink, identity: string, signal: AbortSignal): Promise<void> {
    await this.#options.news.ask(link, identity, signal);
  }

  /** Opens the first gateway of a known provider that answers, without a login. The caller closes the link. @throws as `dial` */
  openKnown(
    provider: ServiceProvider,
    { signal, fingerprint }: { signal: AbortSignal; fingerprint: string | undefined },
  ): Promise<ProviderLink> {
    return this.#openFirst(provider, { waitingJob: null, signal, watcher: {}, fingerprint });
  }

  /** Called after a login with new values: the saved values are no longer those that the provider refused. */
  noteLogin({ id, name }: ServiceProvider, link: ProviderLink): void {
    this.#refusals.delete(id);
    this.#options.clockWatch.note(name, link.clockDifferenceMs);
  }

  /** Connects and logs in. @throws the error of the last gateway; gateway.excluded when the certificate covers no gateway */
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
      const failure = toFarkeepError(error, 'connection.lost');
      if (failure.code !== 'call.canceled') await providers.noteProblem(provider.id, failure);
      if (failure.code === 'login.refused') {
        this.#refusals.set(provider.id, { error: failure, atMs: this.#options.clock.now() });
      }
      throw error;
    }
  }

  /**
   * Asks for the usage through an open link. The certificate of this link is not recorded again, because a newer link may have seen a
   * different certificate.
   */
  async askUsage({ id }: ServiceProvider, link: ProviderLink, signal: AbortSignal): Promise<void> {
    const { repositories } = await askOffers(link, signal);
    await this.#options.providers.noteRepositories(id, repositories);
  }

  /** Opens a connection for a short question. The connection is always closed afterwards. */
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

  /**
   * Does the same as `withLink`, for a question that is asked of every provider. @throws a recent login refusal, without asking the
   * provider again
   */
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
    {
      waitingJob,
      signal,
      watcher,
      fingerprint,
    }: { waitingJob: string | null; signal: AbortSignal; watcher: DialWatcher; fingerprint?: string | undefined },
  ): Promise<ProviderLink> {
    const { usable, excluded } = gatewayCandidates(provider);
    for (const { gateway, reason } of excluded) watcher.excluded?.(gateway, reason);
    const exclusions: string[] = [];
    const failures: string[] = [];
    let last: FarkeepError | undefined;
    // Excluded gateways come last, only to read their certificate: a new certificate that covers them may be in service by now.
    const candidates = [
      ...usable.filter((gateway) => !this.#isTroubled(gateway)).map((gateway) => ({ gateway, reason: null })),
      ...usable.filter((gateway) => this.#isTroubled(gateway)).map((gateway) => ({ gateway, reason: null })),
      ...excluded.map(({ gateway, reason }) => ({ gateway, reason })),
    ];
    for (const { gateway, reason } of candidates) {
      try {
        const { name: identity } = provider;
        return await openLink(this.linkOptions({ identity, gateway, waitingJob, signal, watcher, fingerprint }));
      } catch (error) {
        const failure = toFarkeepError(error, 'connection.lost');
        const isExcluded = failure.code === 'trust.refused' && hasReason(failure, 'name.not-covered');
        if (!isExcluded && !gatewayFailures.has(failure.code)) throw failure;
        if (isExcluded || reason !== null) {
          exclusions.push(`${gateway.name}: ${reason ?? failure.message}`);
          if (reason === null) {
            watcher.failed?.(gateway, new FarkeepError('gateway.excluded', failure.message, { cause: failure }));
          }
        } else {
          last = failure;
          this.noteTrouble(gateway);
          failures.push(`${gateway.name}: ${failure.message}`);
          watcher.failed?.(gateway, failure);
        }
      }
    }
    const gateways = [...exclusions, ...failures];
    // Perhaps only the excluded gateways answer, so the error names the excluded gateways. An admin has to change the certificate or a
    // name.
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
