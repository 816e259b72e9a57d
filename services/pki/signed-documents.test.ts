import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../kernel/secret.ts';
import { readCertificate } from './certificate/certificate-summary.ts';
import { generateSelfSigned } from './create/generate.ts';
import { certificateSubject, type License, readLicense, writeLicense } from './create/license.ts';
import { announceRollover, type RolloverAnnouncement, verifyRollover } from './create/rollover.ts';
import { canonicalJson, signJson } from './create/signed-json.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const dayMs = 86_400_000;

describe('canonicalJson', () => {
  it('does not depend on the order of names, and can be parsed to the same content', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))),
        (value) => {
          const reversed = Object.fromEntries(Object.entries(value).reverse());
          expect(canonicalJson(reversed)).toBe(canonicalJson(value));
          expect(JSON.parse(canonicalJson(value))).toEqual({ ...value });
        },
      ),
    );
    expect(() => canonicalJson(0.5)).toThrow();
  });
});

describe('license', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const other = generateKeyPairSync('ed25519');
  const license: License = {
    formatVersion: 1,
    id: 'L-1',
    organization: 'Northwind Hosting',
    edition: 'standard',
    issuedAt: '2026-01-01T00:00:00Z',
    expiresAt: '2027-01-01T00:00:00Z',
  };
  const text = writeLicense(license, privateKey);

  it('is accepted when one of the trusted keys signed it', () => {
    expect(readLicense(text, [other.publicKey, publicKey], now)).toEqual(license);
    const reordered = JSON.parse(text) as { license: License; signature: string };
    const shuffled = {
      signature: reordered.signature,
      license: Object.fromEntries(Object.entries(reordered.license).reverse()),
    };
    expect(readLicense(`\uFEFF${JSON.stringify(shuffled)}`, [publicKey], now)).toEqual(license);
  });

  it('is read from a file with the British spelling of the field', () => {
    const signature = signJson('farkeep/1 licence', license, privateKey);
    expect(readLicense(JSON.stringify({ licence: license, signature }), [publicKey], now)).toEqual(license);
    const relabeled = JSON.stringify({ license, signature });
    expect(() => readLicense(relabeled, [publicKey], now)).toThrow(/signature/);
  });

  it.each<[string, string, string, RegExp]>([
    ['another organization', text.replace('Northwind', 'Southwind'), 'license.invalid', /signature/],
    ['a later end', text.replace('2027-01-01', '2099-01-01'), 'license.invalid', /signature/],
    ['a signature of nothing', text.replace(/"signature": "[^"]*"/, '"signature": ""'), 'license.invalid', /signature/],
    ['an added field', text.replace('"id"', '"more": 1, "id"'), 'license.invalid', /not a license of this version/],
    ['no JSON', 'hello', 'license.invalid', /no JSON/],
    ['too much', ' '.repeat(20_000), 'license.invalid', /too large/],
    [
      'a passed date',
      writeLicense({ ...license, expiresAt: '2026-11-01T00:00:00Z' }, privateKey),
      'license.expired',
      /expired on 2026-11-01/,
    ],
    [
      'a beginning in the future',
      writeLicense({ ...license, issuedAt: '2026-12-24T00:00:00Z' }, privateKey),
      'license.invalid',
      /not valid before 2026-12-24/,
    ],
  ])('is refused with %s', (_, file, code, message) => {
    expect(() => readLicense(file, [publicKey], now)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  it('is refused when no trusted key signed it', () => {
    expect(() => readLicense(text, [], now)).toThrow(/signature/);
    expect(() => readLicense(text, [other.publicKey], now)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/signature/) as string,
        hint: expect.stringContaining('licenseKeyFiles') as string,
      }),
    );
  });

  it('gives the subject of generated certificates', () => {
    expect(certificateSubject(license, 'backup01')).toEqual({
      commonName: 'Northwind Hosting',
      organization: 'Northwind Hosting',
    });
    expect(certificateSubject(undefined, 'backup01')).toEqual({
      commonName: 'backup01',
      organizationalUnit: 'Farkeep Community',
    });
  });
});

describe('rollover', () => {
  interface Identity {
    readonly pem: string;
    readonly key: KeyObject;
  }
  let current: Identity;
  let next: Identity;
  let announcement: RolloverAnnouncement;
  beforeAll(async () => {
    const make = async (commonName: string): Promise<Identity> => {
      const { certificatePem, privateKey }: { certificatePem: string; privateKey: Secret } = await generateSelfSigned({
        subject: { commonName },
        keyBits: 2048,
      });
      return { pem: certificatePem, key: createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' }) };
    };
    [current, next] = await Promise.all([make('current'), make('next')]);
    announcement = announceRollover({
      currentCertificatePem: current.pem,
      currentKey: current.key,
      nextCertificatePem: next.pem,
      switchAt: now + 7 * dayMs,
      now,
    });
  });

  it('is accepted when the pinned key signed it', () => {
    expect(verifyRollover(structuredClone(announcement), current.pem, now)).toEqual({
      nextCertificateDer: readCertificate(next.pem).der,
      switchAt: now + 7 * dayMs,
      announcedAt: now,
    });
  });

  it.each<[string, RegExp, (given: RolloverAnnouncement) => unknown]>([
    [
      'signed by the next key',
      /not signed/,
      (given) => ({
        ...given,
        signature: announceRollover({
          currentCertificatePem: next.pem,
          currentKey: next.key,
          nextCertificatePem: next.pem,
          switchAt: now,
          now,
        }).signature,
      }),
    ],
    ['with another date', /not signed/, (given) => ({ ...given, switchAt: new Date(now).toISOString() })],
    ['with another certificate', /not signed/, (given) => ({ ...given, nextCertificatePem: current.pem })],
    [
      'for another pin',
      /another certificate than the pinned/,
      (given) => ({ ...given, currentSha256: given.nextSha256 }),
    ],
    ['without signature', /expected form/, ({ signature: _, ...rest }) => rest],
    ['with an empty signature', /not signed/, (given) => ({ ...given, signature: '' })],
    ['with more fields', /expected form/, (given) => ({ ...given, more: true })],
    ['of nothing', /expected form/, () => null],
  ])('is refused %s', (_, reason, change) => {
    expect(() => verifyRollover(change(announcement), current.pem, now)).toThrow(
      expect.objectContaining({ code: 'trust.announcement-invalid', message: expect.stringMatching(reason) as string }),
    );
  });

  it('is refused when it is from the future, too far ahead, or for the pinned certificate itself', () => {
    const announce = (switchAt: number, at: number, pem = next.pem): RolloverAnnouncement =>
      announceRollover({
        currentCertificatePem: current.pem,
        currentKey: current.key,
        nextCertificatePem: pem,
        switchAt,
        now: at,
      });
    expect(() => verifyRollover(announce(now, now + 3 * dayMs), current.pem, now)).toThrow(/future/);
    expect(() => verifyRollover(announce(now + 500 * dayMs, now), current.pem, now)).toThrow(/400 days/);
    expect(() => verifyRollover(announce(now, now, current.pem), current.pem, now)).toThrow(/itself/);
    expect(() =>
      announceRollover({
        currentCertificatePem: current.pem,
        currentKey: next.key,
        nextCertificatePem: next.pem,
        switchAt: now,
        now,
      }),
    ).toThrow();
  });
});
