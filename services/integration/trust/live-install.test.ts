// Another certificate goes into service while a backup of 2 GiB runs: the backup notices nothing, everybody who connects from then on gets the new one.
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finalSessionStates } from '../../contracts/models/session.ts';
import type { StoredCertificate } from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { Stack } from '../../testing/site/stack.ts';

const sourceBytes = 2 * 2 ** 30;
const stampBytes = 4096;

/** Every 4 KiB are others, so that all of it is sent; but they are small when compressed, so that the disk holds two of them. */
async function writeSource(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    const piece = Buffer.alloc(16 * 2 ** 20, 'farkeep ');
    let stamp = 1;
    for (let written = 0; written < sourceBytes; written += piece.length) {
      for (let at = 0; at < piece.length; at += stampBytes) {
        piece.writeUInt32LE(stamp, at);
        stamp += 1;
      }
      await handle.write(piece);
    }
  } finally {
    await handle.close();
  }
}

describe('a certificate put in service during a backup', () => {
  let folder: string;
  let stack: Stack;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-live-'));
    await mkdir(path.join(folder, 'source'));
    await writeSource(path.join(folder, 'source', 'disk.raw'));
    stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('reaches new connections at once and leaves the running session alone', async () => {
    const certificates = stack.provider.domain(certificateDomain);
    const make = async (friendlyName: string): Promise<StoredCertificate> => {
      const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName, keyBits: 2048 });
      return certificates.store({ candidateId });
    };
    const announced = await make('Announced');
    const sudden = await make('Sudden');
    const old = await stack.fingerprint();
    const { id: providerId } = await stack.addProvider();
    const jobId = await stack.addJob(providerId, path.join(folder, 'source'), { streams: 1 });
    const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId });
    const isRunning = async (): Promise<boolean> =>
      !finalSessionStates.includes((await stack.tenant.domain(sessionsDomain).show({ sessionId })).state);
    await stack.tenant.events.waitFor(
      sessionsDomain,
      'progressed',
      (progress) => progress.sessionId === sessionId && progress.progress.transferredBytes > 0,
      30_000,
    );
    const probe = () => stack.tenant.domain(serviceProvidersDomain).probe(stack.addressOf(0));

    // Announced and carried out within the same session: the tenant hears of it over the connection that it has.
    await certificates.announceRollover({
      certificateId: announced.id,
      switchAt: new Date(Date.now() + 300).toISOString(),
    });
    await stack.tenant.events.waitFor(trustDomain, 'announcement', ({ outcome }) => outcome === 'stored');
    await stack.provider.events.waitFor(
      certificateDomain,
      'installed',
      ({ certificate }) => certificate.id === announced.id,
    );
    expect(await probe()).toMatchObject({
      decision: 'pinned',
      prompt: null,
      certificate: { sha256: announced.summary.sha256 },
    });

    // And one that nobody announced.
    await certificates.install({ slot: 'provider', certificateId: sudden.id });
    const seen = await probe();
    expect(seen).toMatchObject({
      decision: 'refused',
      certificate: { sha256: sudden.summary.sha256 },
      prompt: { kind: 'changed', saved: { sha256: announced.summary.sha256 } },
    });
    expect(await isRunning(), 'the backup ended before the certificate was changed; make it larger').toBe(true);

    const session = await stack.untilEnded(sessionId, 90_000);
    expect(session).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      certificateSha256: old,
      warningCount: 0,
      hasSecurityWarning: false,
      progress: { readBytes: sourceBytes },
    });
    // The next job waits for a person, who compares.
    await stack.acceptByPromptAfterComparing();
    const { users } = await certificates.usage({ slot: 'provider' });
    expect(users.find(({ kind }) => kind === 'tenant')).toMatchObject({ state: 'pending' });
    await stack.tenant.domain(serviceProvidersDomain).rescan({ providerId });
    const after = await certificates.usage({ slot: 'provider' });
    expect(after.users.find(({ kind }) => kind === 'tenant')).toMatchObject({
      state: 're-accepted',
      seenSha256: sudden.summary.sha256,
    });
  }, 120_000);
});
