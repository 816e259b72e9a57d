// The used space counts what a running, a paused and an interrupted backup has stored, on both sides, and what lies in a place whose quota
// was taken away for a while.
import { afterEach, expect, it } from 'vitest';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { startProxiedSite, strikeAfter } from '../../testing/site/proxied-site.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, 30_000);

const storedBytes = 2 * 1024 * 1024;

it('used space counts what a paused backup has stored, and a quota that comes back', async () => {
  const site = await startProxiedSite(undo, { sizeBytes: 48 * 1024 * 1024 });
  const { stack, proxy } = site;
  const sessions = stack.tenant.domain(sessionsDomain);
  const begun = Promise.withResolvers<void>();
  proxy.dataBytesPerSecond = 16 * 1024 * 1024;
  strikeAfter(proxy, 2 * storedBytes, begun.resolve);
  const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
  await begun.promise;
  await stack.tenant.events.waitFor(
    sessionsDomain,
    'changed',
    ({ id, state }) => id === sessionId && state === 'transferring',
  );
  await sessions.pause({ sessionId });

  const { events } = stack.provider;
  const account = await events.waitFor(tenantsDomain, 'changed', ({ quotas }) =>
    quotas.some(({ usedBytes }) => usedBytes > storedBytes),
  );
  await events.waitFor(repositoriesDomain, 'changed', ({ usedBytes }) => usedBytes > storedBytes);
  await stack.tenant.events.waitFor(serviceProvidersDomain, 'changed', ({ repositories }) =>
    repositories.some(({ usedBytes }) => usedBytes > storedBytes),
  );

  proxy.dataBytesPerSecond = Infinity;
  await sessions.resume({ sessionId });
  expect(await stack.untilEnded(sessionId)).toMatchObject({ state: 'succeeded' });
  await stack.untilEndedAtProvider(sessionId);
  const tenants = stack.provider.domain(tenantsDomain);
  const [before] = (await tenants.list({})).tenants;
  const quotas = account.quotas.map(({ repository, limitBytes }) => ({ repository, limitBytes }));
  await tenants.set({ tenantId: account.id, quotas: [] });
  expect((await tenants.set({ tenantId: account.id, quotas })).quotas).toEqual(before?.quotas);
}, 90_000);
