import { describe, expect, it } from 'vitest';
import { isGatewayHere, reachOf, reachProblems } from './address-reach.ts';

describe('from where an address can be reached', () => {
  it.each([
    ['127.0.0.1', 'this-computer'],
    ['127.0.0.2', 'this-computer'],
    ['localhost', 'this-computer'],
    ['a.localhost.', 'this-computer'],
    ['::1', 'this-computer'],
    ['[::1]', 'this-computer'],
    ['0:0:0:0:0:0:0:1', 'this-computer'],
    ['::ffff:127.0.0.1', 'this-computer'],
    ['10.1.2.3', 'this-network'],
    ['172.16.0.1', 'this-network'],
    ['172.32.0.1', 'any-network'],
    ['192.168.0.1', 'this-network'],
    ['169.254.1.1', 'this-network'],
    ['100.64.0.1', 'this-network'],
    ['fd00::1', 'this-network'],
    ['fe80::1', 'this-network'],
    ['0.0.0.0', 'any-network'],
    ['::', 'any-network'],
    ['203.0.113.9', 'any-network'],
    ['2001:db8::1', 'any-network'],
    ['provider.example', 'name'],
  ])('%s: %s', (host, reach) => expect(reachOf(host)).toBe(reach));

  it('names every setting that keeps gateways on other computers away', () => {
    const open = { control: { host: '10.0.0.5' }, infrastructure: { host: '::' }, moverHost: '10.0.0.5' };
    expect(reachProblems({ ...open, infrastructureAddress: 'p.example' })).toEqual([]);
    expect(reachProblems(open)).toEqual([{ field: 'infrastructureAddress', host: null }]);
    expect(reachProblems({ ...open, infrastructure: { host: '10.0.0.5' } })).toEqual([]);
    const local = { host: '127.0.0.1' };
    expect(
      reachProblems({ control: local, infrastructure: local, moverHost: '::1', advertisedHost: 'localhost' }).map(
        ({ field }) => field,
      ),
    ).toEqual(['infrastructure.host', 'control.host', 'moverHost', 'advertisedHost']);
  });

  it('knows a gateway on this computer by its addresses', () => {
    const own = ['10.0.0.5'];
    expect(isGatewayHere([{ host: '127.0.0.3' }, { host: '10.0.0.5' }], own)).toBe(true);
    expect(isGatewayHere([{ host: '127.0.0.3' }, { host: '10.0.0.6' }], own)).toBe(false);
    expect(isGatewayHere([{ host: 'gw1.example' }], own)).toBe(false);
  });
});
