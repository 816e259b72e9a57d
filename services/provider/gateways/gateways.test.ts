import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../kernel/state/database.ts';
import { quietReport } from '../../testing/hostile/hostile-peers.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { gatewayReportSchema, maxReportedConnections } from '../../wire/gateway-link-messages.ts';
import { Gateways } from './gateways.ts';
import { providerMigrations } from '../state/provider-database.ts';

it('a gateway that reports the largest numbers, and starts anew again and again, is told with numbers that can be', () => {
  const gateways = new Gateways(new Database(':memory:', providerMigrations), new ShiftedClock());
  const row = gateways.create('gw1', [{ host: 'gw1.test', port: 6180 }], 'token', '2999-01-01T00:00:00.000Z');
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
  let gateways: Gateways;
  let id: string;
  beforeEach(() => {
    gateways = new Gateways(new Database(':memory:', providerMigrations), new ShiftedClock());
    id = gateways.create('gw1', [{ host: 'gw1.test', port: 6180 }], 'token', '2999-01-01T00:00:00.000Z').id;
    gateways.setCertificate(id, 'old');
  });

  it('counts until the renewed one was used, then only that one does', () => {
    gateways.addRenewedCertificate(id, 'lost');
    gateways.addRenewedCertificate(id, 'new');
    expect(gateways.identify('lost')).toBeUndefined();
    expect(gateways.identify('old')?.id).toBe(id);
    expect(gateways.identify('new')?.id).toBe(id);
    expect(gateways.identify('old')).toBeUndefined();
    expect(gateways.identify('new')?.id).toBe(id);
  });

  it('is not renewed by a gateway that was disabled, and forgotten with a new enrollment', () => {
    gateways.addRenewedCertificate(id, 'new');
    gateways.setEnabled(id, false);
    expect(gateways.identify('new')).toBeUndefined();
    gateways.setEnabled(id, true);
    expect(gateways.identify('old')?.id).toBe(id);
    gateways.setCertificate(id, 'enrolled anew');
    expect(gateways.identify('new')).toBeUndefined();
    expect(gateways.identify('enrolled anew')?.id).toBe(id);
  });
});
