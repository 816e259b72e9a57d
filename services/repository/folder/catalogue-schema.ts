// Owns the tables of catalogue.sqlite, and the check that a file contains exactly these tables. The owner of the disk can replace the file
// with any database. A view in place of a table, or a trigger, could run forever. So the schema text of the file is compared before the
// database is used.
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export type CatalogueAccess = 'write' | 'read' | 'frozen';

export const catalogueMigrations = [
  `CREATE TABLE packs (
     number INTEGER PRIMARY KEY,
     id BLOB NOT NULL UNIQUE,
     size_bytes INTEGER NOT NULL,
     block_count INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE blocks (
     id BLOB PRIMARY KEY,
     pack INTEGER NOT NULL REFERENCES packs (number),
     offset_bytes INTEGER NOT NULL,
     stored_bytes INTEGER NOT NULL,
     content_bytes INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     encoding INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE reservations (writer TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE damaged_places (
     id BLOB NOT NULL,
     pack INTEGER NOT NULL REFERENCES packs (number),
     offset_bytes INTEGER NOT NULL,
     stored_bytes INTEGER NOT NULL,
     content_bytes INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     encoding INTEGER NOT NULL,
     PRIMARY KEY (id, pack)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE applied_marks (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE damaged_places ADD COLUMN is_untrue INTEGER NOT NULL DEFAULT 0;`,
];

/** More rows than any version of the schema has. */
const maxSchemaRows = 32;
const maxSqlCharacters = 4000;

function schemaOf(database: DatabaseSync): string {
  const rows = database
    .prepare(`SELECT type, name, tbl_name, substr(sql, 1, ?) AS sql FROM sqlite_schema LIMIT ?`)
    .all(maxSqlCharacters, maxSchemaRows);
  return JSON.stringify(rows.map((row) => JSON.stringify(Object.values(row))).sort());
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

const expected = new Map<number, string>();

/** The schema as SQLite itself writes it after the first `version` migrations. */
function expectedSchema(version: number): string {
  let schema = expected.get(version);
  if (schema === undefined) {
    const database = new DatabaseSync(':memory:');
    for (const migration of catalogueMigrations.slice(0, version)) database.exec(migration);
    schema = schemaOf(database);
    database.close();
    expected.set(version, schema);
  }
  return schema;
}

/** @throws storage.damaged when the file contains other tables, views or triggers; SQLite's error when it is not a database */
export function checkCatalogueSchema(file: string, access: CatalogueAccess): void {
  const location = access === 'frozen' ? new URL(`${pathToFileURL(file).href}?immutable=1`) : file;
  const database = new DatabaseSync(location, { readOnly: access !== 'write', timeout: 5000, defensive: true });
  try {
    const version = versionOf(database);
    const isKnown = Number.isInteger(version) && version >= 0 && version <= catalogueMigrations.length;
    if (!isKnown || schemaOf(database) !== expectedSchema(version))
      throw new FarkeepError('storage.damaged', 'The catalog does not have the tables of this version');
  } finally {
    database.close();
  }
}
