// Owns the schema of the trust database: pins and the trust journal in one SQLite file.
import type { Database } from '../kernel/state/database.ts';
import type { Logger } from '../kernel/logger.ts';
import { openServiceDatabase } from '../kernel/state/service-database.ts';

const migrations = [
  `CREATE TABLE pin (
     id TEXT PRIMARY KEY,
     identity TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('current', 'next', 'revoked', 'replaced')),
     sha256 TEXT NOT NULL,
     certificate_der BLOB NOT NULL,
     pinned_at INTEGER NOT NULL,
     usable_from INTEGER
   ) STRICT;
   CREATE UNIQUE INDEX pin_one_current ON pin (identity) WHERE state = 'current';
   CREATE UNIQUE INDEX pin_one_next ON pin (identity) WHERE state = 'next';
   CREATE INDEX pin_identity ON pin (identity);
   CREATE TABLE journal (
     sequence INTEGER PRIMARY KEY,
     at TEXT NOT NULL,
     who TEXT NOT NULL,
     action TEXT NOT NULL,
     identity TEXT NOT NULL,
     address TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     note TEXT NOT NULL,
     hash TEXT NOT NULL
   ) STRICT;`,
  `ALTER TABLE pin ADD COLUMN announced_at INTEGER;`,
  // Before this column existed, only the journal said how a certificate was accepted. Null: a person accepted the certificate.
  `ALTER TABLE pin ADD COLUMN origin TEXT;
   UPDATE pin SET origin = (
     SELECT CASE WHEN action = 'rolled-over' THEN 'rollover' WHEN who = 'given with the command' THEN 'thumbprint' END
     FROM journal WHERE journal.sha256 = pin.sha256 AND action IN ('accepted', 'imported', 'rolled-over')
     ORDER BY sequence DESC LIMIT 1);`,
];

/**
 * @param file path or ":memory:"
 * @param wasUsed whether the tenant has had providers before; if so, an empty file counts as damaged
 * @throws service.database-damaged
 */
export function openTrustDatabase(
  file: string,
  { logger, wasUsed }: { logger?: Logger; wasUsed?: () => boolean } = {},
): Database {
  return openServiceDatabase({ file, role: 'tenant', migrations, logger, wasUsed });
}
