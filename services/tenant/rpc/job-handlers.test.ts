// The jobs domain of the tenant: what a job may be, how it starts, and what is refused while it runs.
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import type { SessionState } from '../../contracts/models/session.ts';
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import { mint } from '../../testing/certificates/minted-certificates.ts';
import { callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { sampleDetail } from '../../testing/session/sample-session.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { openTenantInMemory, type TenantInMemory } from '../../testing/tenant-in-memory.ts';
import { JobList } from '../jobs/job-list.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';
import { Jobs } from './job-handlers.ts';

const start = Date.parse('2027-03-01T12:00:00.000Z');
const missing = 'f'.repeat(32);
const sessionId = 'a'.repeat(32);
const { certPem } = mint({ subject: 'northwind' });

describe('the jobs of a tenant', () => {
  let memory: TenantInMemory;
  let list: JobList;
  let domain: Jobs;
  let folder: string;
  let running: { readonly jobId: string; readonly state: SessionState } | undefined;
  let lastState: SessionState | undefined;
  let started: Parameters<TenantSessions['start']>[];
  let warnings: string[];
  let calls: DomainClient<typeof jobsDomain>;

  beforeEach(async () => {
    memory = await openTenantInMemory(new ManualClock(start), certPem);
    folder = await makeTemporaryFolder();
    list = new JobList(memory.state.jobs, new ManualClock(start));
    running = undefined;
    lastState = undefined;
    started = [];
    warnings = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    domain = new Jobs({
      jobs: list,
      providers: memory.providers,
      sessions: standIn<TenantSessions>({
        runningSessionOf: (jobId) => (running?.jobId === jobId ? sessionId : null),
        show: async (id) => ({ detail: sampleDetail(id, { state: running?.state ?? 'failed' }), samples: [] }),
        start: (...given) => {
          started.push(given);
          return { sessionId: given[0].sessionId, done: Promise.resolve() };
        },
      }),
      archive: standIn<SessionArchive>({
        lastOf: async () =>
          lastState === undefined ? undefined : sampleDetail(sessionId, { state: lastState, endedAt: null }),
      }),
      publish: memory.events.publish,
      logger,
      cacheFolder: '/cache',
    });
    calls = callHandlers(jobsDomain, domain.handlers());
  });

  const settings = (changes: object = {}): Parameters<typeof calls.add>[0] => ({
    name: 'documents',
    sourcePaths: [folder],
    providerId: memory.providerId,
    repository: 'main',
    ...changes,
  });
  const addJob = async (): Promise<string> => {
    const { id } = await calls.add(settings({ excludes: ['*.tmp'] }));
    memory.events.all.length = 0;
    return id;
  };

  const addProvider = async (): Promise<string> => {
    const account = { name: 'fabrikam', host: 'gw.fabrikam.test', port: 6180, userName: 'contoso', password: 'secret' };
    const repositories = [{ name: 'second', limitBytes: 1000, usedBytes: 0 }];
    const contact = { certificatePem: certPem, trust: 'pinned' as const, repositories, gateways: [] };
    return (await memory.providers.add(account, contact)).id;
  };

  it('adds a job with the defaults, and shows it', async () => {
    const job = await calls.add(settings());
    expect(job).toMatchObject({
      name: 'documents',
      sourcePaths: [folder],
      excludes: [],
      streams: 2,
      providerName: 'northwind',
      createdAt: new Date(start).toISOString(),
      runningSessionId: null,
      lastRun: null,
    });
    expect((await calls.list({})).jobs).toEqual([job]);
    expect(memory.events.of(jobsDomain, 'changed')).toEqual([job]);
  });

  it('shows the running session and the last run', async () => {
    const jobId = await addJob();
    running = { jobId, state: 'transferring' };
    lastState = 'warning';
    expect((await calls.list({})).jobs).toMatchObject([
      { runningSessionId: sessionId, lastRun: { sessionId, state: 'warning', endedAt: null } },
    ]);
  });

  it('changes only what is given', async () => {
    const jobId = await addJob();
    const job = await calls.set({ jobId, streams: 16 });
    expect(job).toMatchObject({ name: 'documents', excludes: ['*.tmp'], sourcePaths: [folder], streams: 16 });
    expect(await calls.set({ jobId, name: 'papers', excludes: [] })).toMatchObject({ excludes: [], streams: 16 });
    expect(memory.events.of(jobsDomain, 'changed')).toHaveLength(2);
  });

  it('moves a job to another destination: the next run goes there', async () => {
    const jobId = await addJob();
    const other = await addProvider();
    const moved = await calls.set({ jobId, providerId: other, repository: 'second' });
    expect(moved).toMatchObject({ providerId: other, providerName: 'fabrikam', repository: 'second', streams: 2 });
    await calls.run({ jobId });
    expect(started).toMatchObject([[{ repository: 'second' }, other]]);
  });

  it.each([
    ['runs', 'transferring', 'is running already'],
    ['waits to resume', 'waiting-to-resume', 'is running already'],
    ['is paused', 'paused', 'is paused'],
  ] as const)('does not move a job that %s, but changes its other settings', async (_case, state, message) => {
    const jobId = await addJob();
    const other = await addProvider();
    running = { jobId, state };
    expect(await refusalOf(calls.set({ jobId, providerId: other, repository: 'second' }))).toMatchObject({
      code: 'session.busy',
      message: expect.stringContaining(message) as string,
    });
    expect(await list.get(jobId)).toMatchObject({ providerId: memory.providerId, repository: 'main' });
    const same = { providerId: memory.providerId, repository: 'main' };
    expect(await calls.set({ jobId, name: 'papers', ...same })).toMatchObject({ name: 'papers' });
  });

  it('looks at sources: what they are, and why a job cannot have them', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    const device = path.join(folder, 'device');
    await symlink('/dev/null', device);
    const sourcePaths = [folder, file, device, path.join(folder, 'gone'), 'here'];
    const { sources } = await calls.checkSources({ sourcePaths });
    expect(sources.map(({ path: checked }) => checked)).toEqual(sourcePaths);
    expect(sources.map(({ kind, isReadable, problem }) => [kind, isReadable, problem])).toEqual([
      ['folder', true, null],
      ['file', true, null],
      ['other', false, 'not-folder-or-file'],
      [null, false, 'missing'],
      [null, false, 'not-absolute'],
    ]);
  });

  it('starts a backup whose restore point has the identifier of the session', async () => {
    const jobId = await addJob();
    const { sessionId: made } = await calls.run({ jobId });
    const [[session, providerId] = []] = started;
    expect(providerId).toBe(memory.providerId);
    expect(session).toMatchObject({
      sessionId: made,
      pointId: made,
      operation: 'backup',
      jobName: 'documents',
      repository: 'main',
      streams: 2,
      isLessAccepted: false,
      places: [{ path: folder, mountPoint: expect.any(String) }],
      moverOperation: {
        kind: 'backup',
        pointId: made,
        sourcePaths: [folder],
        excludes: ['*.tmp'],
        fileCachePath: path.join('/cache', `${jobId}.sqlite`),
      },
    });
    expect(session?.moverOperation).not.toHaveProperty('isFullRead');
    await calls.run({ jobId, isFullRead: true, isLessAccepted: true });
    expect(started[1]?.[0]).toMatchObject({ isLessAccepted: true, moverOperation: { isFullRead: true } });
  });

  it('starts a job whose source is gone: the session reports it', async () => {
    const jobId = await addJob();
    await list.set(jobId, { ...(await list.get(jobId)), sourcePaths: ['/gone'] });
    await calls.run({ jobId });
    expect(started[0]?.[0].places).toEqual([{ path: '/gone', mountPoint: null }]);
  });

  it.each([
    ['runs', 'transferring', 'is running already'],
    ['is paused', 'paused', 'is paused'],
  ] as const)('does not start a job that %s', async (_case, state, message) => {
    const jobId = await addJob();
    running = { jobId, state };
    expect(await refusalOf(calls.run({ jobId }))).toMatchObject({
      code: 'session.busy',
      message: expect.stringContaining(message) as string,
    });
    expect(started).toEqual([]);
  });

  it('removes a job when it does not run', async () => {
    const jobId = await addJob();
    running = { jobId, state: 'transferring' };
    expect(await refusalOf(calls.remove({ jobId }))).toMatchObject({ code: 'session.busy' });
    expect([await list.all(), memory.events.all]).toMatchObject([[{ id: jobId }], []]);
    running = undefined;
    expect(await calls.remove({ jobId })).toEqual({});
    expect(await list.all()).toEqual([]);
    expect(memory.events.all).toEqual([{ domain: 'jobs', event: 'removed', payload: { jobId } }]);
  });

  it('publishes a change of a job in order, and none of a job that was removed meanwhile', async () => {
    const jobId = await addJob();
    running = { jobId, state: 'transferring' };
    domain.publishChange(jobId);
    domain.publishChange(missing);
    await domain.idle();
    expect(memory.events.of(jobsDomain, 'changed')).toMatchObject([{ id: jobId, runningSessionId: sessionId }]);
    expect(warnings).toEqual([]);
  });

  it('only logs that a change cannot be shown', async () => {
    list.find = () => Promise.reject(new Error('The disk fails'));
    domain.publishChange(missing);
    await domain.idle();
    expect(warnings).toEqual(['The change of a job cannot be shown']);
  });

  it('refuses a source that is neither a folder nor a file', async () => {
    const link = path.join(folder, 'link');
    await symlink('/dev/null', link);
    expect(await refusalOf(calls.add(settings({ sourcePaths: [link] })))).toMatchObject({
      code: 'source.empty-path',
      field: 'sourcePaths',
    });
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    expect(await calls.add(settings({ sourcePaths: [file] }))).toMatchObject({ sourcePaths: [file] });
  });

  describe('refuses, and then nothing has changed:', () => {
    let jobId: string;
    beforeEach(async () => {
      jobId = await addJob();
    });
    const add = (changes: object): Promise<unknown> => calls.add(settings({ name: 'other', ...changes }));
    const set = (changes: object): Promise<unknown> => calls.set({ jobId, ...changes });
    it.each<[string, () => Promise<unknown>, string, string]>([
      ['a taken name', () => add({ name: 'Documents' }), 'call.conflict', 'name'],
      ['an unknown provider', () => add({ providerId: missing }), 'call.not-found', 'providerId'],
      ['a repository that is not offered', () => add({ repository: 'other' }), 'call.not-found', 'repository'],
      [
        'a move to a repository that is not offered',
        () => set({ repository: 'other' }),
        'call.not-found',
        'repository',
      ],
      ['a move to an unknown provider', () => set({ providerId: missing }), 'call.not-found', 'providerId'],
      ['a source that is not a whole path', () => add({ sourcePaths: ['here'] }), 'call.invalid', 'sourcePaths'],
      ['a source that does not exist', () => set({ sourcePaths: ['/not/here'] }), 'source.missing', 'sourcePaths'],
      ['no source', () => add({ sourcePaths: [] }), 'call.invalid', 'sourcePaths'],
      ['101 sources', () => add({ sourcePaths: Array(101).fill('/') }), 'call.invalid', 'sourcePaths'],
      ['1001 excludes', () => set({ excludes: Array(1001).fill('x') }), 'call.invalid', 'excludes'],
      ['no stream', () => set({ streams: 0 }), 'call.invalid', 'streams'],
      ['17 streams', () => set({ streams: 17 }), 'call.invalid', 'streams'],
      ['a change of no job', () => calls.set({ jobId: missing }), 'call.not-found', 'jobId'],
      ['to run no job', () => calls.run({ jobId: missing }), 'call.not-found', 'jobId'],
      ['to remove no job', () => calls.remove({ jobId: missing }), 'call.not-found', 'jobId'],
    ])('%s', async (_case, call, code, field) => {
      const before = await list.all();
      expect(await refusalOf(call())).toMatchObject({ code, field });
      expect(await list.all()).toEqual(before);
      expect([memory.events.all, started]).toEqual([[], []]);
    });
  });
});
