// Owns what restore points the tenant's providers hold, and the trees of those that were looked at. The list is always asked for, never kept.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RestorePoint } from '../contracts/models/tenant.ts';
import type { Database } from '../kernel/database.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { newId } from '../kernel/identifier.ts';
import { askProvider } from '../wire/control-calls.ts';
import type { ProviderDialer } from './provider-dialer.ts';
import type { ServiceProviders } from './service-providers.ts';
import type { SessionManager } from './session-manager.ts';

const pageSize = 200;
const listTimeoutMs = 30_000;
const browseStreams = 1;

export interface KnownPoint {
  readonly id: string;
  readonly providerId: string;
  readonly repository: string;
  readonly jobId: string;
  readonly jobName: string;
}

export class Points {
  readonly #database: Database;
  readonly #providers: ServiceProviders;
  readonly #dialer: ProviderDialer;
  readonly #sessions: SessionManager;
  readonly #folder: string;
  /** One fetch of a tree, however many ask for it. */
  readonly #fetching = new Map<string, Promise<string>>();
  /** As listed last; what a full disk does not take is known here all the same. */
  readonly #listed = new Map<string, KnownPoint>();

  constructor(options: {
    database: Database;
    providers: ServiceProviders;
    dialer: ProviderDialer;
    sessions: SessionManager;
    /** Where fetched trees are kept. */
    folder: string;
  }) {
    this.#database = options.database;
    this.#providers = options.providers;
    this.#dialer = options.dialer;
    this.#sessions = options.sessions;
    this.#folder = options.folder;
  }

  async list(
    signal: AbortSignal,
  ): Promise<{ points: RestorePoint[]; unreachable: { provider: string; message: string }[] }> {
    const unreachable: { provider: string; message: string }[] = [];
    const lists = await Promise.all(
      this.#providers.list().map(async (provider) => {
        try {
          const within = AbortSignal.any([signal, AbortSignal.timeout(listTimeoutMs)]);
          return await this.#listOf(provider.id, within);
        } catch (error) {
          if (signal.aborted) throw error;
          unreachable.push({ provider: provider.name, message: toFarkeepError(error).message });
          return [];
        }
      }),
    );
    return { points: inOrder(lists.flat()), unreachable };
  }

  /** Where a point is. Asks the providers when it is not known yet. @throws call.not-found */
  async find(pointId: string, signal: AbortSignal): Promise<KnownPoint> {
    const known = this.#known(pointId);
    if (known !== undefined) return known;
    await this.list(signal);
    const found = this.#known(pointId);
    if (found === undefined) {
      throw new FarkeepError('call.not-found', 'No service provider that answers has this restore point', {
        field: 'pointId',
      });
    }
    return found;
  }

  /** The saved tree of a point; fetched through a session the first time. @returns its file */
  async tree(pointId: string, signal: AbortSignal): Promise<string> {
    const file = path.join(this.#folder, `${pointId}.tree`);
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
    const onAbort = (): void => this.#sessions.cancel(sessionId);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await done;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    const { error } = this.#sessions.show(sessionId).detail;
    if (error !== null) throw FarkeepError.fromInfo(error);
    return file;
  }

  async #listOf(providerId: string, signal: AbortSignal): Promise<RestorePoint[]> {
    const provider = this.#providers.get(providerId);
    const points = await this.#dialer.askAmongOthers(provider, signal, async (link) => {
      const all: RestorePoint[] = [];
      let after: string | null = null;
      for (;;) {
        const page: {
          points: (Omit<RestorePoint, 'job' | 'providerName' | 'committedAt'> & {
            committedAtMs?: number | undefined;
          })[];
          hasMore: boolean;
        } & {
          points: { jobName: string }[];
        } = await askProvider(link.channel.peer, 'points.list', { after, limit: pageSize }, { signal });
        for (const { jobName, committedAtMs, ...point } of page.points) {
          const committedAt = committedAtMs === undefined ? undefined : new Date(committedAtMs).toISOString();
          all.push({ ...point, committedAt, job: jobName, providerName: provider.name });
        }
        after = page.points.at(-1)?.id ?? null;
        if (!page.hasMore || after === null) return all;
      }
    });
    for (const { id, repository, jobId, job } of points) {
      this.#listed.set(id, { id, providerId, repository, jobId, jobName: job });
    }
    this.#note(providerId, points);
    return points;
  }

  /** So that a point is found without its provider after a restart; not worth failing for. */
  #note(providerId: string, points: readonly RestorePoint[]): void {
    this.#database.noteAll(() => {
      for (const { id, repository, jobId, job } of points) {
        this.#database.run(
          `INSERT INTO known_points (id, provider_id, repository, job_id, job_name) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET provider_id = excluded.provider_id, repository = excluded.repository`,
          id,
          providerId,
          repository,
          jobId,
          job,
        );
      }
    });
  }

  #known(pointId: string): KnownPoint | undefined {
    const listed = this.#listed.get(pointId);
    if (listed !== undefined) return listed;
    const row = this.#database.get('SELECT * FROM known_points WHERE id = ?', pointId);
    if (row === undefined) return undefined;
    return {
      id: pointId,
      providerId: String(row['provider_id']),
      repository: String(row['repository']),
      jobId: String(row['job_id']),
      jobName: String(row['job_name']),
    };
  }
}

/**
 * Oldest first, by when the provider had them. A tenant whose clock was wrong for one run would otherwise have a newest point that stays the
 * newest until that time has come.
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
