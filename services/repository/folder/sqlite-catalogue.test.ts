import path from 'node:path';
import { describe } from 'vitest';
import { describeCatalogue } from '../../testing/repository/catalogue-conformance.ts';
import { MemoryCatalogue } from '../../testing/repository/memory-catalogue.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { SqliteCatalogue } from './sqlite-catalogue.ts';

describe('the catalogue in a file', () => {
  describeCatalogue(async () => new SqliteCatalogue(path.join(await makeTemporaryFolder(), 'catalogue.sqlite')));
});

describe('the temporary catalogue', () => {
  describeCatalogue(() => Promise.resolve(new SqliteCatalogue('')));
});

describe('the catalogue of the tests', () => {
  describeCatalogue(() => Promise.resolve(new MemoryCatalogue()));
});
