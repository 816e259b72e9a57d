// Owns the gateways domain of the provider service.
import type { ProviderAddresses } from '../../contracts/address-reach.ts';
import type { CallContext, DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
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
import { requireReachable, runsHere } from '../gateways/provider-reach.ts';
import type { GatewayRow } from '../state/gateway-store.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';

export interface GatewayHandlersOptions {
  readonly gateways: Gateways;
  readonly identity: ProviderIdentity;
  readonly links: () => GatewayLinkServer;
  /** The address that a token gives to a gateway, and the certificate that the gateway must see there. */
  readonly infrastructure: { readonly host: string; readonly port: () => number; readonly sha256: string };
  /** The addresses in the settings that gateways use. */
  readonly provider: ProviderAddresses;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
}

export function gatewayHandlers(options: GatewayHandlersOptions): DomainHandlers<typeof gatewaysDomain> {
  const { gateways, identity, links, infrastructure, provider, clock, audit, publish } = options;
  const describe = (gatewayId: string): Gateway =>
    gateways.describe(gateways.get(gatewayId), (host) => identity.covers(host));
  const makeToken = (validMs: number): { token: string; secretHash: string; expiresAt: string } => {
    const expiresAtMs = clock.now() + validMs;
    const made = createEnrollmentToken({
      host: infrastructure.host,
      port: infrastructure.port(),
      fingerprint: infrastructure.sha256,
      expiresAtMs,
    });
    return { ...made, expiresAt: new Date(expiresAtMs).toISOString() };
  };
  const announceToken = async (
    { id, name }: GatewayRow,
    token: string,
    expiresAt: string,
    context: CallContext,
  ): Promise<{ gateway: Gateway; token: string; expiresAt: string }> => {
    await audit.add(describeCaller(context), name, notable('gateway.enroll-token'));
    publish(gatewaysDomain, 'changed', describe(id));
    return { gateway: describe(id), token, expiresAt };
  };
  return {
    list: () => ({ gateways: mapRows(gateways.rows(), ({ id }) => describe(id)) }),
    createEnrollToken: async ({ name, addresses, validMs, isOnThisComputer }, context) => {
      if (!isOnThisComputer && !runsHere(addresses, null)) requireReachable(provider);
      const { token, secretHash, expiresAt } = makeToken(validMs);
      const row = await gateways.create(name, addresses, secretHash, expiresAt);
      return announceToken(row, token, expiresAt, context);
    },
    renewEnrollToken: async ({ gatewayId, validMs }, context) => {
      const { addresses } = gateways.get(gatewayId);
      if (!runsHere(addresses, gateways.linkAddress(gatewayId))) requireReachable(provider);
      const { token, secretHash, expiresAt } = makeToken(validMs);
      const row = await gateways.renewToken(gatewayId, secretHash, expiresAt);
      return announceToken(row, token, expiresAt, context);
    },
    set: async ({ gatewayId, name, addresses }, context) => {
      await gateways.set(gatewayId, { name, addresses });
      const fields = Object.entries({ name, addresses }).flatMap(([field, value]) =>
        value === undefined ? [] : [field],
      );
      await audit.add(describeCaller(context), gateways.get(gatewayId).name, notable('gateway.set', { fields }));
      publish(gatewaysDomain, 'changed', describe(gatewayId));
      return describe(gatewayId);
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
            isHere: runsHere(row.addresses, gateways.linkAddress(row.id)),
            provider,
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
