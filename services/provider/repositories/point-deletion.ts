// Owns deleting a restore point: only the tenant's own point, only while no session uses it, even with a damaged root. The root moves to
// the trash. The space is not freed.
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { forTenant } from '../../mover/link/for-tenant.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { TenantRequestOutput } from '../../wire/control-messages.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { RestorePoints } from './restore-points.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';

export interface PointDeletionOptions {
  readonly accounts: TenantAccounts;
  readonly points: RestorePoints;
  /** Whether a session reads or creates this point. */
  readonly isInUse: (tenantId: string, pointId: string) => boolean;
  /** Points that are being deleted. The session manager starts no session with them. */
  readonly deleting: Set<string>;
  readonly onDeleted: () => void;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class PointDeletion {
  readonly #options: PointDeletionOptions;

  constructor(options: PointDeletionOptions) {
    this.#options = options;
  }

  /** @throws call.not-found, call.conflict while a session uses the point, storage errors in the form for tenants */
  async delete(tenantId: string, pointId: string): Promise<TenantRequestOutput<'points.delete'>> {
    const { accounts, points, isInUse, deleting, onDeleted, audit, clock, logger } = this.#options;
    const account = await accounts.requireActive(tenantId);
    const place = await this.#find(tenantId, pointId);
    // Until the rename is complete, no session may start with this point.
    if (deleting.has(pointId)) throw new FarkeepError('call.conflict', 'The restore point is being deleted already');
    if (isInUse(tenantId, pointId)) {
      throw new FarkeepError('call.conflict', 'A session uses this restore point', {
        hint: 'Wait until the session has ended, or stop it.',
      });
    }
    deleting.add(pointId);
    try {
      const nowMs = clock.now();
      await points.remove(place.location, pointId, nowMs);
      await audit.add(`tenant ${account.name}`, pointId, notable('point.delete', { repository: place.repository }));
      onDeleted();
      return { repository: place.repository, deletedAt: new Date(nowMs).toISOString() };
    } catch (error) {
      const deletionError = toFarkeepError(error, 'storage.io');
      logger.warn('A restore point could not be deleted', { pointId, error: deletionError });
      throw forTenant(deletionError);
    } finally {
      deleting.delete(pointId);
    }
  }

  async #find(tenantId: string, pointId: string): Promise<{ repository: string; location: RepositoryLocation }> {
    const { accounts, points, logger } = this.#options;
    let failure: FarkeepError | undefined;
    for (const quota of await accounts.quotas(tenantId)) {
      const { repository } = quota;
      const location = storageBackends.locateTenant(quota.location, tenantId);
      try {
        if (await points.exists(location, pointId)) return { repository, location };
      } catch (error) {
        // The search continues, because the point may be in another repository.
        logger.error('The restore points of a tenant cannot be read', { location, error });
        failure = forTenant(toFarkeepError(error, 'storage.io'));
      }
    }
    throw failure ?? new FarkeepError('call.not-found', 'There is no such restore point');
  }
}
