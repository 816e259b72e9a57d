import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../kernel/state/database.ts';
import { quietReport } from '../../testing/hostile/hostile-peers.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { gatewayReportSchema, maxReportedConnections } from '../../wire/gateway-link-messages.ts';
import { SqliteGatewayStore } from '../state/gateway-store.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { Gateways } from './gateways.ts';

const newStore = (): SqliteGatewayStore => new SqliteGatewayStore(new Database(':memory:', providerMigrations));

it('a gateway that reports the largest numbers and restarts many times is shown with safe numbers', async () => {
  const gateways = await Gateways.open(newStore(), new ShiftedClock());
  const row = await gateways.create('gw1', [{ host: 'gw1.test', port: 6180 }], 'token', '2999-01-01T00:00:00.000Z');
  const most = Number.MAX_SAFE_INTEGER;
  const largest = gatewayReportSchema.parse({
    ...quietReport,
    controlConnections: most,
    dataConnections: most,
    bytesFromClients: most,
    bytesToClients: most,
  });
  for (let each = 0; each < 10; each += 1) {
    gateways.noteReport(row.id, quietReport);
    gateways.noteReport(row.id, largest);
    const { relayedBytes } = gateways.describe(row, () => true);
    expect(Number.isSafeInteger(relayedBytes), String(relayedBytes)).toBe(true);
  }
  expect(gateways.describe(row, () => true)).toMatchObject({
    connections: 2 * maxReportedConnections,
    relayedBytes: most,
  });
});

describe('the certificate of a gateway', () => {
  let store: SqliteGatewayStore;
  let gateways: Gateways;
  let id: string;
  beforeEach(async () => {
    store = newStore();
    gateways = await Gateways.open(store, new ShiftedClock());
    ({ id } = await gateways.create('gw1', [{ host: 'gw1.test', port: 6180 }], 'token', '2999-01-01T00:00:00.000Z'));
    await gateways.setCertificate(id, 'old');
  });

  it('is valid until the renewed certificate is used; then only the renewed one is valid, also after a restart', async () => {
    await gateways.addRenewedCertificate(id, 'lost');
    await gateways.addRenewedCertificate(id, 'new');
    expect(gateways.identify('lost')).toBeUndefined();
    expect(gateways.identify('old')?.id).toBe(id);
    expect(gateways.identify('new')?.id).toBe(id);
    expect(gateways.identify('old')).toBeUndefined();
    expect(gateways.identify('new')?.id).toBe(id);
    const again = await Gateways.open(store, new ShiftedClock());
    expect(again.identify('old')).toBeUndefined();
    expect(again.identify('new')?.id).toBe(id);
  });

  it('cannot be renewed by a disabled gateway, and is removed by a new enrollment', async () => {
    await gateways.addRenewedCertificate(id, 'new');
    await gateways.setEnabled(id, false);
    expect(gateways.identify('new')).toBeUndefined();
    await gateways.setEnabled(id, true);
    expect(gateways.identify('old')?.id).toBe(id);
    await gateways.setCertificate(id, 'enrolled anew');
    expect(gateways.identify('new')).toBeUndefined();
    expect(gateways.identify('enrolled anew')?.id).toBe(id);
  });
});

it('lists gateways by name, and keeps the address of the last link until the gateway is disabled', async () => {
  const store = newStore();
  const gateways = await Gateways.open(store, new ShiftedClock());
  const addresses = [{ host: 'gw.test', port: 6180 }];
  const later = await gateways.create('Second', addresses, 'two', '2999-01-01T00:00:00.000Z');
  await gateways.create('first', addresses, 'one', '2999-01-01T00:00:00.000Z');
  gateways.noteConnected(later.id, '192.0.2.1');
  for (const reopened of [gateways, await Gateways.open(store, new ShiftedClock())]) {
    expect(reopened.rows().map(({ name }) => name)).toEqual(['first', 'Second']);
    expect(reopened.isKnownAddress('192.0.2.1')).toBe(true);
    expect(reopened.isKnownAddress('192.0.2.2')).toBe(false);
  }
  await gateways.setEnabled(later.id, false);
  expect(gateways.isKnownAddress('192.0.2.1')).toBe(false);
  await gateways.remove(later.id);
  await expect(gateways.remove(later.id)).rejects.toMatchObject({ code: 'call.not-found' });
  expect(gateways.rows()).toHaveLength(1);
});
