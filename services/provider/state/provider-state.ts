// Owns opening the provider's state: one store for each subject, all in one database. Must not contain rules about the stored data.
import type { Logger } from '../../kernel/logger.ts';
import type { Database } from '../../kernel/state/database.ts';
import type { SessionHistory } from '../../session/session-history.ts';
import { SqliteSessionHistory } from '../../session/state/sqlite-session-history.ts';
import { SqliteAccountStore, type AccountStore } from './account-store.ts';
import { SqliteAuditStore, type AuditStore } from './audit-store.ts';
import { SqliteCertificateUserStore, type CertificateUserStore } from './certificate-user-store.ts';
import { SqliteGatewayStore, type GatewayStore } from './gateway-store.ts';
import { openProviderDatabase } from './provider-database.ts';
import { SqliteRepositoryStore, type RepositoryStore } from './repository-store.ts';
import { SqliteSettingsStore, type SettingsStore } from './settings-store.ts';

export interface ProviderState {
  readonly accounts: AccountStore;
  readonly audit: AuditStore;
  readonly certificateUsers: CertificateUserStore;
  readonly gateways: GatewayStore;
  readonly repositories: RepositoryStore;
  readonly sessions: SessionHistory;
  readonly settings: SettingsStore;
  /** Connections that are ending may cause events after the state was closed. */
  readonly isClosed: boolean;
  close(): void;
}

/** @throws service.database-damaged, service.start-failed for a database of a newer version, storage errors */
export function openProviderState(home: string, logger?: Logger): ProviderState {
  return stateIn(openProviderDatabase(home, logger));
}

export function stateIn(database: Database): ProviderState {
  return {
    accounts: new SqliteAccountStore(database),
    audit: new SqliteAuditStore(database),
    certificateUsers: new SqliteCertificateUserStore(database),
    gateways: new SqliteGatewayStore(database),
    repositories: new SqliteRepositoryStore(database),
    sessions: new SqliteSessionHistory(database),
    settings: new SqliteSettingsStore(database),
    get isClosed() {
      return database.isClosed;
    },
    close: () => database.close(),
  };
}
