// The repositories domain of the provider: adding and removing, checking all data, making catalogues again.
import { readdir, rm, writeFile } from 'node:fs/promises';
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
    counted = [];
    countFailure = undefined;
    const points = new RestorePoints(silentLogger);
    const handlers = repositoryHandlers({
      repositories: new Repositories(state.repositories, clock, points),
      points,
      sessions: standIn<ProviderSessions>({
        isLocationBusy: (location) => busy !== undefined && storageBackends.describe(location).endsWith(busy),
      }),
      audit: audit.log,
      logger: silentLogger,
      publish: events.publish,
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
    ['to check nothing', () => calls.verify({ repositoryId: missing }), 'call.not-found', undefined],
    ['a catalogue of nothing', () => calls.rebuildCatalogue({ repositoryId: missing }), 'call.not-found', undefined],
  ])('refuses %s', async (_case, call, code, field) => {
    const id = await add();
    expect(await refusalOf(call())).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
    expect((await calls.list({})).repositories).toMatchObject([{ id, verification: null }]);
    expect([memory.audit.entries, memory.events.all]).toEqual([[], []]);
  });
});
