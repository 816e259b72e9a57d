// A certificate is installed during a backup of 2 GiB: the backup continues, and new connections get the new certificate.
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

/** Each 4 KiB differ, so that all data is sent; but they are small after compression, so that the disk can store two backups. */
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

describe('a certificate that is installed during a backup', () => {
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

  it('is used for new connections at once and does not disturb the running session', async () => {
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

    // Announced and carried out during the session: the tenant gets the announcement over its open connection.
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

    // Then a certificate without an announcement.
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
    // The next job waits until a person compares the certificate.
    await stack.acceptByPrompt();
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
