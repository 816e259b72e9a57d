// Owns the stores and rules of a provider over a database in memory: one repository "main", no account, no gateway. For tests only.
// Verifiers of passwords are quick to make.
import type { Clock } from '../kernel/clock.ts';
import { Database } from '../kernel/state/database.ts';
import { TenantAccounts } from '../provider/accounts/tenant-accounts.ts';
import { CertificateUsers } from '../provider/certificates/certificate-users.ts';
import { Gateways } from '../provider/gateways/gateways.ts';
import { providerMigrations } from '../provider/state/provider-database.ts';
import { stateIn, type ProviderState } from '../provider/state/provider-state.ts';
import { folderLocation } from '../repository/storage/repository-location.ts';
import { makeScramVerifier } from '../wire/scram.ts';
import { RecordedAudit } from './recorded-audit.ts';
import { RecordedEvents } from './recorded-events.ts';

export interface ProviderInMemory {
  readonly state: ProviderState;
  readonly accounts: TenantAccounts;
  readonly users: CertificateUsers;
  readonly gateways: Gateways;
  readonly audit: RecordedAudit;
  readonly events: RecordedEvents;
}

export async function openProviderInMemory(clock: Clock): Promise<ProviderInMemory> {
  const state = stateIn(new Database(':memory:', providerMigrations));
  await state.repositories.add({
    id: 'e'.repeat(32),
    name: 'main',
    location: folderLocation('/srv/main'),
    createdAt: new Date(clock.now()).toISOString(),
  });
  return {
    state,
    accounts: new TenantAccounts({
      store: state.accounts,
      repositories: state.repositories,
      clock,
      makeVerifier: (password) => makeScramVerifier(password, { iterations: 4096 }),
    }),
    users: new CertificateUsers(state.certificateUsers, clock),
    gateways: await Gateways.open(state.gateways, clock),
    audit: new RecordedAudit(clock),
    events: new RecordedEvents(),
  };
}
