// Owns the schema of the tenant's state: providers, jobs, sessions, known restore points. Passwords are stored only encrypted.
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../kernel/state/database.ts';
import type { Logger } from '../../kernel/logger.ts';
import { openServiceDatabase } from '../../kernel/state/service-database.ts';
import { sessionFiguresMigration, sessionHistoryMigration } from '../../session/state/sqlite-session-history.ts';

const directory = `
  CREATE TABLE providers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    user_name TEXT NOT NULL,
    sealed_password BLOB NOT NULL,
    added_at TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    trust TEXT NOT NULL,
    repositories TEXT NOT NULL,
    gateways TEXT NOT NULL,
    last_contact_at TEXT,
    problem TEXT
  ) STRICT;
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    provider_id TEXT NOT NULL REFERENCES providers (id),
    repository TEXT NOT NULL,
    source_paths TEXT NOT NULL,
    excludes TEXT NOT NULL,
    streams INTEGER NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE known_points (
    id TEXT PRIMARY KEY,
    provider_id TEXT NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    job_id TEXT NOT NULL,
    job_name TEXT NOT NULL
  ) STRICT;
`;

/** Without the code, the console could not tell a refused login from other problems. */
const problemCode = 'ALTER TABLE providers ADD COLUMN problem_code TEXT;';

export const tenantMigrations: readonly string[] = [
  directory,
  sessionHistoryMigration,
  sessionFiguresMigration,
  problemCode,
];

/** @throws service.database-damaged */
export function openTenantDatabase(home: string, logger?: Logger): Database {
  return openServiceDatabase({
    file: path.join(home, 'tenant.sqlite'),
    role: 'tenant',
    migrations: tenantMigrations,
    logger,
    // The first start creates the file after this database.
    wasUsed: () => (statSync(path.join(home, 'trust.sqlite'), { throwIfNoEntry: false })?.size ?? 0) > 0,
  });
}
