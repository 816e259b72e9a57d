// Owns opening the tenant's state: one store for each subject, all in one database. Pins and the trust journal have their own database.
import type { Logger } from '../../kernel/logger.ts';
import type { Database } from '../../kernel/state/database.ts';
import type { SessionHistory } from '../../session/session-history.ts';
import { SqliteSessionHistory } from '../../session/state/sqlite-session-history.ts';
import { SqliteJobStore, type JobStore } from './job-store.ts';
import { SqlitePointStore, type PointStore } from './point-store.ts';
import { SqliteProviderStore, type ProviderStore } from './provider-store.ts';
import { openTenantDatabase } from './tenant-database.ts';

export interface TenantState {
  readonly jobs: JobStore;
  readonly points: PointStore;
  readonly providers: ProviderStore;
  readonly sessions: SessionHistory;
  close(): void;
}

/** @throws service.database-damaged, service.start-failed for a database of a newer version, storage errors */
export function openTenantState(home: string, logger?: Logger): TenantState {
  return stateIn(openTenantDatabase(home, logger));
}

export function stateIn(database: Database): TenantState {
  return {
    jobs: new SqliteJobStore(database),
    points: new SqlitePointStore(database),
    providers: new SqliteProviderStore(database),
    sessions: new SqliteSessionHistory(database),
    close: () => database.close(),
  };
}
