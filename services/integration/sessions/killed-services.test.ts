// Services as real processes, killed with SIGKILL during a backup and started again: the session continues and no data is lost.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceRole } from '../../contracts/contract.ts';
import { finalSessionStates, type SessionDetail } from '../../contracts/models/session.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { connectAdmin, type AdminClient } from '../../host/carriers/admin-client.ts';
import { growingFigures } from '../../session/attempt-figures.ts';
import { startDemoSite, type DemoSite } from '../../demo/demo-site.ts';
import { spawnService, type ServiceChild } from '../../host/service-child.ts';

const fileBytes = 96 * 1024 * 1024;
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, 30_000);

async function startSite(): Promise<{ site: DemoSite; source: string; folder: string; jobId: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-killed-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const source = path.join(folder, 'source');
  await mkdir(source);
  await writeFile(path.join(source, 'big.bin'), randomBytes(fileBytes));
  const site = await startDemoSite({
    root: path.join(folder, 'site'),
    report: () => undefined,
    signal: new AbortController().signal,
  });
  undo.push(() => site.stop());
  const { id: jobId } = await site.tenant.client.domain(jobsDomain).add({
    name: 'big',
    sourcePaths: [source],
    providerId: site.serviceProvider.id,
    repository: site.repository,
  });
  return { site, source, folder, jobId };
}

async function until<Value>(look: () => Promise<Value | undefined>, what: string): Promise<Value> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`Waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function show(client: AdminClient, sessionId: string): Promise<SessionDetail> {
  return client.domain(sessionsDomain).show({ sessionId });
}

/** Kills a service, and starts it again on the same ports. */
async function killAndRestart(
  site: DemoSite,
  role: Extract<ServiceRole, 'provider' | 'tenant'>,
): Promise<{ process: ServiceChild; client: AdminClient }> {
  const { home, process: running } = site[role];
  process.kill(running.ready.pid, 'SIGKILL');
  await running.exited;
  const started = await spawnService({
    role,
    home,
    args: [],
    logFile: path.join(site.root, 'log', `${role}-again.log`),
    signal: new AbortController().signal,
  });
  undo.push(() => started.stop(5000));
  return { process: started, client: await connectAdmin({ home, role }) };
}

describe('a killed service', () => {
  for (const role of ['provider', 'tenant'] as const) {
    it(`(${role}) starts again and continues the session`, async () => {
      const { site, source, folder, jobId } = await startSite();
      const { sessionId } = await site.tenant.client.domain(jobsDomain).run({ jobId });
      await until(async () => {
        const { state, progress } = await show(site.tenant.client, sessionId);
        return state === 'transferring' && progress.transferredBytes > 0 ? true : undefined;
      }, 'data on its way');
      const before = {
        tenant: await show(site.tenant.client, sessionId),
        provider: await show(site.provider.client, sessionId),
      };
      const again = await killAndRestart(site, role);
      undo.push(() => {
        again.client.close();
        return Promise.resolve();
      });
      const tenant = role === 'tenant' ? again.client : site.tenant.client;
      const session = await until(async () => {
        const detail = await show(tenant, sessionId);
        return finalSessionStates.includes(detail.state) ? detail : undefined;
      }, 'the end of the session');
      expect(session, JSON.stringify(session.actions)).toMatchObject({ error: null, state: 'succeeded' });
      expect(session.attempt).toBeGreaterThan(1);
      const provider = role === 'provider' ? again.client : site.provider.client;
      const atProvider = await until(async () => {
        const detail = await show(provider, sessionId);
        return finalSessionStates.includes(detail.state) ? detail : undefined;
      }, 'the end of the session at the provider');
      // Neither side has forgotten what both had seen before.
      for (const name of growingFigures) {
        expect(session.progress[name], name).toBe(atProvider.progress[name]);
        const seen = Math.min(before.tenant.progress[name], before.provider.progress[name]);
        expect(session.progress[name], name).toBeGreaterThanOrEqual(seen);
      }
      const stepsOf = ({ steps }: SessionDetail, attempt: number): string[] =>
        steps
          .filter((step) => step.attempt === attempt && step.outcome === 'done')
          .map(({ step }) => step)
          .sort();
      for (const attempt of new Set(session.steps.map((step) => step.attempt))) {
        expect(stepsOf(atProvider, attempt), `attempt ${attempt}`).toEqual(stepsOf(session, attempt));
      }
      const { points } = await tenant.domain(pointsDomain).list({});
      expect(points.map(({ id }) => id)).toEqual([sessionId]);
      const destination = path.join(folder, 'restored');
      const restore = await tenant.domain(pointsDomain).restore({ pointId: sessionId, destination });
      await until(async () => {
        const { state, error } = await show(tenant, restore.sessionId);
        expect(error).toBeNull();
        return finalSessionStates.includes(state) ? state : undefined;
      }, 'the end of the restore');
      const [saved, original] = await Promise.all(
        [destination, source].map((root) => readFile(path.join(root, 'big.bin'))),
      );
      expect(saved?.equals(original ?? Buffer.alloc(0))).toBe(true);
    }, 150_000);
  }
});
