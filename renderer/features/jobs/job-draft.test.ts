import { describe, expect, it } from 'vitest';
import { jobOf } from '../../testing/fixtures.ts';
import {
  addCommand,
  changesOf,
  draftOf,
  excludePatterns,
  parseStreams,
  pathsToCheck,
  setCommand,
  sourcePathsOf,
  sourceProblems,
} from './job-draft.ts';

const job = jobOf(1, { sourcePaths: ['/srv/a b', '/srv/c'], excludes: ['*.tmp', 'cache/'], streams: 4 });
const { name, sourcePaths, excludes, streams, providerId, repository } = job;
const settings = { name, sourcePaths, excludes, streams, providerId, repository };

describe('the draft of a job', () => {
  it('holds all settings of an existing job, and reads them back', () => {
    const draft = draftOf(job);
    expect(draft).toEqual({ name, folders: ['/srv/a b', '/srv/c'], excludes: '*.tmp\ncache/', streams: '4' });
    expect([sourcePathsOf(draft), excludePatterns(draft.excludes), parseStreams(draft.streams)]).toEqual([
      sourcePaths,
      excludes,
      streams,
    ]);
    expect(changesOf(job, settings)).toEqual({});
  });

  it('starts empty, with two streams', () => {
    expect(draftOf(undefined)).toEqual({ name: '', folders: [''], excludes: '', streams: '2' });
    expect(sourcePathsOf({ folders: ['', ' /srv ', '  '] })).toEqual(['/srv']);
  });

  it('accepts 1 to 16 streams', () => {
    expect(['1', ' 16 ', '0', '17', '', '2.5', 'two', '1e1'].map(parseStreams)).toEqual([
      ...[1, 16],
      ...[null, null, null, null, null, null],
    ]);
  });

  it('sends only what is different', () => {
    expect(changesOf(job, { ...settings, name: 'papers', excludes: [] })).toEqual({ name: 'papers', excludes: [] });
    expect(changesOf(job, { ...settings, sourcePaths: sourcePaths.toReversed() })).toEqual({
      sourcePaths: ['/srv/c', '/srv/a b'],
    });
    // A destination is sent whole.
    expect(changesOf(job, { ...settings, repository: 'second' })).toEqual({ providerId, repository: 'second' });
  });

  it('has new sources checked, not those that the job has', () => {
    expect(pathsToCheck(['/srv/c', '/new'], job)).toEqual(['/new']);
    expect(pathsToCheck(['/srv/c', '/new'], undefined)).toEqual(['/srv/c', '/new']);
    const sources = [
      { path: '/srv/c', kind: 'folder' as const, isReadable: true, problem: null },
      { path: '/new', kind: null, isReadable: false, problem: 'missing' as const },
    ];
    expect([...sourceProblems(sources)]).toEqual([['/new', 'missing']]);
  });
});

describe('the command of a job', () => {
  it('has every setting of a new job', () => {
    expect(addCommand({ ...settings, streams: 2, excludes: [] }, 'north wind')).toBe(
      `farkeep job add '${name}' --source '/srv/a b' --source /srv/c --provider 'north wind' --repository '${repository}'`,
    );
    expect(addCommand(settings, 'n')).toMatch(/ --exclude '\*\.tmp' --exclude cache\/ --streams 4$/);
  });

  it('has only the changes of an existing job', () => {
    expect(setCommand(job, settings, 'n')).toBeNull();
    expect(setCommand(job, { ...settings, excludes: [], streams: 1 }, 'n')).toBe(
      `farkeep job set '${name}' --no-excludes --streams 1`,
    );
    expect(setCommand(job, { ...settings, repository: 'second' }, 'n')).toBe(
      `farkeep job set '${name}' --provider n --repository second`,
    );
  });
});
