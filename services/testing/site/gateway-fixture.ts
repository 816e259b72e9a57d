// Owns the provider's side of a gateway for tests: real link server, real control server, real data listener, enrollments in memory. Must
// not be used by the product.
import { X509Certificate } from 'node:crypto';

import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { ControlServer, type ControlConnection, type ControlServerOptions } from '../../transport/control-server.ts';
import { createEnrollmentToken } from '../../transport/enrollment-token.ts';
import { fingerprintOf } from '../../transport/gateway-link-client.ts';
import { GatewayLinkServer, type KnownGateway } from '../../transport/gateway-link-server.ts';
import type { GatewayReport } from '../../wire/gateway-link-messages.ts';
import type { FixtureAuthority, FixtureIdentity } from '../certificates/certificate-fixture.ts';

export interface ProviderFixture {
  readonly links: GatewayLinkServer;
  readonly control: ControlServer;
  readonly connections: ControlConnection[];
  readonly reports: GatewayReport[];
  /** Gateways by certificate fingerprint; kept after `restart`. */
  readonly known: Map<string, KnownGateway>;
  /** Renewed certificates that were not used yet. */
  readonly renewed: Map<string, KnownGateway>;
  nextConnection(): Promise<ControlConnection>;
  untilConnected(): Promise<string>;
  /** Port for control connections that is sent to gateways that connect from now on. */
  setControlPort(port: number): void;
  makeToken(options?: { host?: string; port?: number; fingerprint?: string; expiresAtMs?: number }): string;
  close(): Promise<void>;
}

export interface ProviderFixtureOptions {
  readonly authority: FixtureAuthority;
  readonly infrastructure: FixtureIdentity;
  readonly identity: FixtureIdentity;
  readonly infrastructurePort?: number;
  readonly known?: Map<string, KnownGateway>;
  readonly tokens?: Set<string>;
  readonly clock?: Clock;
  readonly control?: Partial<ControlServerOptions>;
}

export async function startProviderFixture({
  authority,
  infrastructure,
  identity,
  infrastructurePort = 0,
  known = new Map(),
  tokens = new Set(),
  clock = systemClock,
  control: controlOptions = {},
}: ProviderFixtureOptions): Promise<ProviderFixture> {
  const connections: ControlConnection[] = [];
  const reports: GatewayReport[] = [];
  const waitingForConnection: ((connection: ControlConnection) => void)[] = [];
  const waitingForLink: ((gatewayId: string) => void)[] = [];
  const renewed = new Map<string, KnownGateway>();
  let controlPort = 0;
  const links = await GatewayLinkServer.start({
    port: infrastructurePort,
    identity: infrastructure,
    infrastructureCaPem: authority.certificatePem,
    clock,
    enroll: async ({ secretHash, name, publicKeyPem }) => {
      if (!tokens.delete(secretHash)) throw new FarkeepError('gateway.token-invalid');
      const certificatePem = await authority.authority.issueClientCertificate({ publicKeyPem, commonName: name });
      const gatewayId = `gateway-${known.size + 1}`;
      known.set(fingerprintOf(new X509Certificate(certificatePem)), { gatewayId, name });
      return { gatewayId, certificatePem };
    },
    renew: async (gateway, publicKeyPem) => {
      const certificatePem = await authority.authority.issueClientCertificate({
        publicKeyPem,
        commonName: gateway.name,
      });
      renewed.set(fingerprintOf(new X509Certificate(certificatePem)), gateway);
      return certificatePem;
    },
    identify: (fingerprint) => {
      const gateway = renewed.get(fingerprint);
      if (gateway !== undefined) {
        renewed.delete(fingerprint);
        for (const [old, { gatewayId }] of known) if (gatewayId === gateway.gatewayId) known.delete(old);
        known.set(fingerprint, gateway);
      }
      return known.get(fingerprint);
    },
    configurationFor: () => ({ controlPort }),
    onConnected: ({ gatewayId }) => {
      for (const resolve of waitingForLink.splice(0)) resolve(gatewayId);
    },
    onReport: (_gateway, report) => reports.push(report),
  });
  const control = await ControlServer.start({
    identity,
    authenticateProxy: (received) => links.authenticateProxyHeader(received),
    onConnection: (connection) => {
      connections.push(connection);
      waitingForConnection.shift()?.(connection);
    },
    ...controlOptions,
  });
  controlPort = control.port;
  return {
    links,
    control,
    connections,
    reports,
    known,
    renewed,
    nextConnection: () => new Promise((resolve) => waitingForConnection.push(resolve)),
    untilConnected: () => {
      const [up] = links.gateways();
      return up === undefined ? new Promise((resolve) => waitingForLink.push(resolve)) : Promise.resolve(up.gatewayId);
    },
    setControlPort: (port) => {
      controlPort = port;
    },
    makeToken: ({ host = '127.0.0.1', port = links.port, fingerprint, expiresAtMs = Date.now() + 60_000 } = {}) => {
      const { token, secretHash } = createEnrollmentToken({
        host,
        port,
        fingerprint: fingerprint ?? new X509Certificate(infrastructure.certificatePem).fingerprint256,
        expiresAtMs,
      });
      tokens.add(secretHash);
      return token;
    },
    close: async () => {
      await Promise.all([control.close(), links.close()]);
    },
  };
}
