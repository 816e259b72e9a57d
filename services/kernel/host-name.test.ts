import { describe, expect, it } from 'vitest';
import { canonicalHost, isSameHost, serverNameFor } from './host-name.ts';

describe('two spellings of a host', () => {
  it.each([
    ['gw.a.test', 'GW.A.test', true],
    ['gw.a.test', 'gw.a.test.', true],
    ['bücher.test', 'xn--bcher-kva.test', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['gw.a.test', 'gw.b.test', false],
    ['127.0.0.1', '127.0.0.2', false],
    ['not a host', 'not a host', true],
    ['not a host', 'nor this', false],
  ])('%s, %s: %s', (one, other, isSame) => {
    expect(isSameHost(one, other)).toBe(isSame);
  });
});

describe('the name for SNI', () => {
  it.each([
    ['gw.a.test', 'gw.a.test'],
    ['GW.A.Test.', 'gw.a.test'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example.', 'xn--bcher-kva.example'],
    ['gw。a。test', 'gw.a.test'],
    ['under_score.a.test', 'under_score.a.test'],
    // Addresses in every spelling that a resolver accepts: no SNI (RFC 6066, 3).
    ['127.0.0.1', undefined],
    ['127.1', undefined],
    ['0x7f.0.0.1', undefined],
    ['2130706433', undefined],
    ['0177.0.0.1', undefined],
    ['127.0.0.1.', undefined],
    ['１２７.0.0.1', undefined],
    ['::1', undefined],
    ['[::1]', undefined],
    ['[fe80::1%eth0]', undefined],
    ['fe80::1%eth0', undefined],
    ['::ffff:127.0.0.1', undefined],
    // These texts are not host names.
    ['', undefined],
    ['.', undefined],
    ['gw..a.test', undefined],
    ['gw.a.test..', undefined],
    ['*.a.test', undefined],
    ['gw.a.test:6180', undefined],
    [`${'a'.repeat(64)}.test`, undefined],
    [`${'a.'.repeat(126)}test`, undefined],
  ])('%j: %j', (host, expected) => {
    expect(serverNameFor(host)).toBe(expected);
  });

  it('is stable: the canonical form of a canonical form is the same', () => {
    for (const host of ['GW.A.Test.', 'bücher.example', '[2001:DB8:0::1]', '127.0.0.1']) {
      const value = canonicalHost(host)?.value ?? '';
      expect(canonicalHost(value)?.value).toBe(value);
    }
  });
});
