// Owns the service providers domain of the tenant service: show a certificate, add or change a provider by password or invitation, rescan,
// remove.
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
import type { ContactResult, ServiceProviders } from '../providers/service-providers.ts';
import type { AccountColumns } from '../state/provider-store.ts';
import type { TrustPrompts } from '../trust/trust-prompts.ts';

/** Length of the tenant's generated password after an invitation. No person needs to enter this password. */
const generatedPasswordBytes = 32;

export interface ServiceProviderHandlersOptions {
  readonly providers: ServiceProviders;
  readonly dialer: ProviderDialer;
  readonly trustPrompts: TrustPrompts;
  /** No provider has this name any more. */
  readonly onNameGone: (name: string) => void;
}

export function serviceProviderHandlers(
  options: ServiceProviderHandlersOptions,
): DomainHandlers<typeof serviceProvidersDomain> {
  const { providers, dialer, trustPrompts } = options;

  /** The identity under which an address was judged and pinned: the name of its provider, else its host. */
  const identityAt = (host: string, port: number): string => providers.findByAddress(host, port)?.name ?? host;

  const openAt = (
    identity: string,
    { host, port }: { host: string; port: number },
    signal: AbortSignal,
    fingerprint: string | undefined,
  ): Promise<ProviderLink> => {
    const gateway: GatewayAddress = { name: host, host, port };
    return openLink(dialer.linkOptions({ identity, gateway, waitingJob: null, signal, fingerprint }));
  };

  /**
   * Connects to an address that may not be known yet. A given thumbprint is about the provider that is being added. It never changes the
   * pin of another account behind the same gateway.
   */
  const open = (
    { name, host, port }: { name: string; host: string; port: number },
    signal: AbortSignal,
    fingerprint?: string,
  ): Promise<ProviderLink> =>
    openAt(fingerprint === undefined ? identityAt(host, port) : name, { host, port }, signal, fingerprint);

  const save = async (
    link: ProviderLink,
    input: AccountColumns & { readonly password: string },
    fingerprint: string | undefined,
    signal: AbortSignal,
  ): Promise<ServiceProvider> => {
    const { name, host, port } = input;
    const { leafDer } = link.presented;
    const contact = await askOffers(link, signal);
    if (fingerprint === undefined) trustPrompts.refuseRevoked(name, [summarize(leafDer).sha256]);
    const existing = providers.findByAddress(host, port);
    // The pins change only after the provider is saved, so a refused name or a full disk changes none.
    const provider = await providers.add(input, contact);
    const address = `${host}:${port}`;
    if (fingerprint !== undefined) trustPrompts.pinGiven(leafDer, { identity: name, address });
    trustPrompts.adopt(leafDer, {
      from: existing?.name ?? host,
      isShared: existing !== undefined,
      to: name,
      address,
    });
    await dialer.askForNews(link, name, signal);
    return provider;
  };

  /** @throws trust.refused when an accepted certificate was revoked under the new name */
  const checkName = (before: ServiceProvider, name: string): void => {
    providers.refuseTakenName(name, before.id);
    if (name !== before.name) trustPrompts.refuseRevoked(name, trustPrompts.acceptedOf(before.name));
  };

  /** Saves a changed provider, then moves its pins. */
  const replace = async (
    before: ServiceProvider,
    account: AccountColumns & { readonly password?: string | undefined },
    contact?: ContactResult,
  ): Promise<ServiceProvider> => {
    checkName(before, account.name);
    const provider = await providers.replace(before.id, account, contact);
    if (account.name !== before.name) {
      trustPrompts.rename(before.name, account.name, `${account.host}:${account.port}`);
      options.onNameGone(before.name);
    }
    return provider;
  };

  /** Saves a provider that was changed over this link, after the login. */
  const replaceOverLink = async (
    link: ProviderLink,
    before: ServiceProvider,
    account: AccountColumns & { readonly password?: string | undefined },
    { contact, fingerprint }: { contact: ContactResult | undefined; fingerprint: string | undefined },
    signal: AbortSignal,
  ): Promise<ServiceProvider> => {
    const provider = await replace(before, account, contact);
    if (fingerprint !== undefined) {
      const { host, port } = link.gateway;
      trustPrompts.pinGiven(link.presented.leafDer, { identity: provider.name, address: `${host}:${port}` });
    }
    dialer.noteLogin(provider, link);
    await dialer.askForNews(link, provider.name, signal);
    return provider;
  };

  return {
    list: () => ({ providers: providers.list() }),
    probe: async ({ host: typed, port, providerId }, { signal }) => {
      const host = storedHost(typed);
      let presented: PresentedCertificate | undefined;
      const identity = providerId === undefined ? identityAt(host, port) : providers.get(providerId).name;
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
        return await save(link, { ...input, password }, fingerprint, signal);
      } finally {
        await link.channel.peer.close();
      }
    },
    accept: async ({ invitation, name, providerId }, { signal }) => {
      const { fingerprint } = invitation;
      const before = providerId === undefined ? undefined : providers.get(providerId);
      const chosen = name ?? before?.name ?? invitation.provider;
      if (before === undefined) providers.refuseTakenName(chosen);
      else checkName(before, chosen);
      const identity = before?.name ?? chosen;
      const { link, gateway } = await openFirst(invitation.gateways, (address) =>
        open({ name: identity, host: storedHost(address.host), port: address.port }, signal, fingerprint),
      );
      try {
        const login = await logIn(link, invitationLogin(invitation.user, invitation.secret), signal);
        const password = randomBytes(generatedPasswordBytes).toString('base64url');
        if (login.mustSetPassword) await choosePassword(link, password, signal);
        else throw new FarkeepError('protocol.malformed', 'The provider treated the invitation as a password');
        const address = { host: storedHost(gateway.host), port: gateway.port };
        const input = { name: chosen, ...address, userName: invitation.user, password };
        if (before === undefined) return await save(link, input, fingerprint, signal);
        // The provider knows only the new password now, so it is saved even if the connection is lost at this moment.
        const offers = await settled(askOffers(link, signal));
        const { value: contact, error } = offers;
        const renewed = await replaceOverLink(link, before, input, { contact, fingerprint }, signal);
        if (error === undefined) return renewed;
        await providers.noteProblem(before.id, toFarkeepError(error, 'connection.lost'));
        return providers.get(before.id);
      } finally {
        await link.channel.peer.close();
      }
    },
    set: async ({ providerId, fingerprint, password, ...typed }, { signal }) => {
      const before = providers.get(providerId);
      const account = {
        name: typed.name ?? before.name,
        host: typed.host === undefined ? before.host : storedHost(typed.host),
        port: typed.port ?? before.port,
        userName: typed.userName ?? before.userName,
      };
      checkName(before, account.name);
      const isOtherAddress = account.host !== before.host || account.port !== before.port;
      const isOtherAccount = account.userName !== before.userName || password !== undefined;
      if (!isOtherAddress && !isOtherAccount && fingerprint === undefined) {
        return account.name === before.name ? before : replace(before, account);
      }
      const link = isOtherAddress
        ? await openAt(before.name, account, signal, fingerprint)
        : await dialer.openKnown(before, { signal, fingerprint });
      try {
        const { userName } = account;
        const proven = password ?? (await providers.credentials(providerId)).password;
        const login = await logIn(link, { userName, password: proven }, signal);
        if (login.mustSetPassword) throw new FarkeepError('login.refused');
        const contact = await askOffers(link, signal);
        return await replaceOverLink(link, before, { ...account, password }, { contact, fingerprint }, signal);
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
      options.onNameGone(name);
      return {};
    },
  };
}

/** @returns the value, or the error of a rejected promise */
async function settled<Value>(promise: Promise<Value>): Promise<{ value: Value | undefined; error: unknown }> {
  try {
    return { value: await promise, error: undefined };
  } catch (error) {
    return { value: undefined, error };
  }
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
