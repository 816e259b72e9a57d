// Owns the provider's end of the gateway links: enrollment, routes, reports, and the keys that prove a PROXY header. Must not store
// gateways or issue certificates; the caller provides functions for both.
import { createHash, randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

import { systemClock, type Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import {
  gatewayReportSchema,
  gatewayReportType,
  type GatewayConfiguration,
  type GatewayReport,
  type Route,
} from '../wire/gateway-link-messages.ts';
import { hashTicket, type PreambleKind } from '../wire/preamble.ts';
import { linkIdLengthBytes, type ReceivedProxyHeader } from '../wire/proxy-header.ts';
import { ControlPeer } from './control-peer.ts';
import { hashEnrollmentSecret } from './enrollment-token.ts';
import { callLink, handleLink, type LinkInput, type LinkRequestName } from './link-calls.ts';
import { LinkListener, type IncomingLink } from './link-listener.ts';
import { ProxyKeys } from './proxy-keys.ts';
import { checkIdentity, identityContext, type ServerIdentity } from './server-identity.ts';
import { proxyKeyOf } from './tls-settings.ts';

export interface KnownGateway {
  readonly gatewayId: string;
  readonly name: string;
}

export interface EnrollmentRequest {
  /** `hashEnrollmentSecret` of the token's secret. */
  readonly secretHash: string;
  /** The gateway's name, chosen by its admin. */
  readonly name: string;
  readonly publicKeyPem: string;
  readonly remoteAddress: string;
}

export interface ConnectedGateway extends KnownGateway {
  readonly remoteAddress: string;
  readonly version: string;
  /** The addresses on which the gateway listens for tenants, as the gateway reports them. */
  readonly listeners: readonly { readonly host: string; readonly port: number }[];
  readonly report: GatewayReport | undefined;
}

export interface RouteRequest {
  /** 32 bytes. The gateway gets only its hash. */
  readonly ticket: Buffer;
  readonly kind: PreambleKind;
  /** Address of the mover, as seen from the gateway; default: the address to which the gateway opened its link. */
  readonly host?: string;
  readonly port: number;
  /** 60,000 ms by default, which is also the maximum. */
  readonly lifetimeMs?: number;
}

export interface GatewayLinkServerOptions {
  readonly host?: string;
  readonly port?: number;
  /** Certificate of this listener, issued by the infrastructure authority or pinned by the enrollment tokens. */
  readonly identity: ServerIdentity;
  /** The authority that issued the gateways' client certificates. */
  readonly infrastructureCaPem: string;
  /**
   * Consumes the token and issues a client certificate (EKU clientAuth) for the key, in one step; stores the certificate for `identify`.
   * @throws FarkeepError `gateway.token-invalid` when the hash is unknown, used or too old
   */
  readonly enroll: (request: EnrollmentRequest) => Promise<{ gatewayId: string; certificatePem: string }>;
  /**
   * Issues and stores another client certificate for an enrolled gateway; the old one stays valid until `identify` was called for the new
   * one.
   * @throws FarkeepError `certificate.malformed`, `certificate.weak`
   */
  readonly renew: (gateway: KnownGateway, publicKeyPem: string) => Promise<string>;
  /** Returns the gateway with this client certificate (SHA-256 of its DER, lower-case hex); undefined for a removed or unknown gateway. */
  readonly identify: (fingerprint: string) => KnownGateway | undefined;
  readonly configurationFor: (gateway: KnownGateway) => GatewayConfiguration;
  readonly onConnected?: (gateway: ConnectedGateway) => void;
  readonly onDisconnected?: (gateway: KnownGateway) => void;
  readonly onReport?: (gateway: KnownGateway, report: GatewayReport) => void;
  /**
   * Whether a gateway's link came from this address before (`countingKey`). Such an address gets reserved places when unknown clients take
   * all others.
   */
  readonly isKnownAddress?: (key: string) => boolean;
  /** Time limit for TLS handshake and first request. */
  readonly helloTimeoutMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

interface Link {
  readonly linkId: string;
  readonly peer: ControlPeer;
  gateway: ConnectedGateway;
}

const routeLifetimeMs = 60_000;
const pushTimeoutMs = 10_000;
const routesPerMessage = 256;
/** A gateway sends a report every two seconds and few requests. */
const reportPace = { perSecond: 20, burst: 200 };
/** A gateway repeats a failed renewal after an hour. */
const minRenewalIntervalMs = 30 * 60_000;

export class GatewayLinkServer {
  readonly #options: GatewayLinkServerOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #listener: LinkListener;
  readonly #links = new Map<string, Link>();
  readonly #keys: ProxyKeys;
  /** Time of the last renewal by gateway, in ms since the epoch. */
  readonly #renewedAt = new Map<string, number>();

  private constructor(options: GatewayLinkServerOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#keys = new ProxyKeys(this.#clock);
    this.#listener = new LinkListener({
      context: contextOptions(options.identity, options.infrastructureCaPem),
      helloTimeoutMs: options.helloTimeoutMs ?? 10_000,
      onLink: (incoming) => this.#serve(incoming),
      isKnownAddress: options.isKnownAddress ?? (() => false),
      logger: this.#logger,
    });
  }

  /** @throws FarkeepError `service.port-in-use`, `service.start-failed`, `certificate.malformed`, `certificate.key-mismatch` */
  static async start(options: GatewayLinkServerOptions): Promise<GatewayLinkServer> {
    checkIdentity(options.identity);
    const server = new GatewayLinkServer(options);
    await server.#listener.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
    return server;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Gateways with an open link. */
  gateways(): ConnectedGateway[] {
    return [...this.#links.values()].map((link) => link.gateway);
  }

  gateway(gatewayId: string): ConnectedGateway | undefined {
    return this.#links.get(gatewayId)?.gateway;
  }

  /**
   * Makes tickets valid at exactly one gateway. Resolves when the gateway has them; the tickets may be sent to the tenant only then.
   * @throws FarkeepError `gateway.link-down`, `call.timeout`, `call.canceled`
   */
  async pushRoutes(
    gatewayId: string,
    routes: readonly RouteRequest[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const link = this.#linkOf(gatewayId);
    const entries: Route[] = routes.map(({ ticket, kind, host, port, lifetimeMs = routeLifetimeMs }) => ({
      ticketHash: hashTicket(ticket),
      kind,
      port,
      lifetimeMs: Math.min(lifetimeMs, routeLifetimeMs),
      ...(host === undefined ? {} : { host }),
    }));
    for (let start = 0; start < entries.length; start += routesPerMessage) {
      const part = entries.slice(start, start + routesPerMessage);
      await this.#call(link, 'push-routes', { routes: part }, signal);
    }
  }

  /**
   * Sends the configuration (`configurationFor`) to every connected gateway again. A gateway that does not answer is disconnected and
   * reconnects by itself.
   */
  async refreshConfiguration(): Promise<void> {
    await Promise.all(
      [...this.#links.values()].map(async (link) => {
        try {
          await this.#call(link, 'configure', this.#options.configurationFor(link.gateway));
        } catch (error) {
          link.peer.terminate(toFarkeepError(error));
        }
      }),
    );
  }

  /** Ends the link of a gateway that was disabled or removed. The caller must end the connections that run through this gateway. */
  async disconnect(gatewayId: string, reason: FarkeepError): Promise<void> {
    this.#keys.forgetGateway(gatewayId);
    await this.#links.get(gatewayId)?.peer.close(reason);
  }

  /** Returns the gateway that wrote this header; the control server calls this. Accepts every header once. */
  authenticateProxyHeader(received: ReceivedProxyHeader): { gatewayId: string } | undefined {
    return this.#keys.authenticate(received);
  }

  /** Replaces the certificate of the infrastructure listener for new links; open links do not change. */
  setIdentity(identity: ServerIdentity): void {
    checkIdentity(identity);
    this.#listener.setContext(contextOptions(identity, this.#options.infrastructureCaPem));
  }

  async close(reason = new FarkeepError('service.not-running', 'The provider service is stopping')): Promise<void> {
    const closed = this.#listener.close();
    await Promise.all([...this.#links.values()].map((link) => link.peer.close(reason)));
    this.#listener.dropAll();
    this.#keys.clear();
    await closed;
  }

  #serve({ tls, webSocket, remoteAddress, welcome, drop }: IncomingLink): void {
    const peer = new ControlPeer(webSocket, { logger: this.#logger, pace: reportPace });
    const gateway = this.#identify(tls);
    peer.onClose(drop);
    peer.onRequest(
      handleLink({
        enroll: async ({ secret, name, publicKeyPem }) => {
          if (gateway !== undefined)
            throw new FarkeepError('call.conflict', `This gateway is enrolled already as "${gateway.name}"`);
          const issued = await this.#options.enroll({
            secretHash: hashEnrollmentSecret(secret),
            name,
            publicKeyPem,
            remoteAddress,
          });
          this.#logger.info('Gateway enrolled', {
            gatewayId: issued.gatewayId,
            gatewayName: name,
            address: remoteAddress,
          });
          return { ...issued, infrastructureCaPem: this.#options.infrastructureCaPem };
        },
        renew: async ({ publicKeyPem }) => {
          // Refuses a link that was replaced, or whose gateway was disabled meanwhile.
          if (gateway === undefined || this.#links.get(gateway.gatewayId)?.peer !== peer) {
            throw new FarkeepError(
              'gateway.not-enrolled',
              'Only an enrolled gateway renews its certificate, on its link',
            );
          }
          this.#limitRenewals(gateway.gatewayId);
          const certificatePem = await this.#options.renew(gateway, publicKeyPem);
          this.#logger.info('Certificate of a gateway link renewed', { gatewayId: gateway.gatewayId });
          return { certificatePem };
        },
        'link-hello': ({ version, listeners }) => {
          // The certificate is checked again: the gateway may have been disabled or removed since the handshake, and nothing else would end
          // its link.
          if (gateway === undefined || this.#identify(tls)?.gatewayId !== gateway.gatewayId) {
            throw new FarkeepError(
              'gateway.not-enrolled',
              'This provider does not know the certificate of the gateway (any more)',
            );
          }
          welcome();
          const linkId = randomBytes(linkIdLengthBytes).toString('hex');
          this.#keys.add(linkId, { gatewayId: gateway.gatewayId, key: proxyKeyOf(tls) });
          this.#register({
            linkId,
            peer,
            gateway: {
              ...gateway,
              remoteAddress,
              version,
              listeners,
              report: undefined,
            },
          });
          return Promise.resolve({
            gatewayId: gateway.gatewayId,
            linkId,
            configuration: this.#options.configurationFor(gateway),
          });
        },
      }),
    );
  }

  /** Counts before the work starts, so that many requests at once cannot pass the limit. @throws call.refused */
  #limitRenewals(gatewayId: string): void {
    const nowMs = this.#clock.now();
    const lastMs = this.#renewedAt.get(gatewayId);
    if (lastMs !== undefined && nowMs - lastMs < minRenewalIntervalMs) {
      throw new FarkeepError('call.refused', 'The certificate of this gateway was renewed a short time ago', {
        hint: 'The gateway tries again by itself.',
      });
    }
    this.#renewedAt.set(gatewayId, nowMs);
  }

  #register(link: Link): void {
    const { gatewayId } = link.gateway;
    const former = this.#links.get(gatewayId);
    this.#links.set(gatewayId, link);
    // A gateway has only one link. If there is a former link, the provider has not noticed its end yet.
    former?.peer.terminate(new FarkeepError('call.conflict', 'The gateway opened another link'));
    link.peer.onNotify((type, payload) => {
      if (type !== gatewayReportType) return;
      const report = gatewayReportSchema.safeParse(payload);
      if (!report.success)
        throw new FarkeepError('protocol.malformed', 'A gateway report does not have the form of this version');
      link.gateway = { ...link.gateway, report: report.data };
      this.#options.onReport?.(link.gateway, report.data);
    });
    link.peer.onClose((error) => {
      this.#keys.retire(link.linkId);
      if (this.#links.get(gatewayId) !== link) return;
      this.#links.delete(gatewayId);
      this.#logger.info('Gateway link down', { gatewayId, reason: error?.message ?? 'closed' });
      this.#options.onDisconnected?.(link.gateway);
    });
    this.#logger.info('Gateway link up', { gatewayId, address: link.gateway.remoteAddress });
    this.#options.onConnected?.(link.gateway);
  }

  #identify(tls: TLSSocket): KnownGateway | undefined {
    if (!tls.authorized) return undefined;
    const certificate = tls.getPeerX509Certificate();
    return certificate === undefined
      ? undefined
      : this.#options.identify(createHash('sha256').update(certificate.raw).digest('hex'));
  }

  #linkOf(gatewayId: string): Link {
    const link = this.#links.get(gatewayId);
    if (link === undefined)
      throw new FarkeepError('gateway.link-down', `The gateway ${gatewayId} has no link to this provider`);
    return link;
  }

  async #call<Name extends LinkRequestName>(
    link: Link,
    name: Name,
    input: LinkInput<Name>,
    signal?: AbortSignal,
  ): Promise<void> {
    await callLink(link.peer, name, input, { timeoutMs: pushTimeoutMs, ...(signal === undefined ? {} : { signal }) });
  }
}

function contextOptions(identity: ServerIdentity, infrastructureCaPem: string) {
  return { ...identityContext(identity), ca: infrastructureCaPem };
}
