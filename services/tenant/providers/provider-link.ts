// Owns one connection to a provider: choice of a gateway, five handshake steps, trust, login. Reports each step to the watcher.
// Must not send a user name before the certificate was accepted, and never sends a password (SCRAM).
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { shortThumbprint } from '../../contracts/models/thumbprint.ts';
import type { TrustDecision } from '../../contracts/models/trust.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { isSameHost } from '../../kernel/host-name.ts';
import type { Logger } from '../../kernel/logger.ts';
import { summarize, toPem } from '../../pki/certificate/certificate-summary.ts';
import { connectControl, type ControlChannel, type PresentedCertificate } from '../../transport/control-client.ts';
import { askProvider, type AnyProviderNotification } from '../../wire/control-calls.ts';
import { controlProtocolVersion, knownControlFeatures, type TenantRequestOutput } from '../../wire/control-messages.ts';
import { ScramClient } from '../../wire/scram.ts';
import type { ContactResult } from './service-providers.ts';
import type { RaisedPrompt, TrustPrompts, TrustVerdict } from '../trust/trust-prompts.ts';
import type { TrustRules } from '../trust/trust-settings.ts';

export type LinkStep =
  | 'gateway-connect'
  | 'gateway-forward'
  | 'certificate-presented'
  | 'certificate-checked'
  | 'channel-established'
  | 'login';

export interface LinkWatcher {
  begin?(step: LinkStep, detail: string): void;
  end?(step: LinkStep, detail: string, outcome: 'done' | 'failed' | 'security-warning'): void;
}

export interface GatewayAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface LinkOptions {
  readonly trustPrompts: TrustPrompts;
  /** The name of the wanted provider, for pins and prompts. */
  readonly identity: string;
  readonly gateway: GatewayAddress;
  readonly fingerprint?: string | undefined;
  readonly waitingJob: string | null;
  /** The admin's certificate authorities and revocation lists. */
  readonly rules: TrustRules;
  /** The address to dial for a gateway name that the system cannot resolve. */
  readonly addressOf: (host: string) => string;
  readonly timeoutMs: number;
  readonly software: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly watcher?: LinkWatcher;
  /** Default: a connection over the network. */
  readonly connect?: typeof connectControl;
  /** Receives the certificate before the trust decision. */
  readonly onPresented?: (presented: PresentedCertificate) => void;
}

export interface ProviderLink {
  readonly channel: ControlChannel;
  readonly gateway: GatewayAddress;
  /** The dialed address, also used for data connections. */
  readonly dialed: { readonly host: string; readonly port: number };
  readonly presented: PresentedCertificate;
  readonly decision: TrustDecision;
  readonly hello: TenantRequestOutput<'hello'>;
  /** How far the local clock is ahead of the provider's; undefined for a provider of an earlier version. */
  readonly clockDifferenceMs: number | undefined;
  /** The receiver of this link's notifications passes those about certificates to this function. */
  readonly onCertificateNews?: (
    notification: Extract<AnyProviderNotification, { name: `certificate.${string}` }>,
  ) => void;
}

/** A refused certificate that a person can accept. */
export class TrustRefusal extends FarkeepError {
  readonly question: RaisedPrompt | null;

  constructor(error: FarkeepError, question: RaisedPrompt | null) {
    super(error.code, error.message, {
      hint: error.hint,
      ...(error.details === undefined ? {} : { details: error.details }),
    });
    this.question = question;
  }
}

/** Steps 1 to 5, then hello. @throws FarkeepError of connectControl, TrustRefusal, protocol.version, protocol.feature */
export async function openLink(options: LinkOptions): Promise<ProviderLink> {
  const { gateway, watcher = {}, trustPrompts, identity, fingerprint, waitingJob, signal } = options;
  const { connect = connectControl } = options;
  const address = `${gateway.name} (${gateway.host}:${gateway.port})`;
  const dialed = { host: options.addressOf(gateway.host), port: gateway.port };
  let running: LinkStep = 'gateway-connect';
  let verdict: TrustVerdict | undefined;
  const begin = (step: LinkStep, detail: string): void => {
    running = step;
    watcher.begin?.(step, detail);
  };
  begin('gateway-connect', address);
  try {
    const channel = await connect({
      ...dialed,
      serverName: gateway.host,
      roots: await options.rules.roots(),
      timeoutMs: options.timeoutMs,
      signal,
      logger: options.logger,
      decideTrust: async (presented) => {
        options.onPresented?.(presented);
        watcher.end?.('gateway-forward', 'The provider answers through the gateway', 'done');
        watcher.end?.('certificate-presented', shortThumbprint(summarize(presented.leafDer).sha256), 'done');
        begin('certificate-checked', 'Chain, names, dates, strength, pin');
        verdict = trustPrompts.judge(presented, {
          identity,
          host: gateway.host,
          port: gateway.port,
          fingerprint,
          waitingJob,
          revocation: await options.rules.revocation(presented, signal),
        });
        if (verdict.error === null) return { isAccepted: true };
        return { isAccepted: false, error: new TrustRefusal(verdict.error, verdict.prompt) };
      },
      onStep: (step) => {
        if (step === 'gateway-connected') {
          watcher.end?.('gateway-connect', address, 'done');
          begin('gateway-forward', 'The gateway passes the request on');
        } else if (step === 'certificate-accepted') {
          watcher.end?.('certificate-checked', describeVerdict(verdict), 'done');
          begin('channel-established', 'TLS 1.3');
        }
      },
    });
    const { tls, presented } = channel;
    watcher.end?.('channel-established', `${tls.version}, ${tls.cipher}, ${tls.group}`, 'done');
    if (verdict === undefined) throw new FarkeepError('call.internal', 'No trust decision was made');
    const beforeMs = options.clock.now();
    const hello = await greet(channel, options.software, beforeMs, signal);
    // The middle of the round trip is the best estimate of the moment when the provider read its clock.
    const hereMs = (beforeMs + options.clock.now()) / 2;
    const clockDifferenceMs = hello.clockMs === undefined ? undefined : Math.round(hereMs - hello.clockMs);
    const { decision, reasons } = verdict.result;
    return { channel, gateway, dialed, presented, decision: { decision, reasons }, hello, clockDifferenceMs };
  } catch (error) {
    const failure = error instanceof TrustRefusal ? error : toFarkeepError(error, 'connection.lost');
    watcher.end?.(running, failure.message, failure.code === 'trust.changed' ? 'security-warning' : 'failed');
    throw failure;
  }
}

