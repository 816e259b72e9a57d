// Owns what a session gets to know of the control connection that it was started over: its peer, its gateway, and pushing routes there.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { ControlConnection } from '../transport/control-server.ts';
import type { GatewayLinkServer } from '../transport/gateway-link-server.ts';
import type { Gateways } from './gateways.ts';
import type { SessionChannel } from './provider-session.ts';

export function sessionChannel(
  { peer, gatewayId, tls }: ControlConnection,
  gateways: Gateways,
  links: GatewayLinkServer,
  certificateSha256: string,
): SessionChannel {
  return {
    peer,
    gatewayName: gatewayId === undefined ? 'direct' : (gateways.find(gatewayId)?.name ?? gatewayId),
    certificateSha256,
    tls,
    pushRoutes: (routes) => {
      if (gatewayId === undefined) {
        throw new FarkeepError('gateway.none-usable', 'Data goes through a gateway; this connection came without one');
      }
      return links.pushRoutes(gatewayId, routes);
    },
  };
}
