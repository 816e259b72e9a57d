// Owns the gateway role: enrollment, the link to the provider, the single port, status and stop. Must not know sessions, tenants or
// contents.
import { generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { z } from 'zod';

import type { gatewayNodeStatusSchema } from '../contracts/rpc/gateway-node.ts';
import { valueWithin } from '../kernel/deadline.ts';
import { every } from '../kernel/schedule.ts';
import { SerialQueue } from '../kernel/serial-queue.ts';
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { ServiceParts } from '../kernel/running-service.ts';
import { hashEnrollmentSecret, parseEnrollmentToken } from '../transport/enrollment-token.ts';
import { enrollGateway, GatewayLinkClient, type LinkSession } from '../transport/gateway-link-client.ts';
import type { GatewayConfiguration, GatewayReport } from '../wire/gateway-link-messages.ts';
import type { GatewayConfig } from './config.ts';
import { readConfiguredToken } from './configured-token.ts';
import { FrontDoor, type ControlTarget } from './front-door.ts';
import { loadGatewayState, saveGatewayState, type GatewayState } from './gateway-state.ts';
import { LinkRenewal } from './link-renewal.ts';
import { RouteTable } from './route-table.ts';

export type GatewayStatus = z.infer<typeof gatewayNodeStatusSchema>;

export interface GatewayOptions {
  /** The role's own folder; the host has created and locked it. */
  readonly home: string;
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Version of this program, sent to the provider. */
  readonly version: string;
}

const enrollRetryMs = 5_000;

/** @throws FarkeepError `service.port-in-use`, `service.start-failed`, `storage.damaged`, `config.invalid` */
export async function startGateway(options: GatewayOptions): Promise<GatewayService> {
  const service = new GatewayService(options);
  try {
    await service.start();
  } catch (error) {
    await service.stop(0);
    throw error;
  }
  return service;
}

export class GatewayService {
  readonly #options: GatewayOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  readonly #routes: RouteTable;
  readonly #door: FrontDoor;
  readonly #listeners = new Set<(status: GatewayStatus) => void>();
  readonly #stopping = new AbortController();
  #state: GatewayState | undefined;
  #client: GatewayLinkClient | undefined;
  #session: LinkSession | undefined;
  #control: ControlTarget | undefined;
  #link: GatewayStatus['link'] = 'not-enrolled';
  #linkReason: string | null = null;
  readonly #renewal: LinkRenewal;
  #lastReport = '';
  #lastCpu = process.cpuUsage();
  #lastCpuAtMs = performance.now();
  /** Closed in the reverse order, after a failed start as well as at a stop. */
  readonly #parts = new ServiceParts();
  #stopped: Promise<void> | undefined;
  readonly #saves = new SerialQueue();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#startedAtMs = options.clock.now();
    this.#routes = new RouteTable(options.clock);
    this.#door = new FrontDoor({
      limits: options.config.limits,
      routes: this.#routes,
      findControl: () => this.#control,
      findProviderAddress: () => this.#session?.providerAddress,
      clock: options.clock,
      logger: options.logger,
    });
    this.#renewal = new LinkRenewal({
      clock: options.clock,
      logger: options.logger,
      certificateInUse: () => (this.#link === 'connected' ? this.#state?.certificatePem : undefined),
      renew: (signal) => this.#renew(signal),
    });
  }

  async start(): Promise<void> {
    const { config, home } = this.#options;
    this.#parts.defer(() => this.#saves.idle());
    this.#parts.defer(() => this.#closeLink());
    this.#state = await loadGatewayState(home, this.#logger);
    const token = await readConfiguredToken(config, { isEnrolled: this.#state !== undefined });
    // If one of several addresses cannot be opened, other addresses may already be open and must be closed.
    this.#parts.defer(() => this.#closeDoor());
    await this.#door.open(config.listen);
    this.#parts.defer(() => this.#renewal.stop());
    this.#parts.defer(() => this.#stopping.abort());
    if (this.#state !== undefined) this.#openLink(this.#state);
    if (token !== undefined && this.#state?.tokenHash !== hashEnrollmentSecret(parseEnrollmentToken(token).secret)) {
      void this.#enrollUntilDone(token);
    }
    this.#parts.use(every(config.reportIntervalMs, () => this.#report(), { isBackground: true }));
  }

  /** "host:port" of every listener. */
  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#door.addresses;
  }

  status(): GatewayStatus {
    const counters = this.#door.counters();
    return {
      isEnrolled: this.#state !== undefined,
      link: this.#link,
      linkReason: this.#linkReason,
      providerAddress: this.#state === undefined ? null : formatAddress(this.#state),
      listeners: this.#door.addresses.map(formatAddress),
      connections: counters.controlConnections + counters.dataConnections,
      relayedBytes: counters.bytesFromClients + counters.bytesToClients,
      refusedConnections: Object.values(counters.refusals).reduce((sum, count) => sum + count, 0),
      startedAt: new Date(this.#startedAtMs).toISOString(),
    };
  }

  counters(): Omit<GatewayReport, 'load'> {
    return this.#door.counters();
  }

  /** Number of data connections that a stop would interrupt. */
  activeDataConnections(): number {
    return this.#door.dataConnections;
  }

  /**
   * Calls the listener on every change of link or enrollment, and for counters at most as often as reports are sent. Returns the function
   * that ends the subscription.
   */
  onStatusChanged(listener: (status: GatewayStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Enrolls with a one-time token and opens the link.
   * @throws FarkeepError `call.conflict` when enrolled already and `replace` is false, `gateway.token-invalid`, `gateway.link-down`,
   *   `trust.thumbprint-mismatch`
   */
  async enroll({ token, replace }: { token: string; replace: boolean }): Promise<GatewayStatus> {
    const parsed = parseEnrollmentToken(token);
    if (this.#state !== undefined && !replace) {
      throw new FarkeepError('call.conflict', `This gateway is enrolled already, at ${formatAddress(this.#state)}`, {
        hint: 'Repeat the call with "replace", or keep the enrollment.',
      });
    }
    const keys = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const issued = await enrollGateway({
      token: parsed,
      name: this.#options.config.name,
      publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }),
      nowMs: this.#clock.now(),
      signal: this.#stopping.signal,
      logger: this.#logger,
    });
    const state: GatewayState = {
      version: 1,
      gatewayId: issued.gatewayId,
      host: parsed.host,
      port: parsed.port,
      fingerprint: parsed.fingerprint,
      infrastructureCaPem: issued.infrastructureCaPem,
      certificatePem: issued.certificatePem,
      privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      tokenHash: hashEnrollmentSecret(parsed.secret),
    };
    await this.#goOverTo(state);
    this.#logger.info('Gateway enrolled', { gatewayId: state.gatewayId, provider: formatAddress(state) });
    return this.status();
  }

  /** Accepts no new connection, waits at most `deadlineMs` for open data connections, then drops the rest. Safe to call twice. */
  stop(deadlineMs: number): Promise<void> {
    this.#parts.deadlineMs = deadlineMs;
    return (this.#stopped ??= this.#parts.disposeAsync());
  }

  /** Writes one state after the other, so that an older state never overwrites a newer one. */
  #save(state: GatewayState): Promise<void> {
    return this.#saves.run(() => saveGatewayState(this.#options.home, state));
  }

  /** Saves the state and opens the link again; open connections continue. */
  async #goOverTo(state: GatewayState): Promise<void> {
    await this.#save(state);
    await this.#client?.stop();
    this.#linkLost();
    this.#state = state;
    if (!this.#isStopping()) this.#openLink(state);
  }

  /** The old certificate stays in the file and stays valid at the provider until a link was opened with the new certificate. */
  async #renew(signal: AbortSignal): Promise<void> {
    const [state, client] = [this.#state, this.#client];
    if (state === undefined || client === undefined) return;
    const keys = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const certificatePem = await client.renewCertificate(
      keys.publicKey.export({ type: 'spki', format: 'pem' }),
      signal,
    );
    if (!new X509Certificate(certificatePem).checkPrivateKey(keys.privateKey)) {
      throw new FarkeepError('protocol.malformed', 'The provider sent a certificate for another key');
    }
    // The gateway was enrolled again meanwhile; that state is newer.
    if (this.#state !== state) return;
    const privateKeyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
    await this.#goOverTo({ ...state, renewed: { certificatePem, privateKeyPem } });
  }

  /** Called for an open link. If it uses the renewed certificate, the old one is removed. */
  #confirmRenewal(state: GatewayState): void {
    const { renewed, ...rest } = state;
    if (renewed === undefined || this.#state !== state) return;
    this.#state = { ...rest, ...renewed };
    this.#logger.info('The certificate of the gateway link was renewed', { gatewayId: state.gatewayId });
    // The state on disk works too, so a full disk is only logged.
    this.#save(this.#state).catch((error: unknown) =>
      this.#logger.error('The renewed certificate of the gateway link cannot be saved', { error }),
    );
  }

  /**
   * The provider does not know the renewed certificate, for example after the provider was restored from a copy. Returns to the former one.
   */
  #dropRenewal(state: GatewayState): void {
    const { renewed, ...rest } = state;
    if (renewed === undefined || this.#state !== state) return;
    this.#logger.warn('The provider does not know the renewed certificate of the gateway link; the former one is used');
    void this.#goOverTo(rest).catch((error: unknown) =>
      this.#logger.error('The gateway link cannot be opened', { error }),
    );
  }

  async #closeDoor(): Promise<void> {
    this.#door.stopAccepting();
    await valueWithin(this.#door.untilDataIsThrough(), this.#parts.deadlineMs);
    this.#door.dropAll();
  }

  async #closeLink(): Promise<void> {
    await this.#client?.stop();
    this.#linkLost();
  }

  /** Waits for a provider that is not running yet; a refused token is not tried again. */
  async #enrollUntilDone(token: string): Promise<void> {
    const { signal } = this.#stopping;
    while (!this.#isStopping()) {
      if (this.#state === undefined) this.#setLink('connecting', null);
      try {
        await this.enroll({ token, replace: true });
        return;
      } catch (thrown) {
        const error = toFarkeepError(thrown);
        if (this.#isStopping()) return;
        this.#logger.error('Enrollment failed', { code: error.code, reason: error.message });
        // A gateway with an older enrollment keeps its link. An invalid new token does not end this link.
        if (this.#state === undefined) this.#setLink(error.retryable ? 'waiting' : 'not-enrolled', error.message);
        if (!error.retryable) return;
      }
      await this.#clock.sleep(enrollRetryMs, signal).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #openLink(state: GatewayState): void {
    this.#setLink('connecting', null);
    const client = new GatewayLinkClient({
      identity: { ...state, ...state.renewed },
      name: this.#options.config.name,
      version: this.#options.version,
      listeners: this.#door.addresses,
      clock: this.#clock,
      logger: this.#logger,
      onUp: (session) => {
        this.#session = session;
        this.#configure(session.configuration);
        this.#lastReport = '';
        this.#confirmRenewal(state);
        this.#setLink('connected', null);
        this.#report();
        this.#renewal.look();
      },
      onDown: (error) => {
        this.#linkLost();
        this.#setLink('waiting', this.#reasonOf(error, state));
        if (error.code === 'gateway.not-enrolled') this.#dropRenewal(state);
      },
      onRoutes: (routes) => this.#routes.add(routes),
      onConfiguration: (configuration) => this.#configure(configuration),
    });
    this.#client = client;
    client.start();
  }

  /** A gateway that was offline for too long cannot renew its certificate any more. */
  #reasonOf(error: FarkeepError, { certificatePem }: GatewayState): string {
    const { validToDate } = new X509Certificate(certificatePem);
    return error.code === 'gateway.not-enrolled' && validToDate.getTime() < this.#clock.now()
      ? `The certificate of the gateway link expired on ${validToDate.toISOString()}: enroll the gateway again with a new token`
      : error.message;
  }

  #configure(configuration: GatewayConfiguration): void {
    const session = this.#session;
    if (session === undefined) return;
    // The counter belongs to the link and continues when only the address changes, because the provider refuses a repeated value.
    const former = this.#control?.linkId === session.linkId ? this.#control : undefined;
    let counter = 0n;
    this.#control = {
      host: configuration.controlHost ?? session.providerAddress,
      port: configuration.controlPort,
      linkId: session.linkId,
      proxyKey: session.proxyKey,
      nextCounter: former?.nextCounter ?? (() => counter++),
    };
  }

  #linkLost(): void {
    this.#session?.proxyKey.fill(0);
    this.#session = undefined;
    this.#control = undefined;
  }

  #setLink(link: GatewayStatus['link'], reason: string | null): void {
    if (this.#link === link && this.#linkReason === reason) return;
    this.#link = link;
    this.#linkReason = reason;
    this.#emit();
  }

  #emit(): void {
    const status = this.status();
    for (const listener of this.#listeners) {
      try {
        listener(status);
      } catch (error) {
        this.#logger.error('A status listener failed', { error });
      }
    }
  }

  #report(): void {
    const counters = this.#door.counters();
    const text = JSON.stringify(counters);
    if (text === this.#lastReport) return;
    this.#lastReport = text;
    this.#client?.report({ ...counters, load: this.#measureLoad() });
    this.#emit();
  }

  #measureLoad(): number {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#lastCpu);
    const elapsedUs = (now - this.#lastCpuAtMs) * 1000;
    this.#lastCpu = process.cpuUsage();
    this.#lastCpuAtMs = now;
    return elapsedUs <= 0 ? 0 : Math.round(((user + system) / elapsedUs) * 1000) / 1000;
  }
}

function formatAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
