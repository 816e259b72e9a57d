// A damaged, empty, missing or newer database prevents the start of a service. The service never starts as if it were new.
import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { Database } from './database.ts';
import { FarkeepError } from '../farkeep-error.ts';
import { markOf, openServiceDatabase } from './service-database.ts';

const migrations = [
  'CREATE TABLE accounts (name TEXT PRIMARY KEY) STRICT;',
  'ALTER TABLE accounts ADD COLUMN note TEXT;',
];

describe('the database of a service', () => {
  let file: string;
  const open = (wasUsed?: () => boolean): Database =>
    openServiceDatabase({ file, role: 'provider', migrations, wasUsed });

  const refusal = (wasUsed?: () => boolean): FarkeepError => {
    try {
      open(wasUsed).close();
    } catch (error) {
      if (error instanceof FarkeepError) return error;
      throw error;
    }
    throw new Error('It was opened');
  };

  beforeEach(async () => {
    file = path.join(await makeTemporaryFolder(), 'provider.sqlite');
    using database = open();
    database.transaction(() => {
      for (let index = 0; index < 2000; index += 1) {
        database.run('INSERT INTO accounts (name) VALUES (?)', `${index}`.padEnd(100, '.'));
      }
    });
  });

  const damages: Record<string, () => Promise<void>> = {
    'is empty': () => truncate(file, 0),
    'is gone': () => rm(file),
    'is cut': () => truncate(file, 5000),
    'is garbage': () => writeFile(file, Buffer.alloc(20_000, 0xa7)),
    'is full of zeros': () => writeFile(file, Buffer.alloc(8192)),
    'has garbage inside': async () => {
      const bytes = await readFile(file);
      bytes.fill(0xa7, 8192, 16_384);
      await writeFile(file, bytes);
    },
    'has no schema': async () => {
      await rm(file);
      new Database(file, []).close();
      const other = new Database(file, []);
      other.run('VACUUM');
      other.close();
    },
  };
  for (const [how, damage] of Object.entries(damages)) {
    it(`is refused when it ${how}, with the file and what to do`, async () => {
      await damage();
      const error = refusal();
      expect(error).toMatchObject({ code: 'service.database-damaged' });
      expect(error.message).toContain(file);
      expect(error.message).toContain('provider service');
      expect(error.hint).toMatch(/Restore provider\.sqlite from the last copy of .*start the service again/);
    });
  }

  it('is refused when it is empty in a home of an earlier version, where only other files show that the service was used', async () => {
    await rm(markOf(file));
    await truncate(file, 0);
    expect(refusal(() => true)).toMatchObject({ code: 'service.database-damaged' });
  });

  it('starts as new after an interrupted first start', async () => {
    await rm(markOf(file));
    await truncate(file, 0);
    using database = open(() => false);
    expect(database.all('SELECT * FROM accounts')).toEqual([]);
  });

  it('opens after it was restored from a copy', async () => {
    await copyFile(file, `${file}.copy`);
    await truncate(file, 0);
    refusal();
    await copyFile(`${file}.copy`, file);
    using database = open();
    expect(database.get('SELECT count(*) AS count FROM accounts')).toEqual({ count: 2000 });
  });

  it('has its schema in the file itself: a lost write-ahead log does not look like a first start', async () => {
    const fresh = path.join(await makeTemporaryFolder(), 'tenant.sqlite');
    const database = openServiceDatabase({ file: fresh, role: 'tenant', migrations });
    await copyFile(fresh, `${fresh}.without-log`);
    database.close();
    using copy = new Database(`${fresh}.without-log`, migrations, 'read');
    expect(copy.all('SELECT * FROM accounts')).toEqual([]);
  });

  it('of a newer version is not touched', async () => {
    const newer = new Database(file, [...migrations, 'CREATE TABLE later (name TEXT) STRICT;']);
    newer.close();
    const error = refusal();
    expect(error).toMatchObject({ code: 'service.start-failed' });
    expect(error.message).toMatch(/newer version .*schema 3; this version supports 2/);
  });

  it('names its file in a conflict, and loses a note instead of failing', () => {
    using database = open();
    database.run('INSERT INTO accounts (name) VALUES (?)', 'acme');
    expect(() => database.run('INSERT INTO accounts (name) VALUES (?)', 'acme')).toThrow(
      expect.objectContaining({ code: 'call.conflict', message: 'The name already exists, or the object is in use' }),
    );
    // Simulates a full disk: no further page can be written.
    database.get('PRAGMA max_page_count = 1');
    const insert = (): unknown => database.run('INSERT INTO accounts (name) VALUES (?)', 'x'.repeat(1_000_000));
    expect(insert).toThrow(
      expect.objectContaining({ code: 'storage.disk-full', message: expect.stringContaining(file) as string }),
    );
    expect(database.note('INSERT INTO accounts (name) VALUES (?)', 'x'.repeat(1_000_000))).toBeUndefined();
    expect(database.note('UPDATE accounts SET note = ? WHERE name = ?', 'seen', 'acme')).toEqual({
      changes: 1,
      lastId: expect.anything() as number,
    });
  });
});
