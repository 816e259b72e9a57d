// The list before Finish: which tenants have a pin, which invitations contain which thumbprint, and who depends on no certificate yet.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CertificateUser } from '../../contracts/models/certificate.ts';
import { Database } from '../../kernel/state/database.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { certificateUsage } from './certificate-usage.ts';
import { CertificateUsers } from './certificate-users.ts';
import { Gateways } from '../gateways/gateways.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { stateIn } from '../state/provider-state.ts';
import { TenantAccounts } from '../accounts/tenant-accounts.ts';

const [before, inService] = ['11:11', '22:22'] as const;
const hourMs = 3_600_000;

describe('the users of the provider identity', () => {
  let clock: ShiftedClock;
  let accounts: TenantAccounts;
  let users: CertificateUsers;
  let gateways: Gateways;
  let candidatePem: string;
  beforeAll(async () => {
    candidatePem = (await generateSelfSigned({ subject: { commonName: 'next' }, keyBits: 2048 })).certificatePem;
  });
  beforeEach(async () => {
    const state = stateIn(new Database(':memory:', providerMigrations));
    clock = new ShiftedClock();
    accounts = new TenantAccounts({ store: state.accounts, repositories: state.repositories, clock });
    users = new CertificateUsers(state.certificateUsers, clock);
    gateways = await Gateways.open(state.gateways, clock);
  });

  const add = (name: string): Promise<string> =>
    accounts.add({ name, password: 'not needed here', quotas: [], leaseUntil: null });
  const invite = (id: string, fingerprint: string, validMs = hourMs): Promise<unknown> =>
    accounts.invite(id, new Date(clock.now() + validMs).toISOString(), fingerprint);
  const list = (options: { candidatePem?: string; nextSha256?: string } = {}): Promise<CertificateUser[]> =>
    certificateUsage('provider', options.candidatePem, {
      store: { installed: () => Promise.resolve(undefined) },
      identity: { sha256: inService, covers: () => true },
      users,
      gateways,
      accounts,
      nextSha256: options.nextSha256,
    });

  it('shows a tenant as pending when it has not connected since the change, and omits one that never connected', async () => {
    await add('never-came');
    const contoso = await add('contoso');
    await users.noteSeen('provider', 'tenant', 'contoso', before);
    await accounts.noteLogin(contoso);
    expect(await list()).toMatchObject([{ kind: 'tenant', name: 'contoso', state: 'pending', seenSha256: before }]);
  });

  it('shows a tenant as pending when it logged in before certificates were recorded', async () => {
    await accounts.noteLogin(await add('contoso'));
    expect(await list()).toMatchObject([{ kind: 'tenant', name: 'contoso', state: 'pending', seenSha256: null }]);
  });

  it('lists open invitations by the thumbprint that they contain, one row for each', async () => {
    const contoso = await add('contoso');
    await invite(contoso, before);
    await invite(contoso, before, 2 * hourMs);
    await invite(await add('fabrikam'), inService);
    expect(await list()).toMatchObject([
      {
        kind: 'invitation',
        name: 'contoso',
        state: 'failed',
        note: expect.stringContaining('Send a new invitation') as string,
      },
      { kind: 'invitation', name: 'fabrikam', state: 'updated' },
    ]);
    expect(await list({ nextSha256: '33:33' })).toMatchObject([{ state: 'failed' }, { state: 'pending' }]);
    expect(await list({ candidatePem })).toMatchObject([{ state: 'failed' }, { state: 'pending' }]);
  });

  it('omits an invitation that was used or has expired', async () => {
    const contoso = await add('contoso');
    await invite(contoso, before);
    clock.advance(2 * hourMs);
    expect(await list()).toEqual([]);
  });

  it('shows before Finish what question a tenant will get', async () => {
    await add('contoso');
    await users.noteSeen('provider', 'tenant', 'contoso', inService);
    expect(await list()).toMatchObject([{ state: 'updated', note: null }]);
    expect(await list({ candidatePem })).toMatchObject([
      { state: 'updated', note: 'Will be asked to compare the new certificate' },
    ]);
  });
});
