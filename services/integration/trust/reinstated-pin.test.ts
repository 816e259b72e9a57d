// A provider whose pin was revoked is removed and added again: refused, with the command to reinstate the pin, until a person does so.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { Stack } from '../../testing/site/stack.ts';

let folder: string;
let stack: Stack;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'farkeep-reinstated-'));
  stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
}, 60_000);
afterEach(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

it('it can be added again after its pin was reinstated, with or without a job in between', async () => {
  const trust = stack.tenant.domain(trustDomain);
  const providers = stack.tenant.domain(serviceProvidersDomain);
  const added = await stack.addProvider();
  const pin = (await trust.listPins({})).pins.find(({ identity }) => identity === added.name);
  await trust.revokePin({ pinId: pin?.id ?? '' });
  const refused = { code: 'trust.refused', hint: expect.stringContaining('farkeep trust reinstate') as string };
  await expect(providers.rescan({ providerId: added.id })).rejects.toMatchObject(refused);
  await providers.remove({ providerId: added.id });
  await expect(stack.addProvider()).rejects.toMatchObject(refused);

  const reinstated = await trust.reinstatePin({ pinId: pin?.id ?? '', pasted: await stack.fingerprint() });
  expect(reinstated).toMatchObject({ identity: added.name, state: 'current' });
  const again = await stack.addProvider();
  expect(again).toMatchObject({ name: added.name, trust: 'pinned' });
  await providers.rescan({ providerId: again.id });
  const { entries, isIntact } = await trust.journal({});
  expect(isIntact).toBe(true);
  expect(entries.map(({ action }) => action).slice(-2)).toEqual(['revoked', 'accepted']);
}, 60_000);
