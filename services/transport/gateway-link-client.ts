// Owns the gateway's end of its link: enrollment with a one-time token, and a link that reconnects after a loss. Must not store anything,
// and must not relay data; its owner gets the provider's messages.
import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

import type { Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import {
  gatewayReportType,
  type GatewayConfiguration,
  type GatewayReport,
  type Route,
} from '../wire/gateway-link-messages.ts';
import { normalizeAddress } from './client-address.ts';
import { ControlPeer, maxMessageBytes } from './control-peer.ts';
import type { EnrollmentToken } from './enrollment-token.ts';

import { callLink, handleLink } from './link-calls.ts';
import { connectGateway, runHandshake } from './tls-handshake.ts';
import { linkPath, linkProtocol, proxyKeyOf, tlsRules } from './tls-settings.ts';

const connectTimeoutMs = 10_000;
const renewTimeoutMs = 30_000;
const firstDelayMs = 500;
const maxDelayMs = 30_000;
const serverAuthUsage = '1.3.6.1.5.5.7.3.1';

/** What the gateway stores after enrollment. */
export interface LinkIdentity {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the infrastructure certificate as in the token, lower-case hex. */
  readonly fingerprint: string;
  readonly infrastructureCaPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** An open link. */
export interface LinkSession {
  readonly gatewayId: string;
  /** 16 bytes; part of each PROXY header. */
  readonly linkId: Buffer;
  /** Key for the MAC in PROXY headers. */
  readonly proxyKey: Buffer;
  /** The provider's address that the link reached. Control and data connections go there too, unless the provider names another address. */
  readonly providerAddress: string;
  readonly configuration: GatewayConfiguration;
}

export interface GatewayLinkClientOptions {
  readonly identity: LinkIdentity;
  readonly name: string;
  readonly version: string;
  readonly listeners: readonly { readonly host: string; readonly port: number }[];
  readonly onUp: (session: LinkSession) => void;
  /** Called when the link was lost and after every failed attempt; `retryAfterMs` is the delay of the next attempt. */
  readonly onDown: (error: FarkeepError, retryAfterMs: number) => void;
  readonly onRoutes: (routes: readonly Route[]) => number;
  readonly onConfiguration: (configuration: GatewayConfiguration) => void;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Returns a number between 0 and 1; replaced in tests. */
  readonly random?: () => number;
}

/** Keeps one link open until it is stopped. */
export class GatewayLinkClient {
  readonly #options: GatewayLinkClientOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #peer: ControlPeer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: GatewayLinkClientOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Sends a report; does nothing while the link is down, because the next report has the totals again. */
  report(report: GatewayReport): void {
    this.#peer?.notify(gatewayReportType, report);
  }

  /**
   * Gets a new client certificate for a new key. The provider accepts the old certificate until the first link with the new one.
   * @throws FarkeepError `gateway.link-down`; `call.unknown` from an older provider without this request
   */
  async renewCertificate(publicKeyPem: string, signal: AbortSignal): Promise<string> {
    if (this.#peer === undefined) throw new FarkeepError('gateway.link-down', 'The link to the provider is not up');
    const { certificatePem } = await callLink(
      this.#peer,
      'renew',
      { publicKeyPem },
      { signal, timeoutMs: renewTimeoutMs },
    );
    return certificatePem;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#peer?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!this.#isStopping()) {
      const outcome = { wasUp: false };
      const error = await this.#runLink(() => (outcome.wasUp = true)).catch((thrown: unknown) =>
        toFarkeepError(thrown, 'gateway.link-down'),
      );
      if (this.#isStopping()) return;
      failures = outcome.wasUp ? 1 : failures + 1;
      const delayMs = backOff(failures, this.#options.random ?? Math.random);
      this.#logger.warn('Gateway link down', { code: error.code, reason: error.message, retryAfterMs: delayMs });
      this.#options.onDown(error, delayMs);
      await this.#options.clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Runs one link from connecting to its end. */
  async #runLink(onUp: () => void): Promise<FarkeepError> {
    const { identity, name, version, listeners } = this.#options;
    const { signal } = this.#stopping;
    const socket = await dial(
      identity,
      { ca: identity.infrastructureCaPem, cert: identity.certificatePem, key: identity.privateKeyPem },
      signal,
    );
    try {
      checkProvider(socket, identity);
      const proxyKey = proxyKeyOf(socket);
      const providerAddress = normalizeAddress(socket.remoteAddress);
      const peer = await openLink(socket, this.#logger);
      const closed = new Promise<FarkeepError>((resolve) =>
        peer.onClose((error) =>
          resolve(error ?? new FarkeepError('gateway.link-down', 'The provider closed the link')),
        ),
      );
      peer.onRequest(
        handleLink({
          'push-routes': ({ routes }) => Promise.resolve({ accepted: this.#options.onRoutes(routes) }),
          configure: (configuration) => {
            this.#options.onConfiguration(configuration);
            return Promise.resolve({});
          },
        }),
      );
      const hello = await callLink(
        peer,
        'link-hello',
        { protocol: 1, name, version, listeners: [...listeners] },
        { signal, timeoutMs: connectTimeoutMs },
      );
      this.#peer = peer;
      onUp();
      this.#logger.info('Gateway link up', {
        gatewayId: hello.gatewayId,
        provider: `${identity.host}:${identity.port}`,
      });
      this.#options.onUp({
        gatewayId: hello.gatewayId,
        linkId: Buffer.from(hello.linkId, 'hex'),
        proxyKey,
        providerAddress,
        configuration: hello.configuration,
      });
      return await closed;
    } finally {
      this.#peer = undefined;
      socket.destroy();
    }
  }
}

/**
 * Uses a one-time token: connects, checks that the provider's certificate is the one named in the token, and gets a client certificate for
 * `publicKeyPem`. The private key is not sent.
 * @throws FarkeepError `gateway.token-invalid`, `gateway.unreachable`, `trust.thumbprint-mismatch`, `tls.*`
 */
export async function enrollGateway({
  token,
  name,
  publicKeyPem,
  nowMs,
  signal,
  logger = silentLogger,
}: {
  token: EnrollmentToken;
  name: string;
  publicKeyPem: string;
  nowMs: number;
  signal?: AbortSignal;
  logger?: Logger;
}): Promise<{ gatewayId: string; certificatePem: string; infrastructureCaPem: string }> {
  if (token.expiresAtMs < nowMs) throw new FarkeepError('gateway.token-invalid', 'The enrollment token has expired');
  const socket = await dial(token, {}, signal);
  try {
    const certificate = socket.getPeerX509Certificate();
    // The secret is sent only to the provider that made the token.
    if (certificate === undefined || fingerprintOf(certificate) !== token.fingerprint) {
      throw new FarkeepError(
        'trust.thumbprint-mismatch',
        `${token.host}:${token.port} shows another certificate than the enrollment token names`,
        {
          hint: 'Check the address. If it is right, an attacker may be between gateway and provider. Make a new token at the provider.',
        },
      );
    }
    const peer = await openLink(socket, logger);
    try {
      return await callLink(
        peer,
        'enroll',
        { secret: token.secret, name, publicKeyPem },
        { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) },
      );
    } finally {
      await peer.close();
    }
  } finally {
    socket.destroy();
  }
}

async function dial(
  { host, port }: { host: string; port: number },
  material: { ca?: string; cert?: string; key?: string },
  signal: AbortSignal | undefined,
): Promise<TLSSocket> {
  const target = `${host}:${port}`;
  const raw = await connectGateway({
    host,
    port,
    timeoutMs: connectTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    const failure = toFarkeepError(error);
    throw failure.code === 'gateway.unreachable'
      ? new FarkeepError('gateway.link-down', `The provider cannot be reached: ${failure.message}`, { cause: error })
      : failure;
  });
  return runHandshake(raw, {
    target,
    timeoutMs: connectTimeoutMs,
    signal,
    options: {
      ...tlsRules,
      ...material,
      ALPNProtocols: [linkProtocol],
      // The fingerprint or checkProvider decides before anything is sent.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    },
  });
}

/**
 * Checks that the peer is the provider: it shows the certificate of the token, or one that the provider's infrastructure authority issued
 * for servers. The usage must be checked: the same authority issues the certificates of other gateways, and a gateway must not be able to
 * act as the provider.
 */
function checkProvider(socket: TLSSocket, identity: LinkIdentity): void {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new FarkeepError('tls.failed', 'The provider showed no certificate');
  if (fingerprintOf(certificate) === identity.fingerprint) return;
  const isForServers = (certificate.keyUsage as string[] | undefined)?.includes(serverAuthUsage) ?? false;
  if (socket.authorized && isForServers) return;
  throw new FarkeepError(
    'trust.untrusted',
    `${identity.host}:${identity.port} shows a certificate that is neither the one of the enrollment token nor issued by the provider's infrastructure authority`,
    { hint: 'Check the address; if the provider was set up anew, enroll the gateway again.' },
  );
}

export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

function openLink(socket: TLSSocket, logger: Logger): Promise<ControlPeer> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(`ws://provider${linkPath}`, {
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      handshakeTimeout: connectTimeoutMs,
      followRedirects: false,
    });
    const peer = new ControlPeer(webSocket, { logger });
    webSocket.once('open', () => resolve(peer));
    peer.onClose((error) => reject(error ?? new FarkeepError('gateway.link-down', 'The provider closed the link')));
  });
}

/**
 * Returns the pause before the next try: 0.5 s, doubled after each failure up to 30 s. A part of the pause is random, so that many gateways
 * do not reconnect at the same moment.
 */
function backOff(failures: number, random: () => number): number {
  const ceilingMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 10));
  return Math.round(ceilingMs * (0.5 + random() / 2));
}
