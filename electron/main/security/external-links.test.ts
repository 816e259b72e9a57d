import { expect, it } from 'vitest';
import { allowedExternalAddress } from './external-links.ts';

it('allows known https hosts, in normal form', () => {
  expect(allowedExternalAddress('https://www.rfc-editor.org/rfc/rfc9266#section-2')).toBe(
    'https://www.rfc-editor.org/rfc/rfc9266#section-2',
  );
});

it.each([
  'http://www.rfc-editor.org/',
  'https://www.rfc-editor.org.evil.example/',
  'https://www.rfc-editor.org@evil.example/',
  'https://www.rfc-editor.org:8443/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'smb://share/x',
  'ms-settings:',
  '',
])('refuses %s', (address) => {
  expect(allowedExternalAddress(address)).toBeUndefined();
});
