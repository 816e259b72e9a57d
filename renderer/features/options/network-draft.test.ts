import { describe, expect, it } from 'vitest';
import {
  gatewayDraft,
  gatewayProblems,
  gatewaySettings,
  providerDraft,
  providerProblems,
  providerSettings,
  readListenPort,
  tenantDraft,
  tenantProblems,
  tenantSettings,
} from './network-draft.ts';

const provider = {
  name: 'Northwind',
  control: { host: '127.0.0.1', port: 6170 },
  infrastructure: { host: '0.0.0.0', port: 6169 },
  infrastructureAddress: null,
  moverHost: '127.0.0.1',
  advertisedHost: 'provider.example',
};

describe('the input of the Network tab', () => {
  it('gives the same settings back without a change', () => {
    expect(providerSettings(providerDraft(provider))).toEqual(provider);
    const gateway = { name: 'gw1', listen: [{ host: '::', port: 6180 }] };
    expect(gatewaySettings(gatewayDraft(gateway))).toEqual(gateway);
    const tenant = { hostAddresses: { 'gw1.example': '10.0.0.7', 'gw2.example': '::1' } };
    expect(tenantSettings(tenantDraft(tenant))).toEqual(tenant);
    expect(tenantSettings({ hostAddresses: '' })).toEqual({ hostAddresses: {} });
  });

  it('names the setting of each problem as the service does', () => {
    const draft = providerDraft(provider);
    expect(providerProblems(draft)).toEqual({});
    expect(
      providerProblems({
        ...draft,
        name: '',
        control: { host: 'a b', port: '70000' },
        infrastructureAddress: 'host:1',
        moverHost: '',
      }),
    ).toEqual({
      name: 'field.required',
      'control.host': 'field.host',
      'control.port': 'network.field.port',
      infrastructureAddress: 'field.host',
      moverHost: 'field.required',
    });
    const listen = [
      { host: '::', port: '6180' },
      { host: '', port: '' },
    ];
    expect(gatewayProblems({ name: 'gw', listen })).toEqual({
      'listen.1.host': 'field.required',
      'listen.1.port': 'network.field.port',
    });
    expect(tenantProblems({ hostAddresses: 'gw1.example = 10.0.0.7\n\ngw2.example' })).toEqual({
      hostAddresses: 'network.field.pairs',
    });
  });

  it.each([
    ['0', 0],
    [' 65535 ', 65_535],
    ['65536', null],
    ['', null],
    ['-1', null],
  ])('reads the port "%s"', (text, port) => expect(readListenPort(text)).toBe(port));
});
