// Owns the provider's reaction to gateway links: which gateways are accepted, which reports are stored, and what the provider sends.
// Must not know the protocol of the link (gateway-link-server.ts), nor other consequences when a gateway connects or disconnects.
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { readCertificate } from '../../pki/certificate/certificate-summary.ts';
import { thumbprintOf } from '../../pki/certificate/thumbprint.ts';
import { Coalescer } from '../../session/coalescer.ts';
import { countingKey } from '../../transport/client-address.ts';
import { GatewayLinkServer } from '../../transport/gateway-link-server.ts';
import type { GatewayReport } from '../../wire/gateway-link-messages.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { ProviderConfig } from '../state/config.ts';
import type { Gateways } from './gateways.ts';
import type { InfrastructureIdentity } from './infrastructure-identity.ts';

/** The interval at which a gateway reports. More frequent reports are dropped. */
const reportIntervalMs = 2_000;

export interface GatewayLinksOptions {
  readonly config: ProviderConfig;
  /** The port of the control listener; known only after the listener has started. */
  readonly controlPort: () => number;
  readonly infrastructure: Pick<InfrastructureIdentity, 'server' | 'authority'>;
  readonly gateways: Gateways;
  readonly audit: AuditLog;
  /** Called when displayed data of this gateway has changed. */
  readonly onChanged: (gatewayId: string) => void;
  /** A gateway connected or disconnected. */
  readonly onLinkChanged: () => void;
  /** Links end while the service stops, when the database is already closed. */
  readonly isStopped: () => boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** @throws service.port-in-use, service.start-failed, certificate.malformed, certificate.key-mismatch */
export function startGatewayLinks(options: GatewayLinksOptions): Promise<GatewayLinkServer> {
  const { config, controlPort, infrastructure, gateways, audit, onChanged, onLinkChanged, logger, clock } = options;
  const issue = (gatewayId: string, publicKeyPem: string): Promise<string> =>
    infrastructure.authority.issueClientCertificate({ publicKeyPem, commonName: gatewayId });
  const reportsOf = new Map<string, Coalescer<GatewayReport>>();
  return GatewayLinkServer.start({
    host: config.infrastructure.host,
    port: config.infrastructure.port,
    identity: infrastructure.server,
    infrastructureCaPem: infrastructure.authority.certificatePem,
    enroll: async ({ secretHash, name, publicKeyPem, remoteAddress }) => {
      const row = await gateways.redeemToken(secretHash);
      const certificatePem = await issue(row.id, publicKeyPem);
      await gateways.setCertificate(row.id, fingerprintHex(certificatePem));
      await audit.add(`gateway ${name} (${remoteAddress})`, row.name, notable('gateway.enrolled'));
      onChanged(row.id);
      return { gatewayId: row.id, certificatePem };
    },
    renew: async ({ gatewayId, name }, publicKeyPem) => {
      const certificatePem = await issue(gatewayId, publicKeyPem);
      await gateways.addRenewedCertificate(gatewayId, fingerprintHex(certificatePem));
      await audit.add(`gateway ${name}`, name, notable('gateway.renewed'));
      return certificatePem;
    },
    identify: (fingerprint) => {
      const row = gateways.identify(fingerprint);
      return row === undefined ? undefined : { gatewayId: row.id, name: row.name };
    },
    configurationFor: () => ({
      controlPort: controlPort(),
      ...(config.advertisedHost === undefined ? {} : { controlHost: config.advertisedHost }),
    }),
    isKnownAddress: (key) => gateways.isKnownAddress(key),
    onConnected: ({ gatewayId, remoteAddress }) => {
      gateways.noteConnected(gatewayId, countingKey(remoteAddress));
      onChanged(gatewayId);
      onLinkChanged();
    },
    onDisconnected: ({ gatewayId }) => {
      if (options.isStopped()) return;
      gateways.noteDisconnected(gatewayId);
      onChanged(gatewayId);
      onLinkChanged();
    },
    onReport: ({ gatewayId }, report) => {
      let reports = reportsOf.get(gatewayId);
      if (reports === undefined) {
        reports = new Coalescer(reportIntervalMs, (newest: GatewayReport) => {
          // The report may arrive after the link has closed or the service has stopped.
          if (options.isStopped() || !gateways.isConnected(gatewayId)) return;
          gateways.noteReport(gatewayId, newest);
          onChanged(gatewayId);
        });
        reportsOf.set(gatewayId, reports);
      }
      reports.push(report);
    },
    logger,
    clock,
  });
}

/** SHA-256 of the DER, lower-case hex: the form in which the gateway link names certificates. */
export function fingerprintHex(certificatePem: string): string {
  return thumbprintOf(readCertificate(certificatePem).der).replaceAll(':', '').toLowerCase();
}