async function greet(
  { peer }: ControlChannel,
  software: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<TenantRequestOutput<'hello'>> {
  try {
    const hello = await askProvider(
      peer,
      'hello',
      {
        protocol: controlProtocolVersion,
        software,
        features: knownControlFeatures.map((name) => ({ name, isRequired: name === 'sessions' })),
        clockMs: Math.max(0, Math.round(nowMs)),
      },
      { signal },
    );
    // A newer provider answers an older tenant with the provider's number, so the tenant knows that its own version is older.
    if (hello.protocol !== controlProtocolVersion) {
      throw new FarkeepError(
        'protocol.version',
        `The provider speaks version ${hello.protocol} of the control protocol, this side ${controlProtocolVersion}`,
      );
    }
    const supported: readonly string[] = knownControlFeatures;
    const missing = hello.features.find((feature) => feature.isRequired && !supported.includes(feature.name));
    if (missing !== undefined) {
      throw new FarkeepError(
        'protocol.feature',
        `The provider needs "${missing.name}", which this version does not have`,
      );
    }
    return hello;
  } catch (error) {
    peer.terminate();
    throw error;
  }
}

/** @returns the answer of the provider; `mustSetPassword` after a login with the secret of an invitation */
export async function logIn(
  { channel }: ProviderLink,
  credentials: { readonly userName: string; readonly password: string },
  signal: AbortSignal,
  watcher: LinkWatcher = {},
): Promise<TenantRequestOutput<'login.finish'>> {
  watcher.begin?.('login', `${credentials.userName}, bound to this channel`);
  try {
    const scram = new ScramClient({ ...credentials, channelBinding: channel.channelBinding() });
    const first = await askProvider(
      channel.peer,
      'login.start',
      { mechanism: 'SCRAM-SHA-256-PLUS', message: scram.first() },
      { signal },
    );
    const answer = await scram.answer(first.message);
    const final = await askProvider(channel.peer, 'login.finish', { message: answer }, { signal });
    scram.verify(final.message);
    watcher.end?.('login', `${credentials.userName}, bound to this channel`, 'done');
    return final;
  } catch (error) {
    const failure = withUserName(toFarkeepError(error, 'connection.lost'), credentials.userName);
    watcher.end?.('login', failure.message, failure.code.startsWith('security.') ? 'security-warning' : 'failed');
    channel.peer.terminate();
    throw failure;
  }
}

/** The provider does not report whether the user name or the password is wrong. It also does not report whether the account exists. */
function withUserName(error: FarkeepError, userName: string): FarkeepError {
  if (error.code !== 'login.refused') return error;
  const { code, hint, retryable } = error;
  return new FarkeepError(
    code,
    `The provider refused the user name "${userName}" or its password: one of them is wrong`,
    {
      hint,
      retryable,
      cause: error,
    },
  );
}

/** Asks for the provider's offers, for the list of service providers. */
export async function askOffers(link: ProviderLink, signal: AbortSignal): Promise<ContactResult> {
  const { peer } = link.channel;
  const [{ gateways }, { repositories }] = await Promise.all([
    askProvider(peer, 'gateways.list', {}, { signal }),
    askProvider(peer, 'repositories.list', {}, { signal }),
  ]);
  return {
    certificatePem: toPem(link.presented.leafDer),
    trust: link.decision.decision === 'trusted' ? 'trusted' : 'pinned',
    repositories,
    gateways,
  };
}

/**
 * The gateways to dial, in order: those that the provider named last, then the address that the admin entered. Excluded gateways have a
 * reason.
 */
export function gatewayCandidates(provider: ServiceProvider): {
  usable: GatewayAddress[];
  excluded: { gateway: GatewayAddress; reason: string }[];
} {
  const usable: GatewayAddress[] = [];
  const excluded: { gateway: GatewayAddress; reason: string }[] = [];
  for (const { name, host, port, isUsable, reason } of provider.gateways) {
    if (isUsable) usable.push({ name, host, port });
    else excluded.push({ gateway: { name, host, port }, reason: reason ?? 'The gateway is not usable' });
  }
  const isTyped = ({ host, port }: GatewayAddress): boolean =>
    port === provider.port && isSameHost(host, provider.host);
  if (!usable.some(isTyped) && !excluded.some(({ gateway }) => isTyped(gateway))) {
    usable.push({ name: provider.host, host: provider.host, port: provider.port });
  }
  return { usable, excluded };
}

function describeVerdict(verdict: TrustVerdict | undefined): string {
  if (verdict === undefined) return 'Accepted';
  const by = verdict.result.decision === 'pinned' ? 'pin' : 'chain';
  return `Trusted by ${by}: ${verdict.result.reasons.join(', ')}`;
}
