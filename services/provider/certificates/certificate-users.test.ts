import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateUser } from '../../contracts/models/certificate.ts';
import { Database } from '../../kernel/state/database.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { SqliteCertificateUserStore, type TenantReport } from '../state/certificate-user-store.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { CertificateUsers } from './certificate-users.ts';

const [one, two, three] = ['11', '22', '33'] as const;
const report: TenantReport = { acceptedBy: 'person', nextSha256: null, refused: null };

describe('CertificateUsers', () => {
  let users: CertificateUsers;
  const state = async (inService: string, nextSha256?: string): Promise<CertificateUser['state'] | undefined> =>
    (await users.list('provider', { sha256: inService, nextSha256 }))[0]?.state;

  beforeEach(async () => {
    const store = new SqliteCertificateUserStore(new Database(':memory:', providerMigrations));
    users = new CertificateUsers(store, new ShiftedClock());
    await users.noteSeen('provider', 'tenant', 'contoso', one);
  });

  it('reports whether a record has changed', async () => {
    expect(await users.noteSeen('provider', 'tenant', 'contoso', one)).toBe(false);
    expect(await users.noteSeen('provider', 'tenant', 'contoso', two)).toBe(true);
    expect(await users.noteReport('contoso', report)).toBe(true);
    expect(await users.noteReport('contoso', report)).toBe(false);
    expect(await users.noteReport('nobody', report)).toBe(false);
  });

  it('changes from updated to pending, informed and updated during a planned change', async () => {
    await users.noteReport('contoso', { ...report, acceptedBy: 'thumbprint' });
    // The first certificate is not a change, so the way of its acceptance does not count.
    expect(await state(one)).toBe('updated');
    expect(await state(one, two)).toBe('pending');
    await users.noteReport('contoso', { ...report, nextSha256: two });
    expect(await state(one, two)).toBe('informed');
    // Only the newest announcement counts.
    expect(await state(one, three)).toBe('pending');
    expect(await state(two)).toBe('informed');
    await users.noteSeen('provider', 'tenant', 'contoso', two);
    await users.noteReport('contoso', { ...report, acceptedBy: 'rollover' });
    expect(await state(two)).toBe('updated');
  });

  it('counts no tenant as informed about a later announcement, even of the same certificate', async () => {
    await users.noteReport('contoso', { ...report, nextSha256: two });
    await users.forgetAnnounced();
    expect(await state(one, two)).toBe('pending');
    expect(await users.noteReport('contoso', { ...report, nextSha256: two })).toBe(true);
    expect(await state(one, two)).toBe('informed');
  });

  it('distinguishes a person’s comparison from a trusted chain', async () => {
    await users.noteSeen('provider', 'tenant', 'contoso', two);
    expect(await state(two)).toBe('updated');
    await users.noteReport('contoso', { ...report, acceptedBy: 'chain' });
    expect(await state(two)).toBe('updated');
    await users.noteReport('contoso', report);
    expect(await state(two)).toBe('re-accepted');
    // The way in which the previous certificate was accepted says nothing about the next one.
    await users.noteSeen('provider', 'tenant', 'contoso', three);
    expect(await state(three)).toBe('updated');
  });

  it('keeps the reason of a refused announcement until the announcement is withdrawn', async () => {
    await users.noteReport('contoso', { ...report, refused: { nextSha256: two, reason: 'not signed' } });
    const [row] = await users.list('provider', { sha256: one, nextSha256: two });
    expect(row).toMatchObject({ state: 'failed', note: expect.stringContaining('not signed') as string });
    expect(await state(two)).toBe('failed');
    expect(await state(one)).toBe('updated');
    await users.noteReport('contoso', { ...report, nextSha256: two });
    expect(await state(one, two)).toBe('informed');
  });

  it('lists consoles and tenants by slot, and omits removed ones', async () => {
    await users.noteSeen('provider', 'console', 'root', one);
    await users.noteSeen('server', 'console', 'root', two);
    expect(await users.list('server', { sha256: two, nextSha256: undefined })).toMatchObject([
      { kind: 'console', name: 'root', state: 'updated', seenSha256: two },
    ]);
    expect(await users.list('server', { sha256: three, nextSha256: undefined })).toMatchObject([{ state: 'pending' }]);
    await users.forget('tenant', 'contoso');
    expect((await users.list('provider', { sha256: one, nextSha256: undefined })).map(({ kind }) => kind)).toEqual([
      'console',
    ]);
  });
});
