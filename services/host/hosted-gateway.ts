// Owns the gateway as a hosted role: its node domain, its health as reported by its link, its events. The gateway itself does not use calls
// or events.
import { gatewayNodeDomain } from '../contracts/rpc/gateway-node.ts';
import { startGateway, type GatewayStatus } from '../gateway/service.ts';
import type { GatewayConfig } from '../gateway/config.ts';
import type { RunningService, ServiceHealth, ServiceOptions } from '../kernel/running-service.ts';
import { productVersion } from './product-version.ts';

/** @param start opens the gateway itself */
export async function startHostedGateway(
  options: ServiceOptions<GatewayConfig>,
  start: typeof startGateway = startGateway,
): Promise<RunningService> {
  const { publish, ...rest } = options;
  const gateway = await start({ ...rest, version: productVersion() });
  const healthListeners = new Set<(health: ServiceHealth) => void>();
  let health = healthOf(gateway.status());

  gateway.onStatusChanged((status) => {
    publish(gatewayNodeDomain, 'statusChanged', status);
    const next = healthOf(status);
    if (next.health === health.health && next.reason === health.reason) return;
    health = next;
    for (const listener of healthListeners) listener(next);
  });

  return {
    domains: {
      gatewayNode: {
        status: () => gateway.status(),
        enroll: (input) => gateway.enroll(input),
      },
    },
    listeners: Object.fromEntries(
      gateway.status().listeners.map((address, index) => [index === 0 ? 'gateway' : `gateway${index + 1}`, address]),
    ),
    health: () => health,
    onHealthChanged(listener) {
      healthListeners.add(listener);
      return () => {
        healthListeners.delete(listener);
      };
    },
    activeSessions: () => gateway.activeDataConnections(),
    stop: (deadlineMs) => gateway.stop(deadlineMs),
  };
}

function healthOf({ link, linkReason }: GatewayStatus): ServiceHealth {
  switch (link) {
    case 'connected':
      return { health: 'running', reason: null };
    case 'not-enrolled':
      return {
        health: 'degraded',
        reason: linkReason ?? 'Not enrolled: give it a token with "farkeep gateway enroll"',
      };
    case 'connecting':
      return { health: 'degraded', reason: 'Connecting to the provider' };
    case 'waiting':
      return { health: 'degraded', reason: linkReason ?? 'The provider cannot be reached; the gateway retries' };
  }
}
