import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { texts } from '../../i18n/texts.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { certificateOf } from '../../testing/fixtures.ts';
import { compareCertificates } from './certificate-comparison.ts';

const intl = createIntl({ locale: 'en-US', messages: texts });
const t: TextFunction = (id, values) => intl.formatMessage({ id }, values);

describe('the compare prompt', () => {
  it('marks exactly the lines that differ', () => {
    const rows = compareCertificates(
      certificateOf(5),
      certificateOf(5, { notAfter: '2040-01-01T00:00:00.000Z', dnsNames: ['a.test'] }),
      t,
    );
    expect(rows.filter(({ isDifferent }) => isDifferent).map(({ id }) => id)).toEqual(['valid', 'names']);
  });

  it('marks thumbprints and issuer of another certificate with the same name', () => {
    const rows = compareCertificates(
      certificateOf(5),
      certificateOf(9, { isSelfSigned: false, issuer: 'CN=Other CA' }),
      t,
    );
    expect(rows.filter(({ isDifferent }) => isDifferent).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['issuedBy', 'sha256', 'sha1']),
    );
  });

  it('compares with nothing at the first contact', () => {
    const rows = compareCertificates(null, certificateOf(5), t);
    expect(rows.every(({ saved, isDifferent }) => saved === null && !isDifferent)).toBe(true);
    expect(rows.map(({ id }) => id)).toEqual(['issuedTo', 'issuedBy', 'valid', 'sha256', 'sha1', 'words', 'names']);
  });
});
