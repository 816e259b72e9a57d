// Owns the schema of the provider's state. Passwords are stored only as SCRAM verifiers. The database never contains a session key.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../kernel/state/database.ts';
import type { Logger } from '../../kernel/logger.ts';
import { openServiceDatabase } from '../../kernel/state/service-database.ts';
import { sessionFiguresMigration, sessionHistoryMigration } from '../../session/state/sqlite-session-history.ts';

const accounts = `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    is_enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    lease_until TEXT,
    last_login_at TEXT,
    salt BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL
  ) STRICT;
  CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL,
    used_at TEXT,
    salt BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL
  ) STRICT;
  CREATE TABLE repositories (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    folder TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE quotas (
    tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES repositories (id),
    limit_bytes INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, repository_id)
  ) STRICT;
  CREATE TABLE gateways (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    addresses TEXT NOT NULL,
    is_enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    enrolled_at TEXT,
    last_seen_at TEXT,
    token_hash TEXT,
    token_expires_at TEXT,
    certificate_sha256 TEXT
  ) STRICT;
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE TABLE identity_users (
    slot TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    PRIMARY KEY (slot, kind, name)
  ) STRICT;
`;

/** The reports of each user of the provider identity (certificate-users.ts). */
const certificateUsers = `
  ALTER TABLE identity_users ADD COLUMN previous_sha256 TEXT;
  ALTER TABLE identity_users ADD COLUMN accepted_by TEXT;
  ALTER TABLE identity_users ADD COLUMN next_sha256 TEXT;
  ALTER TABLE identity_users ADD COLUMN refused_sha256 TEXT;
  ALTER TABLE identity_users ADD COLUMN refused_reason TEXT;
`;

/** Null: the limit in the configuration applies. */
const tasksOfTenants = 'ALTER TABLE tenants ADD COLUMN max_tasks INTEGER;';

/** Null: the invitation is older than this column. */
const fingerprintOfInvitations = 'ALTER TABLE invitations ADD COLUMN fingerprint TEXT;';

/** A renewed client certificate that the gateway has not used yet. */
const renewedGateways = 'ALTER TABLE gateways ADD COLUMN renewed_sha256 TEXT;';

/** Null: never verified. */
const verifiedRepositories = `
  ALTER TABLE repositories ADD COLUMN verified_at TEXT;
  ALTER TABLE repositories ADD COLUMN findings INTEGER;
`;

/** The last remote address of a gateway's link. This address gets reserved connections when strangers flood the infrastructure port. */
const addressesOfLinks = 'ALTER TABLE gateways ADD COLUMN link_address TEXT;';

/** Null: the entry is older than this column. */
const parametersOfAudit = 'ALTER TABLE audit ADD COLUMN parameters TEXT;';

/** Jobs of tenants name their repository, so a former name still leads to it. */
const formerRepositoryNames = `
  CREATE TABLE former_repository_names (
    name TEXT PRIMARY KEY,
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE
  ) STRICT;
`;

export const providerMigrations: readonly string[] = [
  accounts,
  sessionHistoryMigration,
  certificateUsers,
  tasksOfTenants,
  fingerprintOfInvitations,
  renewedGateways,
  verifiedRepositories,
  addressesOfLinks,
  parametersOfAudit,
  sessionFiguresMigration,
  formerRepositoryNames,
];

/** @throws service.database-damaged */
export function openProviderDatabase(home: string, logger?: Logger): Database {
  return openServiceDatabase({
    file: path.join(home, 'provider.sqlite'),
    role: 'provider',
    migrations: providerMigrations,
    logger,
    // The first start creates the folder after the database.
    wasUsed: () => existsSync(path.join(home, 'certificates')),
  });
}
