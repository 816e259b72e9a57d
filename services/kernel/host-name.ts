// Owns the canonical form of host names and addresses for trust decisions, messages and storage, so that one host always has one spelling.
import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * Converts a dialed host to its canonical form: lower-case A-label without final dot, or address without brackets. undefined: not a host
 * name.
 */
export function canonicalHost(host: string): { readonly kind: 'dns' | 'ip'; readonly value: string } | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return { kind: 'ip', value: canonicalAddress(bare) };
  const ascii = canonicalDnsName(bare.replace(/\.$/, ''));
  return ascii === undefined ? undefined : { kind: 'dns', value: ascii };
}

/**
 * Returns the server name for SNI: a lower-case A-label without final dot, never an address (RFC 6066, 3). undefined means no SNI: for an
 * address in any spelling ("127.1", brackets) and for an invalid name.
 */
export function serverNameFor(host: string): string | undefined {
  const canonical = canonicalHost(host);
  return canonical?.kind === 'dns' ? canonical.value : undefined;
}

/** Whether two spellings mean the same host: capitals, a final dot, A-label or not, the forms of an IPv6 address. */
export function isSameHost(one: string, other: string): boolean {
  const [first, second] = [canonicalHost(one), canonicalHost(other)];
  return one === other || (first !== undefined && first.value === second?.value);
}

/** LDH labels (and underscores, which real hosts have), after IDNA. Refuses wildcards, so no partial wildcard can match. */
export function canonicalDnsName(name: string): string | undefined {
  // The URL parser must not "repair" a name with a NUL or a blank into another name.
  if (name === '' || name.length > 253 || /[\s\p{Cc}\p{Cf}%*\\/:?#@[\]]/u.test(name)) return undefined;
  const ascii = domainToASCII(name).toLowerCase();
  if (ascii === '' || isIP(ascii) !== 0) return undefined;
  const isName = ascii.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return isName ? ascii : undefined;
}

/** @param address a valid address. @returns the canonical form; IPv6 in its short form */
export function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  return plain;
}
