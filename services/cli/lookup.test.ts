import { describe, expect, it } from 'vitest';
import type { RestorePoint } from '../contracts/models/tenant.ts';
import { newNameSchema } from '../contracts/models/values.ts';
import { findById, findByName } from './lookup.ts';
import { choosePoint, describeShrunk } from './point-lookup.ts';

const of = { what: 'job', listCommand: 'farkeep job list' };
const point = (id: string, job: string, jobId: string): RestorePoint => ({
  id: id.padEnd(32, '0'),
  job,
  jobId: jobId.repeat(32),
  providerName: 'northwind',
  repository: 'main',
  createdAt: '2026-03-01T00:00:00.000Z',
  sourceBytes: 1,
  files: 1,
  encrypted: false,
  warnings: 0,
});

describe('a restore point', () => {
  const points = [
    point('aaaa1', 'db:prod', '1'),
    point('aaaa2', 'db', '2'),
    point('bbbb1', 'latest:db', '3'),
    point('cccc1', ' odd', '4'),
    point('cccc2', '--json', '5'),
  ];
  const choose = (wanted: string): string => choosePoint(points, wanted).id.replace(/0+$/, '');

  it('for "latest:JOB" is one of exactly this job, whatever characters its name has', () => {
    expect(choose('latest:db:prod')).toBe('aaaa1');
    expect(choose('latest:db')).toBe('aaaa2');
    expect(choose('latest:latest:db')).toBe('bbbb1');
    expect(choose('latest: odd')).toBe('cccc1');
    expect(choose('latest:--json')).toBe('cccc2');
    expect(choose(`latest:${'1'.repeat(32)}`)).toBe('aaaa1');
    expect(choose('latest')).toBe('cccc2');
    for (const wanted of [
      'latest:d',
      'latest:db:',
      'latest:db:prod:x',
      'latest:',
      'latest:odd',
      'Latest:db',
      'latest ',
    ]) {
      expect(() => choosePoint(points, wanted), wanted).toThrow(/There is no restore point/);
    }
    expect(() => choosePoint(points, 'latest:DB')).toThrow(
      expect.objectContaining({ hint: 'Did you mean "latest:db"?' }),
    );
  });

  it('with much less data than the last good run is remarked', () => {
    expect(describeShrunk({ ...point('aaaa1', 'db', '1'), isShrunk: true })).toMatch(
      /^The newest restore point \(aaaa10000000, of the job "db", .+\) holds much less data .+: farkeep point list$/,
    );
    for (const isShrunk of [false, undefined]) {
      expect(describeShrunk({ ...point('aaaa1', 'db', '1'), isShrunk })).toBeUndefined();
    }
  });

  it('of two jobs with one name is that of the local job; without a local job both are named', () => {
    const both = [point('aaaa1', 'documents', '1'), point('bbbb1', 'documents', '2')];
    expect(choosePoint(both, 'latest:documents', { jobsHere: ['1'.repeat(32)] }).id).toMatch(/^aaaa1/);
    expect(() => choosePoint(both, 'latest:documents')).toThrow(
      new RegExp(`latest:${'1'.repeat(32)}.*latest:${'2'.repeat(32)}`),
    );
    expect(choosePoint(both, `latest:${'2'.repeat(32)}`).id).toMatch(/^bbbb1/);
  });

  it('is refused, with all matches, when several start with the typed text', () => {
    expect(() => choosePoint(points, 'aaaa')).toThrow(/Several restore points start with "aaaa": aaaa10+, aaaa20+/);
    expect(choose('aaaa2')).toBe('aaaa2');
    expect(() => choosePoint(points, 'bbb')).toThrow(/There is no restore point "bbb"/);
  });
});

describe('an item with a name', () => {
  it('is found by its name or whole identifier, and refused when these match two items', () => {
    const id = 'a'.repeat(32);
    const items = [
      { id, name: 'first' },
      { id: 'b'.repeat(32), name: id },
    ];
    expect(findByName(items, 'first', of)).toBe(items[0]);
    expect(() => findByName(items, id, of)).toThrow(
      new RegExp(`the name of one job \\(${'b'.repeat(32)}\\) and the identifier of another \\("first"\\)`),
    );
    expect(() => findByName(items, 'First', of)).toThrow(expect.objectContaining({ hint: 'Did you mean "first"?' }));
    expect(findById(items, 'bbbb', of)).toBe(items[1]);
  });

  it('cannot get a new name that nobody could type or that looks like something else', () => {
    for (const name of ['db:prod', 'a=b', "it's", 'two words', 'dots...', 'äöü', 'latest']) {
      expect(newNameSchema.safeParse(name).success, name).toBe(true);
    }
    for (const name of [
      '-x',
      '--json',
      'a'.repeat(32),
      'a\u202eb',
      'a\u200bb',
      'a\u2028b',
      '\ufeffa',
      'a\ud800',
      ' a',
      'a\n',
    ]) {
      expect(newNameSchema.safeParse(name).success, JSON.stringify(name)).toBe(false);
    }
  });
});
