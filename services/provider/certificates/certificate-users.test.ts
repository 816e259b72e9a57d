import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateUser } from '../../contracts/models/certificate.ts';
import { Database } from '../../kernel/state/database.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { CertificateUsers, type TenantReport } from './certificate-users.ts';
import { providerMigrations } from '../state/provider-database.ts';

const [one, two, three] = ['11', '22', '33'] as const;
const report: TenantReport = { acceptedBy: 'person', nextSha256: null, refused: null };

describe('CertificateUsers', () => {
  let users: CertificateUsers;
  const state = (inService: string, nextSha256?: string): CertificateUser['state'] | undefined =>
    users.list('provider', { sha256: inService, nextSha256 })[0]?.state;

  beforeEach(() => {
    users = new CertificateUsers(new Database(':memory:', providerMigrations), new ShiftedClock());
    users.noteSeen('provider', 'tenant', 'contoso', one);
  });

  it('says whether something is news', () => {
    expect(users.noteSeen('provider', 'tenant', 'contoso', one)).toBe(false);
    expect(users.noteSeen('provider', 'tenant', 'contoso', two)).toBe(true);
    expect(users.noteReport('contoso', report)).toBe(true);
    expect(users.noteReport('contoso', report)).toBe(false);
    expect(users.noteReport('nobody', report)).toBe(false);
  });

  it('goes from updated over pending and informed to updated with a planned change', () => {
    users.noteReport('contoso', { ...report, acceptedBy: 'thumbprint' });
    // The first certificate was not a change, however it was accepted.
    expect(state(one)).toBe('updated');
    expect(state(one, two)).toBe('pending');
    users.noteReport('contoso', { ...report, nextSha256: two });
    expect(state(one, two)).toBe('informed');
    // An older announcement is not the one that counts.
    expect(state(one, three)).toBe('pending');
    expect(state(two)).toBe('informed');
    users.noteSeen('provider', 'tenant', 'contoso', two);
    users.noteReport('contoso', { ...report, acceptedBy: 'rollover' });
    expect(state(two)).toBe('updated');
  });

  it('takes no tenant for informed about the announcement that follows, be it of the same certificate', () => {
    users.noteReport('contoso', { ...report, nextSha256: two });
    users.forgetAnnounced();
    expect(state(one, two)).toBe('pending');
    expect(users.noteReport('contoso', { ...report, nextSha256: two })).toBe(true);
    expect(state(one, two)).toBe('informed');
  });

  it('tells a person who compared from a chain that is trusted', () => {
    users.noteSeen('provider', 'tenant', 'contoso', two);
    expect(state(two)).toBe('updated');
    users.noteReport('contoso', { ...report, acceptedBy: 'chain' });
    expect(state(two)).toBe('updated');
    users.noteReport('contoso', report);
    expect(state(two)).toBe('re-accepted');
    // How the one before was accepted says nothing about the next.
    users.noteSeen('provider', 'tenant', 'contoso', three);
    expect(state(three)).toBe('updated');
  });

  it('keeps a refused announcement with its reason until it is gone', () => {
    users.noteReport('contoso', { ...report, refused: { nextSha256: two, reason: 'not signed' } });
    const [row] = users.list('provider', { sha256: one, nextSha256: two });
    expect(row).toMatchObject({ state: 'failed', note: expect.stringContaining('not signed') as string });
    expect(state(two)).toBe('failed');
    expect(state(one)).toBe('updated');
    users.noteReport('contoso', { ...report, nextSha256: two });
    expect(state(one, two)).toBe('informed');
  });

  it('lists consoles beside tenants, by slot, and forgets who was removed', () => {
    users.noteSeen('provider', 'console', 'root', one);
    users.noteSeen('server', 'console', 'root', two);
    expect(users.list('server', { sha256: two, nextSha256: undefined })).toMatchObject([
      { kind: 'console', name: 'root', state: 'updated', seenSha256: two },
    ]);
    expect(users.list('server', { sha256: three, nextSha256: undefined })).toMatchObject([{ state: 'pending' }]);
    users.forget('tenant', 'contoso');
    expect(users.list('provider', { sha256: one, nextSha256: undefined }).map(({ kind }) => kind)).toEqual(['console']);
  });
});
