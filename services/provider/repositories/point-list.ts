// Owns the list of restore points for a tenant: page by page, oldest first. A damaged point must not hide other points. A damaged point is
// listed with the reason, so that the tenant can delete it. Must not read files.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { forTenant } from '../../mover/link/for-tenant.ts';
import { storageBackends } from '../../repository/backends.ts';
import {
  maxUnreadablePoints,
  offeredPointSchema,
  type TenantRequestInput,
  type TenantRequestOutput,
} from '../../wire/control-messages.ts';
import type { PointListing, RestorePoints } from './restore-points.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { Quota } from '../state/account-store.ts';

type Answer = TenantRequestOutput<'points.list'>;
type OfferedPoint = Answer['points'][number];
type UnreadablePoint = NonNullable<Answer['unreadable']>[number];

interface Offer {
  readonly points: readonly OfferedPoint[];
  readonly unreadable: readonly UnreadablePoint[];
}

/** A page stays well below the size limit of a control message. */
const maxPageBytes = 160 * 1024;
const pointIdPattern = /^[0-9a-f]{32}$/;

export class PointList {
  readonly #accounts: TenantAccounts;
  readonly #points: RestorePoints;
  readonly #logger: Logger;
  /** Cached pages of an unchanged listing, so that each page request does not repeat the work. */
  readonly #offers = new WeakMap<readonly PointListing[], Offer>();

  constructor({ accounts, points, logger }: { accounts: TenantAccounts; points: RestorePoints; logger: Logger }) {
    this.#accounts = accounts;
    this.#points = points;
    this.#logger = logger;
  }

  /** @throws call.conflict when the point named by `after` no longer exists; storage errors without details for the provider */
  async page(tenantId: string, input: TenantRequestInput<'points.list'>): Promise<Answer> {
    const { after, limit } = input;
    const offers: Offer[] = [];
    const problems: NonNullable<Answer['problems']> = [];
    for (const quota of await this.#accounts.quotas(tenantId)) {
      try {
        offers.push(await this.#offerOf(tenantId, quota));
      } catch (error) {
        this.#logger.error('The restore points of a tenant cannot be read', { tenantId, error });
        const failure = forTenant(toFarkeepError(error, 'storage.io'));
        if (input.canNameProblems !== true) throw failure;
        problems.push({ repository: quota.repository, reason: failure.message.slice(0, 300) });
      }
    }
    const [only] = offers;
    const all =
      only !== undefined && offers.length === 1 ? only.points : offers.flatMap(({ points }) => points).sort(byTime);
    const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    if (after !== null && start === 0) {
      throw new FarkeepError('call.conflict', 'The list of restore points changed while it was read', {
        hint: 'Ask again.',
        retryable: true,
      });
    }
    const points = pageOf(all, start, limit);
    return {
      points,
      hasMore: start + points.length < all.length,
      ...(after === null
        ? { unreadable: offers.flatMap(({ unreadable }) => unreadable).slice(0, maxUnreadablePoints), problems }
        : {}),
    };
  }

  async #offerOf(tenantId: string, { repository, location }: Quota): Promise<Offer> {
    const listings = await this.#points.list(storageBackends.locateTenant(location, tenantId));
    let offer = this.#offers.get(listings);
    if (offer === undefined) {
      offer = makeOffer(listings, repository);
      this.#offers.set(listings, offer);
    }
    return offer;
  }
}

function makeOffer(listings: readonly PointListing[], repository: string): Offer {
  const points: OfferedPoint[] = [];
  const unreadable: UnreadablePoint[] = [];
  for (const listing of listings) {
    const parsed = offeredPointSchema.safeParse(offeredPoint(listing, repository));
    if (parsed.success) points.push(parsed.data);
    // A file with another name was not created by this product; verify reports it to the provider.
    else if (pointIdPattern.test(listing.pointId)) {
      const field = parsed.error.issues[0]?.path.join('.') ?? '';
      const reason = listing.problem === undefined ? `"${field}" is out of range` : 'Its root is damaged';
      unreadable.push({ id: listing.pointId, repository, reason });
    }
  }
  return { points: points.sort(byTime), unreadable };
}

/** Undefined for a damaged root. */
function offeredPoint(
  { pointId, root, committedAtMs }: PointListing,
  repository: string,
): Record<string, unknown> | undefined {
  if (root === undefined) return undefined;
  const encryption: string = root.encryption;
  const createdAt = new Date(root.createdAtMs);
  return {
    id: pointId,
    jobId: root.jobId,
    jobName: root.jobName,
    repository,
    createdAt: Number.isNaN(createdAt.getTime()) ? undefined : createdAt.toISOString(),
    ...(committedAtMs === undefined || committedAtMs < 0 ? {} : { committedAtMs }),
    sourceBytes: root.totals.sourceBytes,
    files: root.totals.files,
    encrypted: encryption !== 'none',
    warnings: root.totals.warnings,
  };
}

/** A page has at least one point, so that the list always advances. */
function pageOf(all: readonly OfferedPoint[], start: number, limit: number): OfferedPoint[] {
  const page: OfferedPoint[] = [];
  let bytes = 0;
  for (const point of all.slice(start, start + limit)) {
    bytes += Buffer.byteLength(JSON.stringify(point));
    if (page.length > 0 && bytes > maxPageBytes) break;
    page.push(point);
  }
  return page;
}

function byTime(a: OfferedPoint, b: OfferedPoint): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
