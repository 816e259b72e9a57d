// Owns strict name matching (RFC 9525). Node's checkServerIdentity and X509Certificate.checkHost are looser; they are not used.
import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

export interface CertificateNames {
  readonly hasSubjectAltName: boolean;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly commonNames: readonly string[];
}

export type NameMatch = 'covered' | 'covered-by-common-name' | 'not-covered';

/** A host as dialled to its canonical form: A-label, lower case, no final dot; an address without brackets. undefined: not a name. */
export function canonicalHost(host: string): { readonly kind: 'dns' | 'ip'; readonly value: string } | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return { kind: 'ip', value: canonicalAddress(bare) };
  const ascii = canonicalDnsName(bare.replace(/\.$/, ''));
  return ascii === undefined ? undefined : { kind: 'dns', value: ascii };
}

/** Whether two spellings mean the same host: capitals, a final dot, A-label or not, the forms of an IPv6 address. */
export function isSameHost(one: string, other: string): boolean {
  const [first, second] = [canonicalHost(one), canonicalHost(other)];
  return one === other || (first !== undefined && first.value === second?.value);
}

/**
 * Whether a certificate's names cover the name that was dialled.
 * - SAN decides; the subject's common names only when there is no SAN extension at all.
 * - A wildcard is a whole left-most label and covers exactly one label; none for IP addresses; none directly below a top level.
 * - IP addresses match iPAddress entries only, never a DNS entry or a common name.
 */
export function matchName(names: CertificateNames, nameDialled: string): NameMatch {
  const host = canonicalHost(nameDialled);
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

/** LDH labels (and underscores, which real hosts have), after IDNA. Refuses wildcards, so no partial wildcard can match. */
function canonicalDnsName(name: string): string | undefined {
  // A name with a NUL or blank must not be "repaired" into another one by the URL parser.
  if (name === '' || name.length > 253 || /[\s\p{Cc}\p{Cf}%*\\/:?#@[\]]/u.test(name)) return undefined;
  const ascii = domainToASCII(name).toLowerCase();
  if (ascii === '' || isIP(ascii) !== 0) return undefined;
  const isName = ascii.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return isName ? ascii : undefined;
}

function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  return plain;
}
