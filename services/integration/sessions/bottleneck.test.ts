// A slow network is named as the bottleneck on both sides, also when one message takes longer than the interval of the reports; and the
// compression ratio compares the sent blocks with their own content.
import { afterEach, expect, it } from 'vitest';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { startProxiedSite } from '../../testing/site/proxied-site.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, 30_000);

it('a slow network is the bottleneck, and random data has no compression ratio', async () => {
  const { stack, proxy, jobId } = await startProxiedSite(undo, {
    sizeBytes: 48 * 1024 * 1024,
    hasMoverProcesses: true,
  });
  proxy.dataBytesPerSecond = 1024 * 1024;
  const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId });
  for (const { events } of [stack.tenant, stack.provider]) {
    const { progress } = await events.waitFor(sessionsDomain, 'progressed', (told) => {
      if (told.sessionId !== sessionId || told.bottleneck === null) return false;
      const { network, ...others } = told.bottleneck;
      return network > 0.5 && network > Math.max(...Object.values(others)) && told.progress.transferredBytes > 0;
    });
    const { contentBytes = 0, transferredBytes } = progress;
    expect(contentBytes / transferredBytes).toBeGreaterThan(0.98);
    expect(contentBytes / transferredBytes).toBeLessThan(1.02);
  }
  await stack.tenant.domain(sessionsDomain).pause({ sessionId });
  const { bottleneck } = await stack.tenant.domain(sessionsDomain).show({ sessionId });
  expect(bottleneck).toBeNull();
  await stack.tenant.domain(sessionsDomain).cancel({ sessionId });
  await stack.untilEnded(sessionId);
}, 60_000);
