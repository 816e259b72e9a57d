import { describe, expect, it } from 'vitest';
import { emptyMirror } from '../../platform/mirror/mirror-state.ts';
import { serviceOf } from '../../testing/fixtures.ts';
import { gatewayListenAddress, splitAddress } from './gateway-address.ts';

describe("the address of this computer's gateway", () => {
  it('is split into host and port, and a wildcard becomes loopback', () => {
    expect(splitAddress('0.0.0.0:6180')).toEqual({ host: '127.0.0.1', port: 6180 });
    expect(splitAddress('[::]:6180')).toEqual({ host: '127.0.0.1', port: 6180 });
    expect(splitAddress('[::1]:6180')).toEqual({ host: '::1', port: 6180 });
    expect(splitAddress('10.0.0.4:41234')).toEqual({ host: '10.0.0.4', port: 41_234 });
    expect(splitAddress('nonsense')).toBeNull();
  });

  it('comes from the service report in the console', () => {
    expect(gatewayListenAddress(emptyMirror)).toBeNull();
    const console = {
      ...emptyMirror.console,
      services: [serviceOf('gateway', { listeners: { gateway: '127.0.0.1:7000' } })],
    };
    expect(gatewayListenAddress({ ...emptyMirror, console })).toEqual({ host: '127.0.0.1', port: 7000 });
  });
});
