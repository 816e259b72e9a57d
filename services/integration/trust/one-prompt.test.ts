// One prompt for one identity, even if several connections need the answer at the same time; one answer for all of them.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { Stack } from '../../testing/site/stack.ts';

describe('one prompt for one identity', () => {
  let folder: string;
  let stack: Stack;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-one-prompt-'));
    await mkdir(path.join(folder, 'source'));
    await writeFile(path.join(folder, 'source', 'letter.txt'), 'dear reader');
    stack = await Stack.start({ folder, gateways: 2, tenant: { checkInIntervalMs: 0 } });
  }, 60_000);

  afterEach(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('is raised once for two jobs and the wizard, through two gateways, and its answer continues all of them', async () => {
    const { id: providerId } = await stack.addProvider();
    const jobs = await Promise.all(
      ['first', 'second'].map((name) => stack.addJob(providerId, path.join(folder, 'source'), { name })),
    );
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName: 'New', keyBits: 2048 });
    await certificates.install({ slot: 'provider', candidateId });

    const providers = stack.tenant.domain(serviceProvidersDomain);
    const [first, second] = await Promise.all([
      Promise.all(jobs.map((jobId) => stack.tenant.domain(jobsDomain).run({ jobId }))),
      Promise.all([providers.probe(stack.addressOf(0)), providers.probe(stack.addressOf(1))]),
    ]);
    for (const { sessionId } of first) {
      await stack.tenant.events.waitFor(
        sessionsDomain,
        'changed',
        ({ id, state }) => id === sessionId && state === 'waiting-to-resume',
      );
    }
    const trust = stack.tenant.domain(trustDomain);
    const { prompts } = await trust.listPrompts({});
    expect(prompts).toHaveLength(1);
    expect(new Set(second.map(({ prompt }) => prompt?.id))).toEqual(new Set([prompts[0]?.id]));
    // The event is sent again when a job joins the prompt of the wizard, with the same prompt.
    const raised = stack.tenant.events.of(trustDomain, 'promptRaised');
    expect(new Set(raised.map(({ id }) => id))).toEqual(new Set([prompts[0]?.id]));

    await trust.answerPrompt({ promptId: prompts[0]?.id ?? '', answer: 'accept', isCompared: true });
    for (const { sessionId } of first) {
      expect(await stack.untilEnded(sessionId)).toMatchObject({ state: 'succeeded' });
    }
    const { entries } = await trust.journal({});
    expect(entries.filter(({ note }) => note.startsWith('changed certificate'))).toHaveLength(1);
    expect((await trust.listPrompts({})).prompts).toEqual([]);
  }, 60_000);
});
