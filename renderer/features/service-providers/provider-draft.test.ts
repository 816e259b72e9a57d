import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../testing/fixtures.ts';
import { matchesThumbprint, readInvitation } from './provider-draft.ts';

const certificate = certificateOf(5);
const invitation = {
  farkeepInvitation: 1,
  provider: 'Northwind Hosting',
  gateways: [{ host: 'gw1.northwind.example', port: 6180 }],
  user: 'contoso',
  secret: 'once',
  fingerprint: certificate.sha256,
  expiresAt: '2026-11-24T21:00:00.000Z',
};
const now = Date.parse('2026-11-21T21:00:00.000Z');

describe('invitations', () => {
  it('are read completely or refused', () => {
    expect(readInvitation(JSON.stringify(invitation), now)).toMatchObject({
      kind: 'read',
      invitation: { user: 'contoso' },
    });
    for (const text of [
      '',
      'not json',
      'null',
      '{}',
      JSON.stringify({ ...invitation, gateways: [] }),
      JSON.stringify({ ...invitation, user: 'a b' }),
    ]) {
      expect(readInvitation(text, now)).toEqual({ kind: 'invalid' });
    }
  });

  it('expire', () => {
    expect(readInvitation(JSON.stringify(invitation), Date.parse(invitation.expiresAt))).toEqual({ kind: 'expired' });
  });
});

describe('pasted thumbprints', () => {
  it('match in every common spelling', () => {
    const { sha256, sha1 } = certificate;
    for (const pasted of [
      sha256,
      sha256.toLowerCase(),
      sha256.replaceAll(':', ' '),
      `\u200e${sha256.replaceAll(':', '-')}\n`,
      sha1,
    ]) {
      expect(matchesThumbprint(pasted, certificate)).toBe(true);
    }
  });

  it('do not match another thumbprint, and are distinguished from other text', () => {
    expect(matchesThumbprint(certificateOf(6).sha256, certificate)).toBe(false);
    expect(matchesThumbprint('AB:CD', certificate)).toBeNull();
    expect(matchesThumbprint(`${certificate.sha256}:00`, certificate)).toBeNull();
  });
});
