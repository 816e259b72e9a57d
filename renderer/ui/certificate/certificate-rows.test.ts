import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { texts } from '../../i18n/texts.ts';
import { certificateOf, storedCertificateOf } from '../../testing/fixtures.ts';
import { formatInstant } from '../../platform/format.ts';
import { certificateRows, rowsAsText } from './certificate-rows.ts';

const intl = createIntl({ locale: 'en-US', messages: texts });
const t = (id: keyof typeof texts): string => intl.formatMessage({ id });

describe('the summary of a certificate', () => {
  it('has exactly the lines of docs/certificates.md, in this order', () => {
    const certificate = storedCertificateOf(4, {
      friendlyName: 'Northwind 2026',
      summary: certificateOf(4, {
        dnsNames: ['backup.northwind.example', '*.northwind.example'],
        ipAddresses: ['10.0.0.4'],
      }),
    });
    const { sha256, sha1, serialNumber, notBefore, notAfter } = certificate.summary;
    expect(rowsAsText(certificateRows(certificate, t)).split('\n')).toEqual([
      'Name: Northwind 2026',
      'Issued to: CN=Northwind Hosting, O=Northwind Hosting',
      'Issued by: CN=Northwind Hosting, O=Northwind Hosting',
      `Valid from: ${formatInstant(notBefore)}`,
      `Expiration date: ${formatInstant(notAfter)}`,
      `Thumbprint (SHA-256): ${sha256}`,
      `Thumbprint (SHA-1): ${sha1}`,
      `Serial number: ${serialNumber}`,
      'Names: backup.northwind.example, *.northwind.example, 10.0.0.4',
      'Private key can be read by: root',
    ]);
  });
});
