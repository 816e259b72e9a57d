// Owns the service providers domain of the tenant service: show a certificate, add a provider by password or invitation, rescan, remove.
// Must not send a password: only a SCRAM proof is sent. The database stores the encrypted password.
import { randomBytes } from 'node:crypto';
import type { DomainHandlers } from '../../contracts/contract.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import type { TrustDecision, TlsInfo } from '../../contracts/models/trust.ts';
import type { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { canonicalHost } from '../../kernel/host-name.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { invitationLogin } from '../../wire/invitation-login.ts';
import { makeScramVerifier } from '../../wire/scram.ts';
import type { PresentedCertificate } from '../../transport/control-client.ts';
import type { ProviderDialer } from '../providers/provider-dialer.ts';
import { askOffers, logIn, openLink, type GatewayAddress, type ProviderLink } from '../providers/provider-link.ts';
import type { ServiceProviders } from '../providers/service-providers.ts';
import type { TrustPrompts } from '../trust/trust-prompts.ts';

/** Length of the tenant's generated password after an invitation. No person needs to enter this password. */
const generatedPasswordBytes = 32;

export interface ServiceProviderHandlersOptions {
  readonly providers: ServiceProviders;
  readonly dialer: ProviderDialer;
  readonly trustPrompts: TrustPrompts;
  readonly onRemoved: (name: string) => void;
}

interface NewProvider {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly userName: string;
}

export function serviceProviderHandlers(
  options: ServiceProviderHandlersOptions,
): DomainHandlers<typeof serviceProvidersDomain> {
  const { providers, dialer, trustPrompts } = options;

  /** The identity under which an address was judged and pinned: the name of its provider, else its host. */
  const identityAt = (host: string, port: number): string => providers.findByAddress(host, port)?.name ?? host;

  /**
   * Connects to an address that may not be known yet. A given thumbprint is about the provider that is being added. It never changes the
   * pin of another account behind the same gateway.
   */
  const open = (
    { name, host, port }: { name: string; host: string; port: number },
    signal: AbortSignal,
    fingerprint?: string,
  ): Promise<ProviderLink> => {
    const identity = fingerprint === undefined ? identityAt(host, port) : name;
    const gateway: GatewayAddress = { name: host, host, port };
    return openLink(dialer.linkOptions({ identity, gateway, waitingJob: null, signal, fingerprint }));
  };

  const save = async (
    link: ProviderLink,
    input: NewProvider,
    password: string,
    signal: AbortSignal,
  ): Promise<ServiceProvider> => {
    const contact = await askOffers(link, signal);
    providers.refuseTakenName(input.name);
    const { host, port } = input;
    const existing = providers.findByAddress(host, port);
    trustPrompts.adopt(link.presented.leafDer, {
      from: existing?.name ?? host,
      isShared: existing !== undefined,
      to: input.name,
      address: `${host}:${port}`,
    });
    const provider = await providers.add({ ...input, password }, contact);
    await dialer.askForNews(link, input.name, signal);
    return provider;
  };

  return {
    list: () => ({ providers: providers.list() }),
    probe: async ({ host: typed, port }, { signal }) => {
      const host = storedHost(typed);
      let presented: PresentedCertificate | undefined;
      const identity = identityAt(host, port);
      try {
        const link = await openLink(
          dialer.linkOptions({
            identity,
            gateway: { name: host, host, port },
            waitingJob: null,
            signal,
            onPresented: (shown) => (presented = shown),
          }),
        );
        await link.channel.peer.close();
        return describeProbe(link.decision, link.presented, null);
      } catch (error) {
        const failed = toFarkeepError(error);
        if (presented === undefined || !failed.code.startsWith('trust.')) throw error;
        const reasons = failed.details?.['reasons'];
        const decision = {
          decision: 'refused' as const,
          reasons: (Array.isArray(reasons) ? reasons : []) as TrustDecision['reasons'],
        };
        const { sha256 } = summarize(presented.leafDer);
        const prompt = trustPrompts
          .prompts()
          .find((candidate) => candidate.identity === identity && candidate.presented.sha256 === sha256);
        return describeProbe(decision, presented, prompt ?? null);
      }
    },
    add: async ({ password, fingerprint, ...typed }, { signal }) => {
      const input = { ...typed, host: storedHost(typed.host) };
      providers.refuseTakenName(input.name);
      const link = await open(input, signal, fingerprint);
      try {
        const login = await logIn(link, { userName: input.userName, password }, signal);
        if (login.mustSetPassword) throw new FarkeepError('login.refused');
        return await save(link, input, password, signal);
      } finally {
        await link.channel.peer.close();
      }
    },
    accept: async ({ invitation, name }, { signal }) => {
      const chosen = name ?? invitation.provider;
      providers.refuseTakenName(chosen);
      const { link, gateway } = await openFirst(invitation.gateways, (address) =>
        open({ name: chosen, host: storedHost(address.host), port: address.port }, signal, invitation.fingerprint),
      );
      try {
        const login = await logIn(link, invitationLogin(invitation.user, invitation.secret), signal);
        const password = randomBytes(generatedPasswordBytes).toString('base64url');
        if (login.mustSetPassword) await choosePassword(link, password, signal);
        else throw new FarkeepError('protocol.malformed', 'The provider treated the invitation as a password');
        const input = { name: chosen, host: storedHost(gateway.host), port: gateway.port, userName: invitation.user };
        return await save(link, input, password, signal);
      } finally {
        await link.channel.peer.close();
      }
    },
    rescan: async ({ providerId }, { signal }) => {
      await dialer.withLink(providers.get(providerId), signal, () => Promise.resolve());
      return providers.get(providerId);
    },
    remove: async ({ providerId }) => {
      const { name } = providers.get(providerId);
      await providers.remove(providerId);
      trustPrompts.withdraw(name);
      options.onRemoved(name);
      return {};
    },
  };
}

/** Returns one spelling of the host for storage, pins and dialing. */
function storedHost(host: string): string {
  return canonicalHost(host)?.value ?? host;
}

/** This machine computes the verifier, so the password is never sent. */
async function choosePassword({ channel }: ProviderLink, password: string, signal: AbortSignal): Promise<void> {
  const verifier = await makeScramVerifier(password);
  await askProvider(
    channel.peer,
    'login.set-password',
    {
      salt: verifier.salt.toString('base64'),
      iterations: verifier.iterations,
      storedKey: verifier.storedKey.toString('base64'),
      serverKey: verifier.serverKey.toString('base64'),
    },
    { signal },
  );
}

async function openFirst<Address extends { host: string; port: number }>(
  gateways: readonly Address[],
  open: (gateway: Address) => Promise<ProviderLink>,
): Promise<{ link: ProviderLink; gateway: Address }> {
  let last: FarkeepError | undefined;
  for (const gateway of gateways) {
    try {
      return { link: await open(gateway), gateway };
    } catch (error) {
      last = toFarkeepError(error, 'connection.lost');
      if (!last.code.startsWith('gateway.')) throw last;
    }
  }
  throw last ?? new FarkeepError('gateway.none-usable', 'The invitation names no gateway');
}

function describeProbe<Prompt>(
  decision: TrustDecision,
  presented: PresentedCertificate,
  prompt: Prompt,
): TrustDecision & { certificate: ReturnType<typeof summarize>; tls: TlsInfo; prompt: Prompt } {
  return { ...decision, certificate: summarize(presented.leafDer), tls: presented.tls, prompt };
}
