// Owns the list of restore points at the tenant's providers, and the saved trees of points that were opened. Always asks the providers for
// the list.
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { EventPublisher } from '../../contracts/contract.ts';
import type { RestorePoint, ServiceProvider, UnreadablePoint } from '../../contracts/models/tenant.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { signalWithin, whenAborted } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { maxPoints, type TenantRequestOutput } from '../../wire/control-messages.ts';
import { readPages } from '../../wire/paged-list.ts';
import type { ProviderDialer } from '../providers/provider-dialer.ts';
import type { ServiceProviders } from '../providers/service-providers.ts';
import type { KnownPoint, PointStore } from '../state/point-store.ts';
import type { TenantSessions } from './tenant-sessions.ts';

const pageSize = 200;
const listTimeoutMs = 30_000;
const deleteTimeoutMs = 60_000;
const idPattern = /^[0-9a-f]{32}$/;
const browseStreams = 1;

interface PointLists {
  readonly points: RestorePoint[];
  readonly unreadable: UnreadablePoint[];
  /** Providers that could not be asked. */
  readonly unreachable: { provider: string; message: string }[];
}

export class Points {
  readonly #store: PointStore;
  readonly #providers: ServiceProviders;
  readonly #dialer: ProviderDialer;
  readonly #sessions: TenantSessions;
  readonly #folder: string;
  readonly #publish: EventPublisher;
  /** The provider of each unreadable point, by the point's identifier, from the last list of each provider. */
  #unreadable = new Map<string, string>();
  /** Simultaneous requests for the same tree share one fetch. */
  readonly #fetching = new Map<string, Promise<string>>();
  /** The last list of points. In memory too, so that they are known even if a full disk refuses to store the list. */
  readonly #listed = new Map<string, KnownPoint>();

  constructor(options: {
    store: PointStore;
    providers: ServiceProviders;
    dialer: ProviderDialer;
    sessions: TenantSessions;
    /** Where fetched trees are kept. */
    folder: string;
    publish: EventPublisher;
  }) {
    this.#store = options.store;
    this.#providers = options.providers;
    this.#dialer = options.dialer;
    this.#sessions = options.sessions;
    this.#folder = options.folder;
    this.#publish = options.publish;
  }

