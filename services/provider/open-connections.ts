// Owns which control connections of tenants are open, and what follows from that alone: how many go through which gateway, what one tenant may say over
// all of its connections together. Knows no sessions.
import type { FarkeepError } from '../kernel/farkeep-error.ts';
import { TokenBucket } from '../kernel/token-bucket.ts';
import type { TenantConnection } from './tenant-connection.ts';

/** As for one connection (control-peer.ts), times some machines. */
const tenantPace = { perSecond: 1000, burst: 4000 };
/** So many connections of one tenant count for the load of a gateway: with more, one tenant could send all the others elsewhere. */
const maxCountedPerTenant = 16;

export class OpenConnections {
  readonly #connections = new Set<TenantConnection>();
  readonly #buckets = new Map<string, TokenBucket>();

  add(connection: TenantConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: TenantConnection): void {
    this.#connections.delete(connection);
    const { tenantId } = connection;
    if (tenantId !== undefined && this.#of(tenantId).length === 0) this.#buckets.delete(tenantId);
  }

  loggedIn(): TenantConnection[] {
    return [...this.#connections].filter(({ tenantId }) => tenantId !== undefined);
  }

  /** What counts everything that this tenant says. */
  bucketOf(tenantId: string): TokenBucket {
    let bucket = this.#buckets.get(tenantId);
    if (bucket === undefined) {
      bucket = new TokenBucket(tenantPace);
      this.#buckets.set(tenantId, bucket);
    }
    return bucket;
  }

  /** Connections of tenants that are logged in, by gateway. What gateways say of themselves has no part in it. */
  gatewayLoads(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const loads = new Map<string, number>();
    for (const { tenantId, gatewayId } of this.#connections) {
      if (tenantId === undefined || gatewayId === undefined) continue;
      const key = `${gatewayId} ${tenantId}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= maxCountedPerTenant) loads.set(gatewayId, (loads.get(gatewayId) ?? 0) + 1);
    }
    return loads;
  }

  disconnect(wantedTenantId: string, reason: FarkeepError): void {
    for (const connection of this.#of(wantedTenantId)) connection.close(reason);
  }

  #of(wantedTenantId: string): TenantConnection[] {
    return [...this.#connections].filter(({ tenantId }) => tenantId === wantedTenantId);
  }
}
