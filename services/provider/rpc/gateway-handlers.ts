// Owns the gateways domain of the provider service.
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { Gateway } from '../../contracts/models/provider.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { mapRows } from '../../contracts/row-list.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { createEnrollmentToken } from '../../transport/enrollment-token.ts';
import type { GatewayLinkServer } from '../../transport/gateway-link-server.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import { checkGateway } from '../gateways/gateway-doctor.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';

export interface GatewayHandlersOptions {
  readonly gateways: Gateways;
  readonly identity: ProviderIdentity;
  readonly links: () => GatewayLinkServer;
  /** The address that a token gives to a gateway, and the certificate that the gateway must see there. */
  readonly infrastructure: { readonly host: string; readonly port: () => number; readonly sha256: string };
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
}

export function gatewayHandlers(options: GatewayHandlersOptions): DomainHandlers<typeof gatewaysDomain> {
  const { gateways, identity, links, infrastructure, clock, audit, publish } = options;
  const describe = (gatewayId: string): Gateway =>
    gateways.describe(gateways.get(gatewayId), (host) => identity.covers(host));
  return {
    list: () => ({ gateways: mapRows(gateways.rows(), ({ id }) => describe(id)) }),
    createEnrollToken: async ({ name, addresses, validMs }, context) => {
      const expiresAtMs = clock.now() + validMs;
      const { token, secretHash } = createEnrollmentToken({
        host: infrastructure.host,
        port: infrastructure.port(),
        fingerprint: infrastructure.sha256,
        expiresAtMs,
      });
      const expiresAt = new Date(expiresAtMs).toISOString();
      const row = await gateways.create(name, addresses, secretHash, expiresAt);
      await audit.add(describeCaller(context), name, notable('gateway.enroll-token'));
      publish(gatewaysDomain, 'changed', describe(row.id));
      return { gateway: describe(row.id), token, expiresAt };
    },
    setEnabled: async ({ gatewayId, isEnabled }, context) => {
      const { name } = gateways.get(gatewayId);
      await gateways.setEnabled(gatewayId, isEnabled);
      await audit.add(describeCaller(context), name, notable(isEnabled ? 'gateway.enable' : 'gateway.disable'));
      publish(gatewaysDomain, 'changed', describe(gatewayId));
      if (!isEnabled) await links().disconnect(gatewayId, new FarkeepError('call.refused', 'The gateway was disabled'));
      return describe(gatewayId);
    },
    remove: async ({ gatewayId }, context) => {
      const { name } = gateways.get(gatewayId);
      await gateways.remove(gatewayId);
      await audit.add(describeCaller(context), name, notable('gateway.remove'));
      publish(gatewaysDomain, 'removed', { gatewayId });
      await links().disconnect(gatewayId, new FarkeepError('gateway.not-enrolled', 'The gateway was removed'));
      return {};
    },
    doctor: async (_input, { signal }) => {
      const checks = await Promise.all(
        gateways.rows().map((row) =>
          checkGateway(row, {
            isConnected: gateways.isConnected(row.id),
            identity: {
              sha256: identity.sha256,
              covers: (host) => identity.covers(host),
              names: (host) => identity.names(host),
            },
            signal,
          }),
        ),
      );
      return { checks: checks.flat() };
    },
  };
}
