import { describe, expect, it } from 'vitest';
import { parseHostPort } from './host-port.ts';

describe('an address on the command line', () => {
  it.each([
    ['gw1.a.test:6443', { host: 'gw1.a.test', port: 6443 }],
    ['gw1.a.test', { host: 'gw1.a.test', port: 6180 }],
    ['[2001:db8::1]:1', { host: '2001:db8::1', port: 1 }],
    ['gw.bücher.test:6180', { host: 'gw.xn--bcher-kva.test', port: 6180 }],
    ['GW.BÜCHER.test', { host: 'gw.xn--bcher-kva.test', port: 6180 }],
  ])('%s', (text, expected) => {
    expect(parseHostPort(text, '--address')).toEqual(expected);
  });

  it.each(['', ':6180', 'gw:0', 'gw:70000', '2001:db8::1', 'a b', 'https://gw', 'bü%2fcher:1'])(
    '%j is refused',
    (text) => {
      expect(() => parseHostPort(text, '--address')).toThrow(
        expect.objectContaining({ code: 'call.invalid', field: 'address' }),
      );
    },
  );
});
