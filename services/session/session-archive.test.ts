import { expect, it, vi } from 'vitest';
import { Database } from '../kernel/state/database.ts';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { newId } from '../kernel/identifier.ts';
import { LiveSession } from './live-session.ts';
import { SessionArchive, sessionArchiveMigration } from './session-archive.ts';

function save(archive: SessionArchive, clock: Clock): string {
  const id = newId();
  const live = LiveSession.create(
    {
      id,
      kind: 'backup',
      jobName: 'documents',
      otherSide: 'northwind',
      repository: 'main',
      viewer: 'tenant',
      streams: 2,
      areObjectNamesHidden: false,
    },
    clock,
    [],
  );
  live.finish('succeeded');
  archive.save(live, 'job', {});
  return id;
}

const at = (time: string): Clock => ({ ...systemClock, now: () => Date.parse(time) });

it('takes the session that was started last for the last one, also after one with a clock that was a year ahead', () => {
  const archive = new SessionArchive(new Database(':memory:', [sessionArchiveMigration]));
  save(archive, at('2026-03-01T00:00:00Z'));
  const ahead = save(archive, at('2027-03-02T00:00:00Z'));
  const last = save(archive, at('2026-03-03T00:00:00Z'));
  expect(archive.lastOf('job')?.id).toBe(last);
  expect(archive.list(2).map(({ id }) => id)).toEqual([last, ahead]);
  expect(archive.endedAtMs(last)).toBe(Date.parse('2026-03-03T00:00:00Z'));
  expect(archive.endedAtMs(newId())).toBeUndefined();
});

it('keeps and shows a history that a full disk does not take, and writes it when there is room', () => {
  vi.useFakeTimers();
  try {
    const database = new Database(':memory:', [sessionArchiveMigration]);
    const archive = new SessionArchive(database);
    const before = save(archive, systemClock);
    const pages = Number(database.get('PRAGMA page_count')?.['page_count']);
    database.get(`PRAGMA max_page_count = ${pages}`);
    const lost = Array.from({ length: 20 }, () => save(archive, systemClock));
    const stored = (): number => Number(database.get('SELECT count(*) AS count FROM sessions')?.['count']);
    expect(stored()).toBeLessThan(21);
    expect(archive.list(50).map(({ id }) => id)).toEqual([...lost.toReversed(), before]);
    expect(archive.lastOf('job')?.id).toBe(lost.at(-1));
    expect(archive.find(lost.at(-1) ?? '')).toMatchObject({ owner: 'job', detail: { state: 'succeeded' } });
    // Not only once.
    vi.advanceTimersByTime(30_000);
    expect(stored()).toBeLessThan(21);
    database.get('PRAGMA max_page_count = 100000');
    vi.advanceTimersByTime(10_000);
    expect(stored()).toBe(21);
    expect(new SessionArchive(database).list(50)).toHaveLength(21);
  } finally {
    vi.useRealTimers();
  }
});
