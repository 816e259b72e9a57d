// Owns the repositories domain of the provider service. Must not read packs; services/repository does.
import path from 'node:path';
import type { z } from 'zod';
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import { repositoriesDomain, type damageSchema } from '../../contracts/rpc/repositories.ts';
import { notable } from '../../contracts/notable-events.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { storageBackends } from '../../repository/backends.ts';
import { rebuildCatalogue } from '../../repository/store/rebuild-catalogue.ts';
import { verifyAndMark, type MarkedVerifyResult } from '../../repository/store/verify-and-mark.ts';
import type { Damage } from '../../repository/store/verify.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import type { Repositories, StoredTenant } from '../repositories/repositories.ts';
import type { RestorePoints } from '../repositories/restore-points.ts';
import type { RepositoryRow } from '../state/repository-store.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';

export interface RepositoryHandlersOptions {
  readonly repositories: Repositories;
  readonly points: RestorePoints;
  readonly sessions: ProviderSessions;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly publish: EventPublisher;
  /** Called with the bytes that a tenant's packs use now, as its quota counts them. */
  readonly onUsage: (tenantId: string, repositoryId: string, usedBytes: number) => Promise<void>;
  /** Called when the name in the quotas of tenants has changed. */
  readonly onRenamed: (repositoryId: string) => Promise<void>;
}

export function repositoryHandlers(options: RepositoryHandlersOptions): DomainHandlers<typeof repositoriesDomain> {
  const { repositories, points, sessions, audit, logger, publish, onUsage } = options;
  /** Damaged blocks must not count against the tenant's quota: a full quota would refuse the backup that sends them again. */
  const countAgain = async (repositoryId: string, { tenantId, location }: StoredTenant): Promise<void> => {
    try {
      await onUsage(tenantId, repositoryId, await points.usedBytes(location));
    } catch (error) {
      logger.error('The space that a tenant uses cannot be counted', { location, error });
    }
  };
  return {
    list: async () => ({ repositories: await repositories.list() }),
    add: async ({ name, folder }, context) => {
      const row = await repositories.add(name, folder);
      const place = storageBackends.describe(row.location);
      await audit.add(describeCaller(context), name, notable('repository.add', { folder: place }));
      const described = await repositories.describe(row);
      publish(repositoriesDomain, 'changed', described);
      return described;
    },
    checkFolder: ({ folder, repositoryId }) => repositories.check(folder, repositoryId),
    set: async ({ repositoryId, name, folder }, context) => {
      const before = await repositories.get(repositoryId);
      const change = (): Promise<RepositoryRow> => repositories.change(repositoryId, { name, folder });
      const row = folder === undefined ? await change() : await sessions.whileUnused(repositoryId, change);
      const place = storageBackends.describe(row.location);
      await audit.add(
        describeCaller(context),
        before.name,
        notable('repository.set', { name: row.name, folder: place }),
      );
      const described = await repositories.describe(row);
      publish(repositoriesDomain, 'changed', described);
      if (row.name !== before.name) await options.onRenamed(repositoryId);
      return described;
    },
    remove: async ({ repositoryId }, context) => {
      const { name } = await repositories.get(repositoryId);
      await repositories.remove(repositoryId);
      await audit.add(describeCaller(context), name, notable('repository.remove'));
      publish(repositoriesDomain, 'removed', { repositoryId });
      return {};
    },
    verify: async ({ repositoryId, isDeep = false }, context) => {
      const rows = repositoryId === undefined ? await repositories.rows() : [await repositories.get(repositoryId)];
      const damaged: ReportedDamage[] = [];
      const settled: ReportedDamage[] = [];
      const totals = { packs: 0, points: 0, soundAgainBlocks: 0 };
      let markingProblem: string | null = null;
      for (const row of rows) {
        const findingsBefore = damaged.length;
        for (const tenant of await repositories.tenants(row.id)) {
          let result: MarkedVerifyResult;
          try {
            result = await verifyAndMark({
              place: storageBackends.open(tenant.location),
              logger,
              isDeep,
              signal: context.signal,
            });
          } catch (error) {
            // An unreadable folder of one tenant must not stop the check of the others.
            const { code, message } = toFarkeepError(error, 'storage.io');
            if (!code.startsWith('storage.')) throw error;
            const nothing = { damagedBlocks: 0, lostBlocks: 0, points: [] };
            damaged.push({ pack: tenant.tenantId, reason: message, ...nothing });
            continue;
          }
          totals.packs += result.packs;
          totals.points += result.points;
          totals.soundAgainBlocks += result.soundAgainBlocks;
          markingProblem ??= result.markingProblem ?? null;
          await countAgain(row.id, tenant);
          damaged.push(...result.damaged.map((damage) => report(tenant.tenantId, damage)));
          settled.push(...result.settled.map((damage) => report(tenant.tenantId, damage)));
          const lost = result.damaged.reduce((sum, { lostBlocks }) => sum + lostBlocks, 0);
          if (lost > 0)
            await audit.add(describeCaller(context), row.name, notable('repository.damage', { blocks: lost }));
        }
        await repositories.setVerified(row.id, damaged.length - findingsBefore);
        publish(repositoriesDomain, 'changed', await repositories.describe(await repositories.get(row.id)));
      }
      return { ok: damaged.length === 0, ...totals, damaged, settled, markingProblem };
    },
    rebuildCatalogue: async ({ repositoryId }, context) => {
      const { name } = await repositories.get(repositoryId);
      const tenants = await repositories.tenants(repositoryId);
      const busy = tenants.find(({ location }) => sessions.isLocationBusy(location));
      if (busy !== undefined) {
        throw new FarkeepError('service.locked', `A session is using ${storageBackends.describe(busy.location)}`, {
          hint: 'Wait until the session has ended, or stop it.',
        });
      }
      const totals = { tenants: tenants.length, packs: 0, points: 0 };
      const failures: unknown[] = [];
      for (const tenant of tenants) {
        const { location } = tenant;
        try {
          const result = await rebuildCatalogue({ place: storageBackends.open(location), logger });
          points.forget(location);
          await countAgain(repositoryId, tenant);
          totals.packs += result.packs;
          totals.points += result.points;
        } catch (error) {
          logger.error('The catalogue of a tenant cannot be rebuilt', { location, error });
          failures.push(error);
        }
      }
      // The other tenants are finished; the first failure is reported.
      if (failures.length > 0) throw toFarkeepError(failures[0], 'storage.io');
      await audit.add(describeCaller(context), name, notable('repository.rebuild-catalogue'));
      return totals;
    },
  };
}

type ReportedDamage = z.infer<typeof damageSchema>;

function report(tenantId: string, damage: Damage): ReportedDamage {
  const { pack, manifest, reason, damagedBlocks, lostBlocks, points } = damage;
  return {
    ...(pack === undefined ? {} : { pack: inTenant(tenantId, pack) }),
    ...(manifest === undefined ? {} : { manifest: inTenant(tenantId, manifest) }),
    reason,
    damagedBlocks,
    lostBlocks,
    points: [...points],
  };
}

/** Adds the tenant's folder to a file name, so that the admin can find the file. */
function inTenant(tenantId: string, name: string): string {
  return path.posix.join(tenantId, name);
}
