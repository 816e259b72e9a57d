import { describe, expect, it } from 'vitest';
import { type CertificateNames, matchName } from './names.ts';

const san = (...dnsNames: string[]): CertificateNames => ({
  hasSubjectAltName: true,
  dnsNames,
  ipAddresses: [],
  commonNames: ['cn.a.test'],
});
const ip = (...ipAddresses: string[]): CertificateNames => ({
  hasSubjectAltName: true,
  dnsNames: ['10.0.0.1'],
  ipAddresses,
  commonNames: ['10.0.0.1'],
});
const common = (...commonNames: string[]): CertificateNames => ({
  hasSubjectAltName: false,
  dnsNames: [],
  ipAddresses: [],
  commonNames,
});

describe('matchName', () => {
  it.each<[CertificateNames, string, ReturnType<typeof matchName>]>([
    [san('gw.a.test'), 'gw.a.test', 'covered'],
    [san('gw.a.test'), 'GW.A.Test.', 'covered'],
    [san('GW.a.test'), 'gw.a.test', 'covered'],
    [san('gw.a.test'), 'gw2.a.test', 'not-covered'],
    [san('x.a.test', 'gw.b.test'), 'gw.b.test', 'covered'],
    // a wildcard is the whole left-most label and covers exactly one label
    [san('*.a.test'), 'gw1.a.test', 'covered'],
    [san('*.a.test'), 'x.gw.a.test', 'not-covered'],
    [san('*.a.test'), 'a.test', 'not-covered'],
    [san('*.a.test'), '.a.test', 'not-covered'],
    [san('*.a.test'), 'gw.b.test', 'not-covered'],
    [san('*.a.test'), 'gwa.test', 'not-covered'],
    [san('gw*.a.test'), 'gw1.a.test', 'not-covered'],
    [san('*1.a.test'), 'gw1.a.test', 'not-covered'],
    [san('gw.*.test'), 'gw.a.test', 'not-covered'],
    [san('*.*.test'), 'gw.a.test', 'not-covered'],
    [san('*'), 'localhost', 'not-covered'],
    [san('*.test'), 'a.test', 'not-covered'],
    [san('*.a.test'), '*.a.test', 'not-covered'],
    // the subject alternative names decide; the subject is used only when there are none
    [san('gw.a.test'), 'cn.a.test', 'not-covered'],
    [{ ...san(), ipAddresses: ['10.0.0.1'] }, 'cn.a.test', 'not-covered'],
    [common('cn.a.test'), 'cn.a.test', 'covered-by-common-name'],
    [common('x.test', 'cn.a.test'), 'cn.a.test', 'covered-by-common-name'],
    [common('*.a.test'), 'cn.a.test', 'covered-by-common-name'],
    [common('*.a.test'), 'x.cn.a.test', 'not-covered'],
    [common('Northwind Hosting'), 'northwind', 'not-covered'],
    // addresses: only whole iPAddress entries, never a wildcard, never the subject
    [ip('10.0.0.1'), '10.0.0.1', 'covered'],
    [ip('10.0.0.1'), '10.0.0.2', 'not-covered'],
    [ip('2001:db8::1'), '2001:DB8:0:0:0:0:0:1', 'covered'],
    [ip('2001:db8:0:0:0:0:0:1'), '[2001:db8::1]', 'covered'],
    [ip(), '10.0.0.1', 'not-covered'],
    [common('10.0.0.1'), '10.0.0.1', 'not-covered'],
    [san('10.0.0.1'), '10.0.0.1', 'not-covered'],
    [san('*.0.0.1'), '10.0.0.1', 'not-covered'],
    // internationalized names
    [san('xn--bcher-kva.test'), 'bücher.test', 'covered'],
    [san('xn--bcher-kva.test'), 'xn--bcher-kva.test', 'covered'],
    [san('*.xn--bcher-kva.test'), 'gw.BÜCHER.test', 'covered'],
    [common('bücher.test'), 'xn--bcher-kva.test', 'covered-by-common-name'],
    [san('xn--*.test'), 'xn--bcher-kva.test', 'not-covered'],
    // attacks
    [san('gw.a.test\0.evil.test'), 'gw.a.test', 'not-covered'],
    [san('gw.a.test\0'), 'gw.a.test', 'not-covered'],
    [san('gw.a.test '), 'gw.a.test', 'not-covered'],
    [san('gw.a.test#'), 'gw.a.test', 'not-covered'],
    [san('gw%2ea.test'), 'gw.a.test', 'not-covered'],
    [san('gw。a。test'), 'gw.a.test', 'covered'],
    [san(''), '', 'not-covered'],
    [san('0x7f.1'), '127.0.0.1', 'not-covered'],
    [san('127.0.0.1'), '0x7f.1', 'not-covered'],
    [san('..'), '..', 'not-covered'],
  ])('%j and %j: %s', (names, dialed, expected) => {
    expect(matchName(names, dialed)).toBe(expected);
  });
});
