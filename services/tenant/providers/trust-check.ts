// Owns checking the trust in a gateway on request, and accepting a certificate by its thumbprint before a provider is added. Asks nobody,
// and never logs in.
import type { CommandOutput } from '../../contracts/contract.ts';
import type { trustDomain } from '../../contracts/rpc/trust.ts';
import type { PinStore } from '../../certstore/pin-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { canonicalHost } from '../../kernel/host-name.ts';
import { cleanThumbprint, thumbprintOf, type Thumbprint } from '../../pki/certificate/thumbprint.ts';
import { checkServer } from '../../pki/trust/server-check.ts';
import type { TrustPrompts } from '../trust/trust-prompts.ts';
import type { TrustRules } from '../trust/trust-settings.ts';
import type { ProviderDialer } from './provider-dialer.ts';
import { openLink } from './provider-link.ts';
import type { ServiceProviders } from './service-providers.ts';

interface Target {
  readonly host: string;
  readonly port: number;
}

export interface TrustCheckOptions {
  readonly providers: Pick<ServiceProviders, 'findByAddress'>;
  readonly dialer: Pick<ProviderDialer, 'linkOptions' | 'addressOf'>;
  readonly pins: Pick<PinStore, 'forDecision'>;
  readonly prompts: Pick<TrustPrompts, 'pinGiven'>;
  readonly rules: TrustRules;
  readonly clock: Clock;
}

export class TrustCheck {
  readonly #options: TrustCheckOptions;

  constructor(options: TrustCheckOptions) {
    this.#options = options;
  }

  /** Decides as a connection would, by pins, authorities and revocation, and changes nothing. */
  async check(
    { host: typed, port, fingerprint }: Target & { readonly fingerprint?: string | undefined },
    signal: AbortSignal,
  ): Promise<CommandOutput<typeof trustDomain, 'check'>> {
    const host = storedHost(typed);
    const { dialer, pins, rules, clock } = this.#options;
    const identity = this.#identityAt({ host, port });
    const result = await checkServer({
      ...{ host: dialer.addressOf(host), port, name: host, clock, signal },
      extraRoots: await rules.roots(),
      fingerprint: fingerprint === undefined ? undefined : thumbprintIn(fingerprint),
      pins: pins.forDecision(identity),
      thumbprintAdvice: 'If it is equal, enter it and check again.',
      revocation: ({ isAuthorizedByOpenSsl: isAuthorized, ...presented }) =>
        rules.revocation({ ...presented, isAuthorized }, signal),
    });
    return { ...result, identity, findings: [...result.findings], advice: result.advice ?? null };
  }

  /** Pins the certificate that the gateway shows if it has the thumbprint. @throws trust.thumbprint-mismatch, trust.refused */
  async accept(
    { host: typed, port, fingerprint }: Target & { readonly fingerprint: string },
    signal: AbortSignal,
  ): Promise<CommandOutput<typeof trustDomain, 'acceptInAdvance'>> {
    const host = storedHost(typed);
    thumbprintIn(fingerprint);
    const identity = this.#identityAt({ host, port });
    const gateway = { name: host, host, port };
    const link = await openLink(
      this.#options.dialer.linkOptions({ identity, gateway, waitingJob: null, signal, fingerprint }),
    );
    await link.channel.peer.close();
    const { leafDer } = link.presented;
    this.#options.prompts.pinGiven(leafDer, { identity, address: `${host}:${port}` });
    return { identity, sha256: thumbprintOf(leafDer) };
  }

  /** The name under which the certificate of an address is pinned: the name of its provider, else its host. */
  #identityAt({ host, port }: Target): string {
    return this.#options.providers.findByAddress(host, port)?.name ?? host;
  }
}

/** The form in which addresses of providers are stored. */
function storedHost(host: string): string {
  return canonicalHost(host)?.value ?? host;
}

function thumbprintIn(text: string): Thumbprint {
  try {
    return cleanThumbprint(text);
  } catch (error) {
    if (!(error instanceof FarkeepError)) throw error;
    throw new FarkeepError(error.code, error.message, { hint: error.hint, field: 'fingerprint', cause: error });
  }
}
