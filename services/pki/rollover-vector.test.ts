// Compares planned rollovers with a recorded announcement. A second check follows only docs/certificates.md, section 8. The signature is
// random, so the file is recorded once; FARKEEP_WRITE_VECTORS=1 records a new file.
import { createHash, createPrivateKey, constants, verify, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readVector } from '../testing/vector-file.ts';
import { generateSelfSigned } from './create/generate.ts';
import { announceRollover, verifyRollover, type RolloverAnnouncement } from './create/rollover.ts';

const url = new URL('./vectors/rollover.json', import.meta.url);
const now = Date.parse('2026-03-01T00:00:00.000Z');
const switchAt = Date.parse('2026-04-01T00:00:00.000Z');

async function write(): Promise<void> {
  const make = (commonName: string): ReturnType<typeof generateSelfSigned> =>
    generateSelfSigned({ subject: { commonName }, keyBits: 2048 });
  const [current, next] = [await make('current'), await make('next')];
  const announcement = announceRollover({
    currentCertificatePem: current.certificatePem,
    currentKey: createPrivateKey({ key: current.privateKey.bytes, format: 'der', type: 'pkcs8' }),
    nextCertificatePem: next.certificatePem,
    ...{ switchAt, now },
  });
  const about = 'docs/certificates.md, section 8: an announcement, and the certificate whose key has signed it.';
  const vector = { about, currentCertificatePem: current.certificatePem, announcement };
  writeFileSync(url, `${JSON.stringify(vector, null, 2)}\n`);
}

describe('the recorded announcement', () => {
  it('is accepted, and passes the check that the document describes', async () => {
    if (process.env['FARKEEP_WRITE_VECTORS'] === '1') await write();
    const vector = readVector(url);
    const announcement = vector['announcement'] as RolloverAnnouncement;
    const pem = vector['currentCertificatePem'] as string;
    expect(verifyRollover(announcement, pem, now)).toMatchObject({ switchAt, announcedAt: now });

    const { signature, ...content } = announcement;
    const sorted = Object.fromEntries(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
    const signed = Buffer.from(`farkeep/1 rollover\n${JSON.stringify(sorted)}`, 'utf8');
    const key = { key: new X509Certificate(pem).publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64'))).toBe(true);
    const thumbprints = [pem, announcement.nextCertificatePem].map((each) => {
      const hex = createHash('sha256').update(new X509Certificate(each).raw).digest('hex').toUpperCase();
      return hex.match(/../g)?.join(':');
    });
    expect(thumbprints).toEqual([announcement.currentSha256, announcement.nextSha256]);
  });
});
