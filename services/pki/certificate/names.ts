// Owns strict name matching (RFC 9525). Node's checkServerIdentity and X509Certificate.checkHost are less strict and are not used.
import { canonicalAddress, canonicalDnsName, canonicalHost } from '../../kernel/host-name.ts';

export interface CertificateNames {
  readonly hasSubjectAltName: boolean;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly commonNames: readonly string[];
}

export type NameMatch = 'covered' | 'covered-by-common-name' | 'not-covered';

/**
 * Returns how a certificate's names fit the name that was dialed.
 * - The subject alternative names decide; the subject's common names count only when this extension is absent.
 * - A wildcard is a whole left-most label and covers exactly one label. IP addresses have no wildcards, and neither have names directly
 * below a top-level domain.
 * - IP addresses match iPAddress entries only, never a DNS entry or a common name.
 */
export function matchName(names: CertificateNames, nameDialed: string): NameMatch {
  const host = canonicalHost(nameDialed);
  if (host === undefined) return 'not-covered';
  if (host.kind === 'ip') {
    return names.ipAddresses.some((address) => canonicalAddress(address) === host.value) ? 'covered' : 'not-covered';
  }
  if (names.hasSubjectAltName) {
    return names.dnsNames.some((pattern) => matchesDnsPattern(pattern, host.value)) ? 'covered' : 'not-covered';
  }
  return names.commonNames.some((pattern) => matchesDnsPattern(pattern, host.value))
    ? 'covered-by-common-name'
    : 'not-covered';
}

/** @param name canonical DNS name */
function matchesDnsPattern(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return canonicalDnsName(pattern) === name;
  const suffix = canonicalDnsName(pattern.slice(2));
  if (suffix === undefined || !suffix.includes('.')) return false;
  const firstDot = name.indexOf('.');
  return firstDot > 0 && name.slice(firstDot + 1) === suffix;
}

/** An iPAddress of a certificate as text; undefined unless it has 4 or 16 bytes. */
export function addressText(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  return canonicalAddress((bytes.toString('hex').match(/.{4}/g) ?? []).join(':'));
}
