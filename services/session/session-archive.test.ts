import { describe, expect, it, vi } from 'vitest';
import type { SessionDetail } from '../contracts/models/session.ts';
import { notable } from '../contracts/notable-events.ts';
import { Database } from '../kernel/state/database.ts';
import { systemClock, type Clock } from '../kernel/clock.ts';
import { newId } from '../kernel/identifier.ts';
import { archiveObserver } from './archive-observer.ts';
import { LiveSession } from './live-session.ts';
import { SessionArchive } from './session-archive.ts';
import type { HistoryRecord } from './session-history.ts';
import type { SessionObserver } from './session-record.ts';
import {
  sessionFiguresMigration,
  sessionHistoryMigration,
  SqliteSessionHistory,
} from './state/sqlite-session-history.ts';

function make(clock: Clock, observers: readonly SessionObserver[] = []): LiveSession {
  return LiveSession.create(
    {
      id: newId(),
      kind: 'backup',
      jobName: 'documents',
      otherSide: 'northwind',
      repository: 'main',
      viewer: 'tenant',
      streams: 2,
      areObjectNamesHidden: false,
    },
    clock,
    observers,
  );
}

async function save(archive: SessionArchive, clock: Clock): Promise<string> {
  const live = make(clock);
  live.finish('succeeded');
  await archive.save(live, 'job', {});
  return live.id;
}

const at = (time: string): Clock => ({ ...systemClock, now: () => Date.parse(time) });

it('uses the order of starts to find the last session, even after a session whose clock was a year ahead', async () => {
  const archive = new SessionArchive(
    new SqliteSessionHistory(new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration])),
  );
  await save(archive, at('2026-03-01T00:00:00Z'));
  const ahead = await save(archive, at('2027-03-02T00:00:00Z'));
  const last = await save(archive, at('2026-03-03T00:00:00Z'));
  expect((await archive.lastOf('job'))?.id).toBe(last);
  expect((await archive.list(2)).map(({ id }) => id)).toEqual([last, ahead]);
  expect(await archive.endedAtMs(last)).toBe(Date.parse('2026-03-03T00:00:00Z'));
  expect(await archive.endedAtMs(newId())).toBeUndefined();
});

it('finds the ended sessions with a warning, also those that are not written yet', async () => {
  const history = new SqliteSessionHistory(
    new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]),
  );
  const archive = new SessionArchive(history);
  const saveWarned = async (code: 'source.shrunk' | 'source.changed', message: string): Promise<string> => {
    const live = make(systemClock);
    live.warn({ code, message, path: null });
    live.finish('succeeded');
    await archive.save(live, 'job', {});
    return live.id;
  };
  const written = await saveWarned('source.shrunk', 'less');
  await saveWarned('source.changed', 'The text source.shrunk is no code');
  await save(archive, systemClock);
  history.save = async () => false;
  const unwritten = await saveWarned('source.shrunk', 'less');
  expect(await archive.warnedWith('source.shrunk')).toEqual(new Set([written, unwritten]));
});

it('finds the last session of a kind, behind sessions that are newer', async () => {
  const database = new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]);
  const archive = new SessionArchive(new SqliteSessionHistory(database));
  const finished = await save(archive, systemClock);
  for (let index = 0; index < 10; index += 1) await archive.save(make(systemClock), 'job', {});
  expect((await archive.lastOf('job', ({ state }) => state === 'succeeded'))?.id).toBe(finished);
  expect(await archive.lastOf('job', ({ state }) => state === 'failed')).toBeUndefined();
});

it('keeps and shows a history that a full disk refuses, and writes the history when the disk has room', async () => {
  vi.useFakeTimers();
  try {
    const database = new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]);
    const archive = new SessionArchive(new SqliteSessionHistory(database));
    const before = await save(archive, systemClock);
    const pages = Number(database.get('PRAGMA page_count')?.['page_count']);
    database.get(`PRAGMA max_page_count = ${pages}`);
    const lost: string[] = [];
    while (lost.length < 20) lost.push(await save(archive, systemClock));
    const stored = (): number => Number(database.get('SELECT count(*) AS count FROM sessions')?.['count']);
    expect(stored()).toBeLessThan(21);
    expect((await archive.list(50)).map(({ id }) => id)).toEqual([...lost.toReversed(), before]);
    expect((await archive.lastOf('job'))?.id).toBe(lost.at(-1));
    expect(await archive.find(lost.at(-1) ?? '')).toMatchObject({ owner: 'job', detail: { state: 'succeeded' } });
    // The second retry must work too.
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stored()).toBeLessThan(21);
    database.get('PRAGMA max_page_count = 100000');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(stored()).toBe(21);
    expect(await new SessionArchive(new SqliteSessionHistory(database)).list(50)).toHaveLength(21);
  } finally {
    vi.useRealTimers();
  }
});

it('never writes an older state over a newer one, and shows the newest state during a slow write', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const written: string[] = [];
  class SlowHistory extends SqliteSessionHistory {
    override async save(record: HistoryRecord): Promise<boolean> {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      written.push(record.detail.state);
      return super.save(record);
    }
  }
  const archive = new SessionArchive(
    new SlowHistory(new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration])),
  );
  const live = make(systemClock);
  const first = archive.save(live, 'job', { isGranted: false });
  live.setState('connecting');
  const second = archive.save(live, 'job', { isGranted: true });
  live.finish('succeeded');
  const third = archive.save(live, 'job', { isGranted: true });
  expect(await archive.find(live.id)).toMatchObject({ detail: { state: 'succeeded' }, context: { isGranted: true } });
  expect(gates).toHaveLength(1);
  gates[0]?.resolve();
  await vi.waitUntil(() => gates.length === 2);
  gates[1]?.resolve();
  await Promise.all([first, second, third]);
  await archive.idle();
  expect(written).toEqual(['pending', 'succeeded']);
  expect(await archive.list(10)).toMatchObject([{ id: live.id, state: 'succeeded' }]);
});

describe('a killed service', () => {
  const open = (): { database: Database; archive: SessionArchive } => {
    const database = new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]);
    return { database, archive: new SessionArchive(new SqliteSessionHistory(database)) };
  };
  /** What a new process finds. */
  const found = async (database: Database): Promise<SessionDetail | undefined> =>
    (await new SessionArchive(new SqliteSessionHistory(database)).unfinished()).sessions[0]?.detail;

  it('finds the steps and the figures of a running session as they were a second ago', async () => {
    vi.useFakeTimers();
    try {
      const { database, archive } = open();
      let running: LiveSession | undefined;
      const observer = archiveObserver(archive, () => running && { session: running, owner: 'job', context: {} });
      const live = (running = make(systemClock, [observer]));
      live.setState('transferring');
      live.endStep('streams-open', '2 data streams');
      live.setProgress({ processedBytes: 300, readBytes: 300, safeBytes: 200 });
      await vi.advanceTimersByTimeAsync(1000);
      expect(await found(database)).toMatchObject({
        state: 'transferring',
        steps: [{ step: 'streams-open' }],
        progress: { readBytes: 300, safeBytes: 200 },
      });
      live.setProgress({ processedBytes: 900, readBytes: 900, safeBytes: 800 });
      live.act('info', notable('session.paused-by', { by: 'tenant' }));
      await vi.advanceTimersByTimeAsync(1000);
      expect(await found(database)).toMatchObject({ progress: { readBytes: 900, safeBytes: 800 }, actions: [] });
      await vi.advanceTimersByTimeAsync(10_000);
      expect((await found(database))?.actions).toHaveLength(1);
      live.finish('succeeded');
      await archive.idle();
      expect(database.all('SELECT * FROM session_figures')).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
