import { expect, it } from 'vitest';
import { Database } from '../../kernel/state/database.ts';
import { Secret } from '../../kernel/secret.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { controlProtocolVersion } from '../../wire/control-messages.ts';
import { ScramClient } from '../../wire/scram.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { stateIn } from '../state/provider-state.ts';
import { LoginExchange } from './login-exchange.ts';
import { LoginThrottle } from './login-throttle.ts';
import { TenantAccounts } from './tenant-accounts.ts';

it('has no account until the check is complete, ends once, and already names the account that it claims', async () => {
  const clock = new ShiftedClock();
  const { accounts: store, repositories } = stateIn(new Database(':memory:', providerMigrations));
  const accounts = new TenantAccounts({ store, repositories, clock });
  const password = 'a good password';
  const tenantId = await accounts.add({ name: 'contoso', password, quotas: [], leaseUntil: null });
  const channelBinding = Buffer.alloc(32, 7);
  using unknownUserSecret = Secret.random();
  const login = new LoginExchange({
    accounts,
    throttle: new LoginThrottle(clock),
    unknownUserSecret,
    channelBinding,
    address: '192.0.2.1',
    providerName: 'northwind',
    software: 'test',
    clock,
    onClockDiffers: () => undefined,
    onFailure: () => undefined,
  });
  login.hello({ protocol: controlProtocolVersion, software: 'test', features: [] });
  const client = new ScramClient({ userName: 'contoso', password, channelBinding });
  const { message } = await login.start(
    { mechanism: 'SCRAM-SHA-256-PLUS', message: client.first() },
    new AbortController().signal,
  );
  const answer = { message: await client.answer(message) };
  const first = login.finish(answer);
  expect(login.tenantId).toBeUndefined();
  // A connection must be found by its account when the account is disabled during the login.
  expect(login.claimedTenantId).toBe(tenantId);
  await expect(login.finish(answer)).rejects.toMatchObject({ code: 'protocol.malformed' });
  expect(await first).toMatchObject({ tenantId });
  expect(login.tenantId).toBe(tenantId);
});
