import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../kernel/database.ts';
import { ShiftedClock } from '../testing/shifted-clock.ts';
import { Gateways } from './gateways.ts';
import { providerMigrations } from './provider-database.ts';

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

  it('is not renewed by a gateway that was disabled, and forgotten with a new enrolment', () => {
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
