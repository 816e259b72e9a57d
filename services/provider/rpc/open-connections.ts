// Owns the list of open control connections of tenants, the number of connections for each gateway, and the rate limit for all connections
// of one tenant together. Must not know sessions.
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import { TokenBucket } from '../../kernel/token-bucket.ts';
import type { TenantConnection } from './tenant-connection.ts';

/** The limit of one connection (control-peer.ts), multiplied for several machines. */
const tenantPace = { perSecond: 1000, burst: 4000 };
/**
 * Limit of connections of one tenant that count for a gateway's load. Without this limit, one hostile tenant could divert all other tenants
 * to other gateways.
 */
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

  /** The bucket that counts all messages of this tenant. */
  bucketOf(tenantId: string): TokenBucket {
    let bucket = this.#buckets.get(tenantId);
    if (bucket === undefined) {
      bucket = new TokenBucket(tenantPace);
      this.#buckets.set(tenantId, bucket);
    }
    return bucket;
  }

  /** Number of logged-in tenant connections for each gateway. The gateways' own reports are not used. */
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

  /**
   * Ends all connections of the tenant, also a connection during its login. Such a connection may have read the account before the account
   * was disabled.
   */
  disconnect(wantedTenantId: string, reason: FarkeepError): void {
    for (const connection of this.#connections) {
      if (connection.claimedTenantId === wantedTenantId) connection.close(reason);
    }
  }

  #of(wantedTenantId: string): TenantConnection[] {
    return [...this.#connections].filter(({ tenantId }) => tenantId === wantedTenantId);
  }
}
