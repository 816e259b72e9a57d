// Owns opening the database of a service. A damaged, empty, missing or newer database is refused with its file, the reason and the next
// step. Otherwise the service would start as if new and silently lose accounts, jobs and pins.
import { existsSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Database } from './database.ts';
import { FarkeepError, toFarkeepError } from '../farkeep-error.ts';
import { silentLogger, type Logger } from '../logger.ts';

/** Checking a larger database would delay the start too long; its damage is found when the data is read. */
const maxCheckedBytes = 64 * 1024 * 1024;
const lossNewsIntervalMs = 60_000;

export interface ServiceDatabaseOptions {
  /** Path of the database, directly in the folder of the service. */
  readonly file: string;
  /** Name of the service for people: "provider", "tenant". */
  readonly role: string;
  readonly migrations: readonly string[];
  readonly logger?: Logger | undefined;
  /** Whether other files show that the instance was used before. Folders of earlier versions have no mark beside the database. */
  readonly wasUsed?: (() => boolean) | undefined;
}

/**
 * Each database has a mark file beside it, written when its schema was complete. If the mark exists, a database that is missing, empty or
 * without a schema is damaged. If the mark is missing, the first start was interrupted.
 */
export function markOf(file: string): string {
  return `${file}.made`;
}

/** @throws service.database-damaged; service.start-failed for a database of a newer version; storage errors */
export function openServiceDatabase(options: ServiceDatabaseOptions): Database {
  const { file, migrations, logger = silentLogger } = options;
  if (file === ':memory:') return new Database(file, migrations);
  const wasMade = existsSync(markOf(file));
  const sizeBytes = sizeOf(file);
  const isEmpty = sizeBytes === undefined || sizeBytes === 0;
  if (isEmpty && (wasMade || (sizeOf(`${file}-wal`) ?? 0) > 0 || options.wasUsed?.() === true)) {
    throw damaged(options, sizeBytes === undefined ? 'is missing' : 'is empty, but was not empty before');
  }
  let lastNewsMs = Number.NEGATIVE_INFINITY;
  let database: Database;
  try {
    database = new Database(file, migrations, 'write', {
      beforeMigration: (version) => {
        if (version > migrations.length) throw newer(options, version);
        if (version === 0 && !isEmpty && wasMade) throw damaged(options, 'has no tables, but had tables before');
      },
      explain: (error) => explain(error, options),
      onLostNote: (error) => {
        // With a full disk several writes fail each second.
        if (performance.now() - lastNewsMs < lossNewsIntervalMs) return;
        lastNewsMs = performance.now();
        logger.error('A record could not be written; the service continues without it', {
          reason: toFarkeepError(error).message,
        });
      },
    });
    if (!isEmpty && sizeBytes < maxCheckedBytes) check(database, options);
  } catch (error) {
    const explained = explain(error, options);
    throw explained instanceof FarkeepError && explained.code === 'storage.damaged'
      ? damaged(options, `is damaged: ${reasonOf(error)}`, error)
      : explained;
  }
  if (!wasMade) mark(database, file);
  return database;
}

function check(database: Database, options: ServiceDatabaseOptions): void {
  try {
    const found = database.get('PRAGMA quick_check(1)')?.['quick_check'];
    if (found !== 'ok') throw damaged(options, `is damaged: ${String(found).replaceAll('\n', ' ')}`);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Writes a small file beside the database, which says that the database was used. Before that, the schema moves from the write-ahead log into
 * the database file: otherwise a lost log would leave an empty database beside the mark, and the service would report it as damaged.
 */
function mark(database: Database, file: string): void {
  try {
    database.get('PRAGMA wal_checkpoint(TRUNCATE)');
    writeFileSync(
      markOf(file),
      `${path.basename(file)} holds the state of a service. While this file is here, the service does not start when that database is missing or empty.\n` +
        'Restore the database from a copy. To start over on purpose, move the whole folder away.\n',
      { mode: 0o600 },
    );
  } catch {
    // The disk is full; the next start writes the mark.
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

function damaged({ file, role }: ServiceDatabaseOptions, what: string, cause?: unknown): FarkeepError {
  const folder = path.dirname(file);
  const name = path.basename(file);
  const consequence =
    role === 'provider'
      ? 'accounts, quotas, and gateways must be created again; the backups in the repositories are kept'
      : 'providers and jobs must be added again; the backups at the provider are kept';
  return new FarkeepError('service.database-damaged', `The database of the ${role} service, ${file}, ${what}`, {
    hint:
      `The service does not start with this database. Restore ${name} from the last copy of ${folder}. If the copy has ${name}-wal, restore this file too; otherwise delete it. Then start the service again. ` +
      `Without a copy, move ${folder} away and start with an empty folder: ${consequence}.`,
    cause,
  });
}

function newer({ file, role, migrations }: ServiceDatabaseOptions, version: number): FarkeepError {
  return new FarkeepError(
    'service.start-failed',
    `${file} was written by a newer version of Farkeep (schema ${version}; this version supports ${migrations.length})`,
    {
      hint: `Start the newer version of the ${role} service, or restore a copy of ${path.dirname(file)} from before the update.`,
    },
  );
}

/** Adds the file, the disk and the next step: SQLite only says "database or disk is full". */
function explain(error: unknown, { file, role }: ServiceDatabaseOptions): unknown {
  if (error instanceof FarkeepError) return error;
  const { code, message } = toFarkeepError(error);
  // Callers that can violate a constraint handle this error themselves; the conversion is for a caller that does not.
  if (isConstraint(error)) return new FarkeepError('call.conflict', undefined, { cause: error });
  if (!code.startsWith('storage.')) return error;
  const folder = path.dirname(file);
  if (code === 'storage.disk-full' || (code === 'storage.io' && isFull(folder))) {
    return new FarkeepError('storage.disk-full', `The disk of the ${role} service is full: ${file} cannot be written`, {
      hint: `Free space on the disk of ${folder}; the service then continues without a restart.`,
      cause: error,
    });
  }
  if (code === 'storage.damaged') {
    return new FarkeepError(code, `The database of the ${role} service, ${file}, is damaged: ${message}`, {
      hint: `Stop the service and restore the last copy of ${folder}.`,
      cause: error,
    });
  }
  return new FarkeepError(code, `The database of the ${role} service, ${file}, cannot be used: ${message}`, {
    hint: `Check the disk and the rights of ${folder}.`,
    cause: error,
  });
}

/** SQLite's message without the file, which is already named. */
function reasonOf(error: unknown): string {
  const origin = error instanceof FarkeepError ? (error.cause ?? error) : error;
  return toFarkeepError(origin).message;
}

function isConstraint(error: unknown): boolean {
  // SQLITE_CONSTRAINT = 19 (https://sqlite.org/rescode.html)
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 19
  );
}

function isFull(folder: string): boolean {
  try {
    return statfsSync(folder).bavail === 0;
  } catch {
    return false;
  }
}
