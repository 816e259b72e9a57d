import { describe, expect, it, vi } from 'vitest';
import { sessionDetailSchema, type SessionState, type SessionSummary } from '../contracts/models/session.ts';
import { notable } from '../contracts/notable-events.ts';
import { leftOutOf } from '../contracts/row-list.ts';
import { Database } from '../kernel/state/database.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { systemClock } from '../kernel/clock.ts';
import { LiveSession } from './live-session.ts';
import type { NewSession, SessionObserver } from './session-record.ts';
import { SessionArchive } from './session-archive.ts';
import {
  sessionFiguresMigration,
  sessionHistoryMigration,
  SqliteSessionHistory,
} from './state/sqlite-session-history.ts';

const id = 'a'.repeat(32);
const newSession: NewSession = {
  id,
  kind: 'backup',
  jobName: 'documents',
  otherSide: 'northwind',
  repository: 'main',
  viewer: 'tenant',
  streams: 2,
  areObjectNamesHidden: false,
};

function create(observer: SessionObserver = {}): LiveSession {
  return LiveSession.create(newSession, systemClock, [observer]);
}

describe('LiveSession', () => {
  it('always has a state that fits the contract', () => {
    const live = create();
    live.beginStep('gateway-connect', 'gw1');
    live.endStep('gateway-connect', 'gw1');
    live.setKey('keyA', '0123456789abcdef');
    live.warn({ code: 'source.unreadable', message: 'no', path: '/a' });
    live.setState('transferring');
    live.setProgress({ readBytes: 10 }, { source: 1, compression: 0, network: 0.5, target: 0 });
    live.finish('warning');
    expect(sessionDetailSchema.parse(live.detail())).toEqual(live.detail());
  });

  it('reports each completed phase with its duration, and no phase that failed', () => {
    vi.useFakeTimers();
    try {
      const live = create();
      live.setState('connecting');
      vi.advanceTimersByTime(300);
      live.setState('key-exchange');
      vi.advanceTimersByTime(200);
      live.setState('transferring');
      vi.advanceTimersByTime(4_000);
      live.waitToResume(null, systemClock.now() + 60_000);
      vi.advanceTimersByTime(15_000);
      live.setState('connecting');
      live.setState('key-exchange');
      live.setState('transferring');
      vi.advanceTimersByTime(5_000);
      live.finish('succeeded');
      expect(live.detail().actions.map(({ level, text, durationMs }) => [level, text, durationMs])).toEqual([
        ['info', 'Connected, logged in, and authorized', 300],
        ['info', 'Keys exchanged and data streams opened', 200],
        ['info', 'Connected, logged in, and authorized', 0],
        ['info', 'Keys exchanged and data streams opened', 0],
        ['info', 'New data read, sent, and stored', 5_000],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not leave a final state, and keeps the first final state', () => {
    const live = create();
    live.finish('failed', new FarkeepError('quota.exceeded'));
    live.finish('succeeded');
    live.setState('transferring');
    expect(live.summary()).toMatchObject({ state: 'failed', error: { code: 'quota.exceeded' } });
  });

  it('publishes progress at most ten times a second, and always the last progress', () => {
    vi.useFakeTimers();
    try {
      const seen: number[] = [];
      const live = create({ progressed: (_id, _at, progress) => seen.push(progress.readBytes) });
      for (let readBytes = 1; readBytes <= 1000; readBytes += 1) {
        live.setProgress({ readBytes });
        vi.advanceTimersByTime(1);
      }
      expect(seen.length).toBeLessThanOrEqual(11);
      live.setProgress({ readBytes: 5000 });
      live.finish('succeeded');
      expect(seen.at(-1)).toBe(5000);
      const count = seen.length;
      vi.advanceTimersByTime(1000);
      expect(seen).toHaveLength(count);
    } finally {
      vi.useRealTimers();
    }
  });

  it('records one throughput sample a second while data is transferred', () => {
    vi.useFakeTimers();
    try {
      const live = create();
      live.setState('transferring');
      for (let second = 1; second <= 5; second += 1) {
        live.setProgress({ readBytes: second * 1000, transferredBytes: second * 500, totalBytes: 20_000 });
        vi.advanceTimersByTime(1000);
      }
      expect(live.samples).toHaveLength(5);
      expect(live.samples[2]).toMatchObject({ readBytesPerSecond: 1000, transferredBytesPerSecond: 500 });
      expect(live.progress.secondsLeft).toBe(20);
      live.finish('succeeded');
      vi.advanceTimersByTime(10_000);
      expect(live.samples.length).toBeLessThanOrEqual(6);
      expect(live.progress.readBytesPerSecond).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps the security warning of a step when the step ends well later', () => {
    const live = create();
    live.endStep('streams-open', 'changed', { outcome: 'security-warning' });
    live.endStep('streams-open', 'all well');
    expect(live.detail().steps).toMatchObject([{ outcome: 'security-warning', detail: 'changed' }]);
  });

  it.each<['succeeded' | 'warning' | 'failed' | 'canceled', FarkeepError | null, string, string]>([
    ['succeeded', null, 'done', '2 data streams'],
    ['warning', null, 'done', '2 data streams'],
    ['failed', new FarkeepError('storage.damaged', 'Three blocks are damaged'), 'failed', 'Three blocks are damaged'],
    ['canceled', null, 'failed', 'The session was canceled'],
  ])('has no step in progress once it has %s', (state, error, outcome, detail) => {
    const steps: string[] = [];
    const live = create({ stepped: (_id, step) => steps.push(`${step.attempt} ${step.step} ${step.outcome}`) });
    live.beginStep('tunnel-opened', 'gw1');
    live.startAttempt(2);
    live.endStep('login', 'contoso');
    live.beginStep('streams-open', '2 data streams');
    live.finish(state, error);
    expect(live.detail().steps).toMatchObject([
      { attempt: 1, step: 'tunnel-opened', outcome: 'failed' },
      { attempt: 2, step: 'login', outcome: 'done', detail: 'contoso' },
      { attempt: 2, step: 'streams-open', outcome, detail },
    ]);
    expect(steps.slice(-2)).toEqual(['1 tunnel-opened failed', `2 streams-open ${outcome}`]);
  });

  it('keeps steps and keys of each attempt separate', () => {
    const live = create();
    live.setKey('keyA', '1'.repeat(16));
    live.endStep('key-a-created', 'first');
    live.startAttempt(2);
    live.setKey('keyA', '2'.repeat(16));
    live.endStep('key-a-created', 'second');
    expect(live.detail().keys.map(({ attempt, keyA }) => [attempt, keyA?.[0]])).toEqual([
      [1, '1'],
      [2, '2'],
    ]);
    expect(live.detail().steps.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('keeps a bounded history of a session whose connection is lost many times', () => {
    const live = create();
    for (let attempt = 1; attempt <= 1000; attempt += 1) {
      live.startAttempt(attempt);
      live.setKey('keyA', '0'.repeat(16));
      live.endStep('key-a-created', '');
    }
    const { steps, keys } = live.detail();
    expect(steps.length).toBeLessThanOrEqual(52);
    expect(keys.length).toBeLessThanOrEqual(52);
    expect(keys[0]?.attempt).toBe(1);
    expect(live.currentSteps).toHaveLength(1);
  });

  it('removes ordinary actions and finished objects first when there are too many', () => {
    const live = create();
    live.act('security', notable('session.error', { message: 'the one that counts' }));
    live.putObject({ name: 'bad', state: 'failed', sizeBytes: 1, processedBytes: 0 });
    for (let index = 0; index < 3000; index += 1) {
      live.remark(`action ${index}`);
      live.putObject({ name: `file ${index}`, state: 'done', sizeBytes: 1, processedBytes: 1 });
    }
    const { actions, objects } = live.detail();
    expect(actions.length).toBeLessThanOrEqual(2000);
    expect(actions[0]?.text).toBe('the one that counts');
    expect(objects.length).toBeLessThanOrEqual(500);
    expect(objects.map(({ name }) => name)).toContain('bad');
    // Numbers increase without reuse, so that a view knows which actions it already has.
    expect(actions.at(-1)?.sequence).toBe(3001);
  });

  it.each<[SessionState, (live: LiveSession) => void, string]>([
    ['transferring', () => undefined, 'running'],
    ['paused', (live) => live.pause('tenant', 1), 'paused'],
    ['waiting-to-resume', (live) => live.waitToResume(null, 1), 'waiting'],
    ['failed', (live) => live.finish('failed', new FarkeepError('storage.io')), 'unfinished'],
    ['canceled', (live) => live.finish('canceled'), 'unfinished'],
    ['succeeded', (live) => live.finish('succeeded'), 'done'],
  ])('while the session is %s, shows the true state of an unfinished object', (state, move, expected) => {
    const seen: string[] = [];
    const live = create({ objectChanged: (_id, object) => seen.push(`${object.name} ${object.state}`) });
    const put = (name: string, objectState: 'running' | 'warning'): void =>
      live.putObject({ name, state: objectState, sizeBytes: null, processedBytes: 5 });
    live.setState('transferring');
    put('documents', 'running');
    put('mail', 'warning');
    move(live);
    // The last report of the data mover, which was stopped in the middle.
    put('pictures', 'running');
    expect(live.state).toBe(state);
    expect(live.detail().objects.map((object) => [object.name, object.state])).toEqual([
      ['documents', expected],
      ['mail', 'warning'],
      ['pictures', expected],
    ]);
    expect(seen.filter((text) => text.startsWith('documents')).at(-1)).toBe(`documents ${expected}`);
    expect(sessionDetailSchema.parse(live.detail())).toEqual(live.detail());
  });

  it('shows its objects as waiting for the next attempt after a pause', () => {
    const live = create();
    live.setState('transferring');
    live.putObject({ name: 'documents', state: 'running', sizeBytes: null, processedBytes: 5 });
    live.pause('tenant', 1);
    live.setState('connecting');
    expect(live.detail().objects).toMatchObject([{ state: 'waiting' }]);
  });

  it('counts all warnings and keeps a bounded list of them', () => {
    const live = create();
    for (let index = 0; index < 1500; index += 1) {
      live.warn({ code: 'source.unreadable', message: 'no', path: `/${index}` });
    }
    expect(live.warningCount).toBe(1500);
    expect(live.detail().warnings).toHaveLength(1000);
  });
});

describe('SessionArchive', () => {
  it('returns saved sessions, and lists unfinished ones', async () => {
    const archive = new SessionArchive(
      new SqliteSessionHistory(new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration])),
    );
    const live = create();
    live.setState('transferring');
    await archive.save(live, 'job', { plan: 1 });
    expect((await archive.unfinished()).sessions.map(({ detail, context }) => [detail.id, context])).toEqual([
      [id, { plan: 1 }],
    ]);
    const restored = LiveSession.restore((await archive.find(id)) ?? live.toStored(), systemClock, []);
    expect(restored.detail()).toEqual(live.detail());
    live.finish('canceled');
    await archive.save(live, 'job', { plan: 2 });
    expect(await archive.unfinished()).toEqual({ sessions: [], leftOut: undefined });
    expect(await archive.lastOf('job')).toEqual(live.summary() satisfies SessionSummary);
    expect(await archive.list(10)).toHaveLength(1);
    expect(await archive.find('b'.repeat(32))).toBeUndefined();
  });

  const archiveWith = (kept: { good: number; others: number; bytes: number }): SessionArchive =>
    new SessionArchive(
      new SqliteSessionHistory(new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration])),
      kept,
    );
  let count = 0;
  const save = async (
    archive: SessionArchive,
    owner: string,
    end: 'succeeded' | 'canceled' | undefined,
    fill: (live: LiveSession) => void = () => undefined,
  ): Promise<string> => {
    count += 1;
    const atMs = 1_000_000 + count;
    const live = LiveSession.create(
      { ...newSession, id: count.toString(16).padStart(32, '0') },
      { ...systemClock, now: () => atMs },
      [],
    );
    fill(live);
    if (end !== undefined) live.finish(end);
    await archive.save(live, owner, {});
    return live.id;
  };
  const idsOf = async (archive: SessionArchive): Promise<string[]> =>
    (await archive.list(10_000)).map((session) => session.id);

  it('keeps the newest sessions of each owner, all unfinished ones, and successful ones although many were canceled later', async () => {
    const archive = archiveWith({ good: 2, others: 3, bytes: 1e9 });
    const [first, unfinished, ...good] = [
      await save(archive, 'one', 'succeeded'),
      await save(archive, 'one', undefined),
      await save(archive, 'one', 'succeeded'),
      await save(archive, 'one', 'succeeded'),
    ];
    const other = await save(archive, 'other', 'succeeded');
    for (let each = 0; each < 100; each += 1) await save(archive, 'one', 'canceled');
    // The limit works while the service runs, not only at its next start.
    expect((await idsOf(archive)).length).toBeLessThan(30);
    await archive.prune();
    expect(await idsOf(archive)).toEqual(expect.arrayContaining([unfinished, ...good, other]));
    expect(await idsOf(archive)).not.toContain(first);
    expect(await idsOf(archive)).toHaveLength(7);
  });

  it('limits the stored bytes of each owner', async () => {
    const archive = archiveWith({ good: 1000, others: 1000, bytes: 300_000 });
    const other = await save(archive, 'other', 'succeeded');
    for (let each = 0; each < 100; each += 1) {
      await save(archive, 'one', 'succeeded', (live) => {
        for (let line = 0; line < 20; line += 1) live.remark('x'.repeat(500));
      });
    }
    await archive.prune();
    expect(await idsOf(archive)).toContain(other);
    expect((await idsOf(archive)).length).toBeGreaterThan(5);
    expect((await idsOf(archive)).length).toBeLessThan(16);
  });

  it('limits the stored history of one session, whatever the other side reports', async () => {
    const archive = archiveWith({ good: 1, others: 1, bytes: 1e9 });
    const atMs = Date.now();
    await save(archive, 'one', 'canceled', (live) => {
      live.act('error', notable('session.error', { message: 'what went wrong' }));
      const at = new Date(atMs).toISOString();
      for (let index = 0; index < 5000; index += 1) {
        live.addForeignAction({ at, level: 'info', text: 'x'.repeat(1000), durationMs: null });
        live.putObject({ name: `${index}${'y'.repeat(4000)}`, state: 'running', sizeBytes: null, processedBytes: 0 });
      }
      expect(live.detail().actions[0]?.text).toBe('what went wrong');
      expect(JSON.stringify(live.detail()).length).toBeLessThan(300_000);
    });
  });

  it('does not forget earlier sessions of a job when the record of the last one is damaged', async () => {
    const database = new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]);
    const archive = new SessionArchive(new SqliteSessionHistory(database));
    const [earlier, damaged] = [await save(archive, 'one', 'succeeded'), await save(archive, 'one', 'succeeded')];
    expect((await archive.lastOf('one'))?.id).toBe(damaged);
    database.run(`UPDATE sessions SET summary = '{' WHERE id = ?`, damaged);
    expect((await archive.lastOf('one'))?.id).toBe(earlier);
  });

  it('reads rows one by one: a damaged row hides no other row, is not waited for, and is reported as damaged', async () => {
    const database = new Database(':memory:', [sessionHistoryMigration, sessionFiguresMigration]);
    const archive = new SessionArchive(new SqliteSessionHistory(database));
    const [damaged, whole] = [await save(archive, 'one', undefined), await save(archive, 'one', undefined)];
    database.run(`UPDATE sessions SET summary = '{"state":7}', detail = '{' WHERE id = ?`, damaged);
    expect(await idsOf(archive)).toEqual([whole]);
    expect(leftOutOf(await archive.list(10))).toEqual({ count: 1, names: [damaged] });
    expect(await archive.unfinished()).toMatchObject({
      sessions: [{ detail: { id: whole } }],
      leftOut: { count: 1, names: [damaged] },
    });
    expect((await archive.unfinished()).leftOut).toBeUndefined();
    await expect(archive.find(damaged)).rejects.toMatchObject({ code: 'storage.damaged' });
    await archive.prune();
  });
});
