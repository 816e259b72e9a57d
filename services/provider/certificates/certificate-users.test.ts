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

  it('says whether something is news', async () => {
    expect(await users.noteSeen('provider', 'tenant', 'contoso', one)).toBe(false);
    expect(await users.noteSeen('provider', 'tenant', 'contoso', two)).toBe(true);
    expect(await users.noteReport('contoso', report)).toBe(true);
    expect(await users.noteReport('contoso', report)).toBe(false);
    expect(await users.noteReport('nobody', report)).toBe(false);
  });

  it('goes from updated over pending and informed to updated with a planned change', async () => {
    await users.noteReport('contoso', { ...report, acceptedBy: 'thumbprint' });
    // The first certificate was not a change, however it was accepted.
    expect(await state(one)).toBe('updated');
    expect(await state(one, two)).toBe('pending');
    await users.noteReport('contoso', { ...report, nextSha256: two });
    expect(await state(one, two)).toBe('informed');
    // An older announcement is not the one that counts.
    expect(await state(one, three)).toBe('pending');
    expect(await state(two)).toBe('informed');
    await users.noteSeen('provider', 'tenant', 'contoso', two);
    await users.noteReport('contoso', { ...report, acceptedBy: 'rollover' });
    expect(await state(two)).toBe('updated');
  });

  it('takes no tenant for informed about the announcement that follows, be it of the same certificate', async () => {
    await users.noteReport('contoso', { ...report, nextSha256: two });
    await users.forgetAnnounced();
    expect(await state(one, two)).toBe('pending');
    expect(await users.noteReport('contoso', { ...report, nextSha256: two })).toBe(true);
    expect(await state(one, two)).toBe('informed');
  });

  it('tells a person who compared from a chain that is trusted', async () => {
    await users.noteSeen('provider', 'tenant', 'contoso', two);
    expect(await state(two)).toBe('updated');
    await users.noteReport('contoso', { ...report, acceptedBy: 'chain' });
    expect(await state(two)).toBe('updated');
    await users.noteReport('contoso', report);
    expect(await state(two)).toBe('re-accepted');
    // How the one before was accepted says nothing about the next.
    await users.noteSeen('provider', 'tenant', 'contoso', three);
    expect(await state(three)).toBe('updated');
  });

  it('keeps a refused announcement with its reason until it is gone', async () => {
    await users.noteReport('contoso', { ...report, refused: { nextSha256: two, reason: 'not signed' } });
    const [row] = await users.list('provider', { sha256: one, nextSha256: two });
    expect(row).toMatchObject({ state: 'failed', note: expect.stringContaining('not signed') as string });
    expect(await state(two)).toBe('failed');
    expect(await state(one)).toBe('updated');
    await users.noteReport('contoso', { ...report, nextSha256: two });
    expect(await state(one, two)).toBe('informed');
  });

  it('lists consoles beside tenants, by slot, and forgets who was removed', async () => {
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
