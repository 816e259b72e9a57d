// Owns what a session needs of its control connection: the peer, the gateway, and sending routes to the gateway.
import type { TlsInfo } from '../../contracts/models/trust.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { ControlConnection } from '../../transport/control-server.ts';
import type { GatewayLinkServer, RouteRequest } from '../../transport/gateway-link-server.ts';
import type { MessagePeer } from '../../wire/control-calls.ts';
import type { Gateways } from '../gateways/gateways.ts';

/** The control connection over which an attempt was requested. */
export interface SessionChannel {
  readonly peer: MessagePeer;
  readonly gatewayName: string;
  readonly certificateSha256: string;
  readonly tls: TlsInfo;
  readonly pushRoutes: (routes: readonly RouteRequest[]) => Promise<void>;
}

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
