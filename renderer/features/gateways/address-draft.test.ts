import { describe, expect, it } from 'vitest';
import { reachProblems } from '../../../services/contracts/address-reach.ts';
import type { Network, ProviderNetwork } from '../../../services/contracts/models/network.ts';
import { addressArgument, blockedBy, gatewayAddresses, hasProblem, openedTo, rowProblems } from './address-draft.ts';

const settings: ProviderNetwork = {
  name: 'Farkeep provider',
  control: { host: '127.0.0.1', port: 6170 },
  infrastructure: { host: '0.0.0.0', port: 6169 },
  infrastructureAddress: null,
  moverHost: '127.0.0.1',
  advertisedHost: null,
};
const network: Network = {
  provider: { file: '/provider.json', settings, error: null },
  gateway: { file: '/gateway.json', settings: null, error: null },
  tenant: { file: '/tenant.json', settings: null, error: null },
  ownAddresses: [{ address: '10.0.0.5', networkInterface: 'eth0' }],
};

describe('the addresses of a gateway', () => {
  it('are checked row by row', () => {
    const rows = [
      { host: 'gw1.example', port: '6180' },
      { host: '', port: 'x' },
    ];
    expect(rowProblems(rows)).toEqual([{}, { host: 'field.required', port: 'field.port' }]);
    expect(hasProblem(rowProblems(rows))).toBe(true);
    expect(gatewayAddresses([{ host: ' gw1.example ', port: ' 443 ' }])).toEqual([{ host: 'gw1.example', port: 443 }]);
  });

  it('are written as the command line reads them', () => {
    expect(addressArgument({ host: 'gw1.example', port: 443 })).toBe('gw1.example:443');
    expect(addressArgument({ host: '2001:db8::1', port: 443 })).toBe('[2001:db8::1]:443');
  });

  it('need a provider that other computers reach, unless the gateway is on this computer', () => {
    expect(blockedBy(network, [{ host: 'gw1.example' }]).map(({ field }) => field)).toEqual([
      'infrastructureAddress',
      'control.host',
      'moverHost',
    ]);
    expect(blockedBy(network, [{ host: '127.0.0.3' }])).toEqual([]);
    expect(blockedBy(network, [{ host: '10.0.0.5' }])).toEqual([]);
    expect(blockedBy(null, [{ host: 'gw1.example' }])).toEqual([]);
  });
});

describe('a provider that is opened to other computers', () => {
  it.each([
    ['10.0.0.5', { ...settings }],
    ['provider.example', { ...settings }],
    ['10.0.0.5', { ...settings, infrastructure: { host: '127.0.0.1', port: 7 }, advertisedHost: '127.0.0.1' }],
    ['provider.example', { ...settings, infrastructure: { host: '::1', port: 7 }, advertisedHost: 'localhost' }],
  ])('at %s has no address left that other computers cannot reach', (chosen, before) => {
    expect(reachProblems({ ...before, ...openedTo(before, chosen, ['10.0.0.5']) })).toEqual([]);
  });

  it('listens for gateways only at the chosen address of this computer, and keeps its ports', () => {
    expect(openedTo(settings, '10.0.0.5', ['10.0.0.5'])).toEqual({
      infrastructureAddress: '10.0.0.5',
      control: { host: '10.0.0.5', port: 6170 },
      moverHost: '10.0.0.5',
      advertisedHost: '10.0.0.5',
    });
  });

  it('changes nothing that works already', () => {
    const working = { ...settings, control: { host: '10.0.0.6', port: 1 }, moverHost: '10.0.0.6' };
    expect(openedTo(working, '10.0.0.5', ['10.0.0.5'])).toEqual({ infrastructureAddress: '10.0.0.5' });
  });
});
