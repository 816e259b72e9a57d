// The repositories domain of the provider: adding and removing, checking all data, making catalogues again.
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { storageBackends } from '../../repository/backends.ts';
import { folderLocation } from '../../repository/storage/repository-location.ts';
import { TenantStore } from '../../repository/store/tenant-store.ts';
import { adminAtCommandLine, callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory, type ProviderInMemory } from '../../testing/provider-in-memory.ts';
import { appendContent, commitItems, entryOf } from '../../testing/repository/repository-fixture.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { Repositories } from '../repositories/repositories.ts';
import { RestorePoints } from '../repositories/restore-points.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import { repositoryHandlers } from './repository-handlers.ts';

const start = Date.parse('2027-03-01T12:00:00.000Z');
const [contoso, fabrikam, missing] = ['a'.repeat(32), 'b'.repeat(32), 'f'.repeat(32)];
const [pointId, otherPointId] = ['c'.repeat(32), 'd'.repeat(32)];

describe('the repositories of a provider', () => {
  let memory: ProviderInMemory;
  let folder: string;
  let busy: string | undefined;
  let renamed: string[];
  /** Tenants whose space was counted. */
  let counted: string[];
  let countFailure: FarkeepError | undefined;
  let calls: DomainClient<typeof repositoriesDomain>;

  beforeEach(async () => {
    const clock = new ManualClock(start);
    memory = await openProviderInMemory(clock);
    const { state, audit, events } = memory;
    for (const { id } of await state.repositories.list()) await state.repositories.remove(id);
    folder = await makeTemporaryFolder();
    busy = undefined;
    renamed = [];
    counted = [];
    countFailure = undefined;
    const points = new RestorePoints(silentLogger);
    const handlers = repositoryHandlers({
      repositories: new Repositories(state.repositories, clock, points),
      points,
      sessions: standIn<ProviderSessions>({
        whileUnused: (_repositoryId, work) =>
          busy === undefined ? work() : Promise.reject(new FarkeepError('service.locked')),
        isLocationBusy: (location) => busy !== undefined && storageBackends.describe(location).endsWith(busy),
      }),
      audit: audit.log,
      logger: silentLogger,
      publish: events.publish,
      onRenamed: async (repositoryId) => void renamed.push(repositoryId),
      onUsage: async (tenantId, _repositoryId, usedBytes) => {
        if (countFailure !== undefined) throw countFailure;
        counted.push(`${tenantId} ${usedBytes > 0 ? 'some' : 'none'}`);
      },
    });
    calls = callHandlers(repositoriesDomain, handlers);
  });

  const add = async (): Promise<string> => {
    const { id } = await calls.add({ name: 'main', folder });
    memory.audit.entries.length = 0;
    memory.events.all.length = 0;
    return id;
  };
  const placeOf = (tenantId: string): ReturnType<typeof storageBackends.open> =>
    storageBackends.open(storageBackends.locateTenant(folderLocation(folder), tenantId));
  const backUp = async (tenantId: string, id: string): Promise<void> => {
    await using store = await TenantStore.open({ place: placeOf(tenantId), mode: 'write', logger: silentLogger });
    const content = Buffer.alloc(2000, tenantId);
    const reference = { id: await appendContent(store, content), lengthBytes: content.length };
    const file = entryOf('file', 'file', { sizeBytes: content.length, content: [reference] });
    await commitItems(store, id, [
      { type: 'entry', entry: entryOf('folder', '') },
      { type: 'entry', entry: file },
    ]);
  };
  const damagePacks = async (tenantId: string): Promise<void> => {
    const packs = (await readdir(path.join(folder, tenantId), { recursive: true })).filter((name) =>
      name.endsWith('.pack'),
    );
    expect(packs).not.toEqual([]);
    for (const pack of packs) await writeFile(path.join(folder, tenantId, pack), 'damaged');
  };

  it('adds a folder, shows it, and records where it is', async () => {
    const added = await calls.add({ name: 'main', folder });
    expect(added).toMatchObject({ name: 'main', folder, tenants: 0, points: 0, problem: null, verification: null });
    expect(await calls.list({})).toMatchObject({ repositories: [{ id: added.id, name: 'main' }] });
    expect(memory.events.of(repositoriesDomain, 'changed')).toEqual([added]);
    expect(memory.audit.entries).toMatchObject([
      { who: adminAtCommandLine, action: 'repository.add', subject: 'main', parameters: { folder } },
    ]);
  });

  it('removes a repository in which no tenant has a quota, and leaves its folder', async () => {
    const repositoryId = await add();
    const quotas = [{ repository: 'main', limitBytes: 1000 }];
    const id = await memory.accounts.add({ name: 'contoso', password: 'a good password', quotas, leaseUntil: null });
    expect(await refusalOf(calls.remove({ repositoryId }))).toMatchObject({ code: 'call.conflict' });
    expect([memory.events.all, memory.audit.entries]).toEqual([[], []]);
    await memory.accounts.set(id, { quotas: [] });
    const before = await readdir(folder);
    expect(await calls.remove({ repositoryId })).toEqual({});
    expect(await readdir(folder)).toEqual(before);
    expect(await calls.list({})).toEqual({ repositories: [] });
    expect(memory.events.all).toEqual([{ domain: 'repositories', event: 'removed', payload: { repositoryId } }]);
    expect(memory.audit.lines).toEqual([`${adminAtCommandLine}: repository.remove main`]);
  });

  it('renames a repository, and keeps its former name for the jobs of tenants only', async () => {
    const repositoryId = await add();
    const quotas = [{ repository: 'main', limitBytes: 1000 }];
    const tenantId = await memory.accounts.add({
      ...{ name: 'contoso', password: 'a good password', quotas, leaseUntil: null },
    });
    expect(await calls.set({ repositoryId, name: 'Vault' })).toMatchObject({ id: repositoryId, name: 'Vault', folder });
    expect((await memory.accounts.get(tenantId)).quotas).toMatchObject([{ repository: 'Vault', limitBytes: 1000 }]);
    expect(memory.events.of(repositoriesDomain, 'changed')).toMatchObject([{ name: 'Vault' }]);
    expect(memory.audit.entries).toMatchObject([
      { action: 'repository.set', subject: 'main', parameters: { name: 'Vault', folder } },
    ]);
    expect(renamed).toEqual([repositoryId]);
    // Another repository with this name would get the backups of jobs that still use it.
    const other = await makeTemporaryFolder();
    for (const name of ['main', 'MAIN', 'vault'])
      expect(await refusalOf(calls.add({ name, folder: other }))).toMatchObject({
        code: 'call.conflict',
        field: 'name',
      });
    const second = await calls.add({ name: 'second', folder: other });
    expect(await refusalOf(calls.set({ repositoryId: second.id, name: 'main' }))).toMatchObject({ field: 'name' });
    await calls.set({ repositoryId, name: 'main' });
    expect((await calls.list({})).repositories.map(({ name }) => name)).toEqual(['main', 'second']);
    expect(await refusalOf(calls.set({ repositoryId: second.id, name: 'Vault' }))).toMatchObject({ field: 'name' });
  });

  it('follows a repository that was moved, and only the same and the only one', async () => {
    const repositoryId = await add();
    await backUp(contoso, pointId);
    const set = (to: string): Promise<unknown> => refusalOf(calls.set({ repositoryId, folder: to }));
    const place = await makeTemporaryFolder();
    const moved = path.join(place, 'moved');
    expect(await set(moved)).toMatchObject({ message: `There is no folder ${moved}`, field: 'folder' });
    await mkdir(moved);
    expect(await set(moved)).toMatchObject({ message: `${moved} does not hold the repository "main"` });
    const other = await calls.add({ name: 'other', folder: path.join(place, 'other') });
    await calls.remove({ repositoryId: other.id });
    expect(await set(path.join(place, 'other'))).toMatchObject({
      message: `${path.join(place, 'other')} holds another repository`,
    });
    const third = path.join(place, 'third');
    await calls.add({ name: 'third', folder: third });
    await cp(folder, path.join(third, 'inside'), { recursive: true });
    expect(await set(path.join(third, 'inside'))).toMatchObject({ message: expect.stringContaining('overlaps') });
    await cp(folder, moved, { recursive: true });
    expect(await set(moved)).toMatchObject({ message: `${folder} still holds the repository "main"` });
    expect(await set('moved')).toMatchObject({ code: 'call.invalid', field: 'folder' });
    await rename(folder, `${folder}-old`);
    busy = contoso;
    expect(await set(moved)).toMatchObject({ code: 'service.locked' });
    busy = undefined;
    expect(await calls.checkFolder({ folder: moved, repositoryId })).toEqual({ folder: moved, state: 'known' });
    expect(await calls.set({ repositoryId, folder: moved })).toMatchObject({
      ...{ name: 'main', folder: moved, points: 1, problem: null },
    });
    expect(renamed).toEqual([]);
  });

  it('tests a folder for a new repository and changes nothing there', async () => {
    await add();
    const place = await makeTemporaryFolder();
    await writeFile(path.join(place, 'file'), '');
    const check = (to: string): Promise<unknown> => calls.checkFolder({ folder: to });
    expect(await check(path.join(place, 'a', '..', 'new', 'deep'))).toEqual({
      folder: path.join(place, 'new', 'deep'),
      state: 'missing',
    });
    expect(await check(place)).toEqual({ folder: place, state: 'new' });
    expect(await readdir(place)).toEqual(['file']);
    const second = await calls.add({ name: 'second', folder: path.join(place, 'second') });
    await calls.remove({ repositoryId: second.id });
    expect(await check(path.join(place, 'second'))).toMatchObject({ state: 'known' });
    for (const [wrong, message] of [
      ['here', 'is not an absolute path'],
      [folder, 'overlaps with the repository "main"'],
      [path.join(place, 'file'), 'it is a file, not a folder'],
      [path.join(place, 'file', 'below'), 'a part of the path is a file'],
      ['/proc/farkeep/x', 'no folder can be created there'],
    ] as const)
      expect(await refusalOf(check(wrong)), wrong).toMatchObject({
        field: 'folder',
        message: expect.stringContaining(message),
      });
  });

  it('finds nothing in sound data, and notes when that was', async () => {
    await add();
    await backUp(contoso, pointId);
    expect(await calls.verify({ isDeep: true })).toMatchObject({
      ok: true,
      points: 1,
      damaged: [],
      markingProblem: null,
    });
    const verification = { at: new Date(start).toISOString(), findings: 0 };
    expect(memory.events.of(repositoriesDomain, 'changed')).toMatchObject([{ verification, points: 1 }]);
    expect(counted).toEqual([`${contoso} some`]);
    expect(memory.audit.entries).toEqual([]);
  });

  it('names the tenant, the pack and the points of damage, and records that blocks are lost', async () => {
    const repositoryId = await add();
    await backUp(contoso, pointId);
    await backUp(fabrikam, otherPointId);
    await damagePacks(fabrikam);
    const result = await calls.verify({ repositoryId });
    expect(result).toMatchObject({ ok: false, points: 2 });
    expect(result.damaged.every(({ pack, manifest }) => (pack ?? manifest ?? '').startsWith(`${fabrikam}/`))).toBe(
      true,
    );
    expect(result.damaged.flatMap(({ points }) => points)).toContain(otherPointId);
    expect(memory.audit.lines).toEqual([`${adminAtCommandLine}: repository.damage main`]);
    expect(memory.events.of(repositoriesDomain, 'changed')).toMatchObject([
      { verification: { findings: result.damaged.length } },
    ]);
  });

  it('checks the other tenants when the place of one cannot be read', async () => {
    await add();
    await backUp(fabrikam, pointId);
    const place = path.join(folder, contoso);
    await backUp(contoso, otherPointId);
    for (const name of await readdir(place)) await rm(path.join(place, name), { recursive: true });
    for (const name of ['packs', 'points']) await writeFile(path.join(place, name), 'not a folder');
    const result = await calls.verify({});
    expect(result).toMatchObject({ ok: false, points: 1 });
    const named = result.damaged.map(({ pack, manifest }) => pack ?? manifest);
    expect(named).toEqual([`${contoso}/packs`, `${contoso}/points`]);
    expect(counted).toContain(`${fabrikam} some`);
  });

  it('ends a check well when the space of a tenant cannot be counted', async () => {
    await add();
    await backUp(contoso, pointId);
    countFailure = new FarkeepError('storage.disk-full');
    expect(await calls.verify({})).toMatchObject({ ok: true });
  });

  it('makes the catalogues of all tenants again', async () => {
    const repositoryId = await add();
    await backUp(contoso, pointId);
    await backUp(fabrikam, otherPointId);
    expect(await calls.rebuildCatalogue({ repositoryId })).toMatchObject({ tenants: 2, points: 2 });
    expect(counted.sort()).toEqual([`${contoso} some`, `${fabrikam} some`]);
    expect(memory.audit.lines).toEqual([`${adminAtCommandLine}: repository.rebuild-catalogue main`]);
  });

  it('makes no catalogue again while a session uses one of the places', async () => {
    const repositoryId = await add();
    await backUp(contoso, pointId);
    await backUp(fabrikam, otherPointId);
    busy = fabrikam;
    expect(await refusalOf(calls.rebuildCatalogue({ repositoryId }))).toMatchObject({ code: 'service.locked' });
    expect([counted, memory.audit.entries]).toEqual([[], []]);
  });

  it.each<[string, () => Promise<unknown>, string, string | undefined]>([
    ['a folder that is no whole path', () => calls.add({ name: 'other', folder: 'here' }), 'call.invalid', 'folder'],
    ['the folder of another repository', () => calls.add({ name: 'other', folder }), 'call.conflict', 'folder'],
    ['a taken name', () => calls.add({ name: 'MAIN', folder: '/not/used' }), 'call.conflict', 'name'],
    ['a name that looks like an identifier', () => calls.add({ name: missing, folder }), 'call.invalid', 'name'],
    [
      'a path of 4097 characters',
      () => calls.add({ name: 'other', folder: `/${'a'.repeat(4096)}` }),
      'call.invalid',
      'folder',
    ],
    ['to remove nothing', () => calls.remove({ repositoryId: missing }), 'call.not-found', undefined],
    ['to change nothing', () => calls.set({ repositoryId: missing, name: 'x' }), 'call.not-found', undefined],
    ['to check nothing', () => calls.verify({ repositoryId: missing }), 'call.not-found', undefined],
    ['a catalogue of nothing', () => calls.rebuildCatalogue({ repositoryId: missing }), 'call.not-found', undefined],
  ])('refuses %s', async (_case, call, code, field) => {
    const id = await add();
    expect(await refusalOf(call())).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
    expect((await calls.list({})).repositories).toMatchObject([{ id, verification: null }]);
    expect([memory.audit.entries, memory.events.all]).toEqual([[], []]);
  });
});
