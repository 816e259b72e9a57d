// A provider must not install a certificate with the purpose "any" alone, because a tenant's OpenSSL refuses it (RFC 5280, 4.2.1.12).
import { expect, it } from 'vitest';
import { extension, mint, oid, sequence } from '../testing/certificates/minted-certificates.ts';
import { importCertificate } from './import/import.ts';

const any = '2.5.29.37.0';
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

it.each<[string, readonly string[], boolean]>([
  ['any', [any], false],
  ['any and clients', [any, clientAuth], false],
  ['any and servers', [any, serverAuth], true],
  ['servers', [serverAuth], true],
  ['clients', [clientAuth], false],
])(
  'a certificate for %s',
  async (_, purposes, isTaken) => {
    const leaf = mint({
      names: ['gw.a.test'],
      extensions: [extension('2.5.29.37', sequence(...purposes.map(oid)))],
    });
    const importing = importCertificate({ file: Buffer.from(leaf.certPem + leaf.keyPem) });
    if (isTaken) {
      using imported = await importing;
      expect(imported.summary.hasServerAuth).toBe(true);
    } else {
      await expect(importing).rejects.toMatchObject({ code: 'certificate.not-for-servers' });
    }
  },
  60_000,
);
