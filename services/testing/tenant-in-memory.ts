// Owns the stores and rules of a tenant over databases in memory: one provider "northwind" with the repository "main". For tests only.
import { PinStore } from '../certstore/pin-store.ts';
import { openTrustDatabase } from '../certstore/trust-database.ts';
import { TrustJournal } from '../certstore/trust-journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { Database } from '../kernel/state/database.ts';
import { ServiceProviders, type ContactResult } from '../tenant/providers/service-providers.ts';
import { stateIn, type TenantState } from '../tenant/state/tenant-state.ts';
import type { SecretVault } from '../tenant/state/secret-vault.ts';
import { tenantMigrations } from '../tenant/state/tenant-database.ts';
import { TrustPrompts } from '../tenant/trust/trust-prompts.ts';
import { standIn } from './handler-calls.ts';
import { RecordedEvents } from './recorded-events.ts';

export interface TenantInMemory {
  readonly state: TenantState;
  readonly providers: ServiceProviders;
  readonly providerId: string;
  readonly pins: PinStore;
  readonly journal: TrustJournal;
  readonly trustPrompts: TrustPrompts;
  readonly events: RecordedEvents;
}

/** @param certificatePem of the provider */
export async function openTenantInMemory(clock: Clock, certificatePem: string): Promise<TenantInMemory> {
  const state = stateIn(new Database(':memory:', tenantMigrations));
  const vault = standIn<SecretVault>({
    seal: (text) => Buffer.from(text),
    open: (sealed) => Buffer.from(sealed).toString(),
  });
  const events = new RecordedEvents();
  const { publish } = events;
  const providers = await ServiceProviders.open({ store: state.providers, vault, clock, publish });
  const contact: ContactResult = {
    certificatePem,
    trust: 'pinned',
    repositories: [{ name: 'main', limitBytes: 1000, usedBytes: 0 }],
    gateways: [],
  };
  const { id: providerId } = await providers.add(
    { name: 'northwind', host: 'gw.test', port: 6180, userName: 'contoso', password: 'a good password' },
    contact,
  );
  events.all.length = 0;
  const database = openTrustDatabase(':memory:');
  const pins = new PinStore(database, clock);
  const journal = new TrustJournal(database, clock);
  const trustPrompts = new TrustPrompts({ pins, journal, clock, publish, canTrustFirstUse: () => false });
  return { state, providers, providerId, pins, journal, trustPrompts, events };
}
