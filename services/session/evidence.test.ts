import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { buildCertificate } from '../pki/create/certificate-builder.ts';
import { toPem } from '../pki/certificate/certificate-summary.ts';
import { isEvidenceGenuine } from '../testing/site/evidence-check.ts';
import { evidenceStatement, signEvidence } from './evidence.ts';
import { LiveSession } from './live-session.ts';

const keyPairs = {
  'RSA-PSS-SHA256': generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'ECDSA-SHA256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ECDSA-SHA384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ECDSA-SHA512': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
};

describe('evidence', () => {
  for (const [name, { privateKey, publicKey }] of Object.entries(keyPairs)) {
    it(`is signed with ${name}, and the certificate verifies the signature`, async () => {
      const der = await buildCertificate(
        {
          subject: { commonName: 'northwind' },
          publicKey,
          notBefore: new Date(),
          notAfter: new Date(Date.now() + 86_400_000),
          isAuthority: false,
          usages: ['serverAuth'],
        },
        { privateKey },
      );
      const certificate = toPem(der);
      const statement = '{"sessionId":"1"}';
      const { signature, algorithm } = signEvidence(statement, privateKey);
      expect(algorithm).toBe(name);
      expect(new X509Certificate(certificate).checkPrivateKey(privateKey)).toBe(true);
      expect(isEvidenceGenuine({ statement, signature, certificate })).toBe(true);
      expect(isEvidenceGenuine({ statement: `${statement} `, signature, certificate })).toBe(false);
    });
  }

  it('contains the identifiers of the keys, and neither a key nor a file name', () => {
    const live = LiveSession.create(
      {
        id: 'a'.repeat(32),
        kind: 'backup',
        jobName: 'documents',
        otherSide: 'northwind',
        repository: 'main',
        viewer: 'tenant',
        streams: 1,
        areObjectNamesHidden: false,
      },
      systemClock,
      [],
    );
    live.setKey('keyB', '0123456789abcdef');
    live.putObject({ name: '/home/secret-name.txt', state: 'done', sizeBytes: 1, processedBytes: 1 });
    live.warn({ code: 'source.unreadable', message: 'no', path: '/home/secret-name.txt' });
    const statement = evidenceStatement(live.detail(), { provider: 'p', tenant: 't', storedBytes: 5 });
    expect(JSON.parse(statement)).toMatchObject({
      farkeepEvidence: 1,
      storedBytes: 5,
      keys: [{ attempt: 1, keyA: null, keyB: '0123456789abcdef' }],
      warnings: 1,
    });
    expect(statement).not.toContain('secret-name');
  });
});