  /** Lists the points of every provider. A hostile or silent provider does not hide the points of the others. */
  async list(signal: AbortSignal): Promise<PointLists> {
    const lists = await Promise.all(
      this.#providers.list().map(async (provider): Promise<PointLists> => {
        using within = signalWithin({ limitMs: listTimeoutMs, signal });
        try {
          return await this.#listOf(provider, within.signal);
        } catch (error) {
          if (signal.aborted) throw error;
          const message = within.signal.aborted
            ? `The list of restore points was not complete within ${listTimeoutMs / 1000} s`
            : toFarkeepError(error).message;
          return { points: [], unreadable: [], unreachable: [{ provider: provider.name, message }] };
        }
      }),
    );
    const shrunk = await this.#sessions.shrunkPoints();
    const points = lists.flatMap((list) => list.points.map((point) => ({ ...point, isShrunk: shrunk.has(point.id) })));
    return {
      points: inOrder(points),
      unreadable: lists.flatMap((list) => list.unreadable),
      unreachable: lists.flatMap((list) => list.unreachable),
    };
  }

  /** @throws call.not-found, call.conflict while a session uses the point, protocol.feature, errors of the provider */
  async delete(
    pointId: string,
    signal: AbortSignal,
  ): Promise<{ pointId: string; providerName: string; repository: string; deletedAt: string }> {
    const provider = await this.#providerOf(pointId, signal);
    using within = signalWithin({ limitMs: deleteTimeoutMs, signal });
    const deleted = await this.#dialer.withLink(provider, within.signal, (link) => {
      if (!link.hello.features.some(({ name }) => name === 'delete-points')) {
        throw new FarkeepError('protocol.feature', `"${provider.name}" cannot delete restore points`, {
          hint: 'The provider has to update its service.',
        });
      }
      return askProvider(
        link.channel.peer,
        'points.delete',
        { pointId },
        { signal: within.signal, timeoutMs: deleteTimeoutMs },
      );
    });
    await this.#store.noteDeleted(pointId);
    this.#listed.delete(pointId);
    this.#unreadable.delete(pointId);
    await rm(this.#treeFile(pointId), { force: true });
    this.#publish(pointsDomain, 'changed', {});
    return { pointId, providerName: provider.name, ...deleted };
  }

  /** Finds the provider of a point. Asks all providers if the point is not listed yet. @throws call.not-found */
  async find(pointId: string, signal: AbortSignal): Promise<KnownPoint> {
    const listed = await this.#known(pointId);
    if (listed !== undefined) return listed;
    await this.list(signal);
    const found = await this.#known(pointId);
    if (found === undefined) throw notFound();
    return found;
  }

  /** The saved tree of a point. The first request fetches it through a session. @returns its file */
  async tree(pointId: string, signal: AbortSignal): Promise<string> {
    const file = this.#treeFile(pointId);
    if (await exists(file)) return file;
    const running = this.#fetching.get(pointId) ?? this.#fetch(pointId, file, signal);
    this.#fetching.set(pointId, running);
    try {
      return await running;
    } finally {
      this.#fetching.delete(pointId);
    }
  }

  async restore(
    pointId: string,
    input: { paths: readonly string[]; destination: string; overwrite: 'never' | 'older' | 'always' },
    signal: AbortSignal,
  ): Promise<{ sessionId: string }> {
    const point = await this.find(pointId, signal);
    const { sessionId } = this.#sessions.start(
      {
        sessionId: newId(),
        operation: 'restore',
        jobId: point.jobId,
        jobName: point.jobName,
        repository: point.repository,
        pointId,
        streams: 2,
        moverOperation: { kind: 'restore', pointId, ...input },
      },
      point.providerId,
    );
    return { sessionId };
  }

  async #fetch(pointId: string, file: string, signal: AbortSignal): Promise<string> {
    const point = await this.find(pointId, signal);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { sessionId, done } = this.#sessions.start(
      {
        sessionId: newId(),
        operation: 'browse',
        jobId: point.jobId,
        jobName: point.jobName,
        repository: point.repository,
        pointId,
        streams: browseStreams,
        moverOperation: { kind: 'manifest', pointId, saveTo: file },
      },
      point.providerId,
    );
    // The cancel fails only for a session that has ended, and then there is nothing to cancel.
    const onAbort = (): void => void this.#sessions.cancel(sessionId).catch(() => undefined);
    const stopListening = whenAborted(signal, onAbort);
    try {
      await done;
    } finally {
      stopListening();
    }
    const { error } = (await this.#sessions.show(sessionId)).detail;
    if (error !== null) throw FarkeepError.fromInfo(error);
    return file;
  }

  async #listOf(provider: ServiceProvider, signal: AbortSignal): Promise<PointLists> {
    const providerName = provider.name;
    let first: TenantRequestOutput<'points.list'> | undefined;
    const { rows, leftOutCount, leftOutNames } = await this.#dialer.askAmongOthers(provider, signal, (link) =>
      readPages('restore points', maxPoints, async (after) => {
        const input = { after, limit: pageSize, canNameProblems: true };
        const page = await askProvider(link.channel.peer, 'points.list', input, { signal });
        first ??= page;
        return { rows: page.points, hasMore: page.hasMore };
      }),
    );
    const points = rows.map(({ jobName, committedAtMs, ...point }) => ({
      ...point,
      committedAt: committedAtMs === undefined ? undefined : new Date(committedAtMs).toISOString(),
      job: jobName,
      providerName,
    }));
    const unreadable: UnreadablePoint[] = (first?.unreadable ?? []).map((point) => ({ ...point, providerName }));
    for (const name of leftOutNames) {
      const reason = `The data of the provider about ${name} is invalid`;
      unreadable.push({ id: idPattern.test(name) ? name : null, providerName, repository: null, reason });
    }
    if (leftOutCount > leftOutNames.length) {
      const reason = `The data of the provider about ${leftOutCount - leftOutNames.length} more is invalid`;
      unreadable.push({ id: null, providerName, repository: null, reason });
    }
    await this.#remember(provider.id, points, unreadable);
    const unreachable = (first?.problems ?? []).map(({ repository, reason }) => ({
      provider: `${providerName} / ${repository}`,
      message: reason,
    }));
    return { points, unreadable, unreachable };
  }

  /**
   * Keeps only the provider's current points, so that repeated lists do not fill the disk. A point keeps its first provider if a second
   * provider lists the point too.
   */
  async #remember(
    providerId: string,
    points: readonly RestorePoint[],
    unreadable: readonly UnreadablePoint[],
  ): Promise<void> {
    const otherIds = new Set(this.#providers.list().map(({ id }) => id));
    otherIds.delete(providerId);
    for (const [id, point] of this.#listed) if (!otherIds.has(point.providerId)) this.#listed.delete(id);
    const knownPoints = points.map(({ id, repository, jobId, job }) => ({
      id,
      providerId,
      repository,
      jobId,
      jobName: job,
    }));
    for (const point of knownPoints) if (!this.#listed.has(point.id)) this.#listed.set(point.id, point);
    for (const [id, listedBy] of this.#unreadable) if (listedBy === providerId) this.#unreadable.delete(id);
    for (const { id } of unreadable) if (id !== null) this.#unreadable.set(id, providerId);
    // Stored so that a point is found after a restart while its provider is unreachable. A failed write is ignored.
    await this.#store.noteListed(providerId, knownPoints);
  }

  async #providerOf(pointId: string, signal: AbortSignal): Promise<ServiceProvider> {
    const find = async (): Promise<string | undefined> =>
      (await this.#known(pointId))?.providerId ?? this.#unreadable.get(pointId);
    let providerId = await find();
    if (providerId === undefined) {
      await this.list(signal);
      providerId = await find();
    }
    if (providerId === undefined) throw notFound();
    return this.#providers.get(providerId);
  }

  #treeFile(pointId: string): string {
    return path.join(this.#folder, `${pointId}.tree`);
  }

  async #known(pointId: string): Promise<KnownPoint | undefined> {
    return this.#listed.get(pointId) ?? (await this.#store.find(pointId));
  }
}

function notFound(): FarkeepError {
  return new FarkeepError('call.not-found', 'No service provider that answers has this restore point', {
    field: 'pointId',
  });
}

/**
 * Sorts oldest first, by the commit time at the provider. With the tenant's own times, one run with a clock in the future would stay the
 * newest point until that date.
 */
export function inOrder(points: readonly RestorePoint[]): RestorePoint[] {
  const timeOf = ({ committedAt, createdAt }: RestorePoint): number => Date.parse(committedAt ?? createdAt);
  return points.toSorted(
    (a, b) => timeOf(a) - timeOf(b) || Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.id < b.id ? -1 : 1),
  );
}

async function exists(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
