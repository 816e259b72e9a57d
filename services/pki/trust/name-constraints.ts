// Owns checking name constraints (RFC 5280, 4.2.1.10) for the dialed name, and explaining OpenSSL's refusals. OpenSSL checks only the names
// in the certificate, so a permitted wildcard can stand for an excluded name.
import { isIPv6 } from 'node:net';
import { canonicalHost } from '../../kernel/host-name.ts';
import type { ReadCertificate } from '../certificate/certificate-summary.ts';
import type { CertificateStructure, GeneralSubtreeName } from '../certificate/x509-structure.ts';

type Constraints = NonNullable<CertificateStructure['nameConstraints']>;

/** OpenSSL gives up after this number of comparisons for one certificate (NAME_CHECK_MAX). */
const openSslLimit = 1 << 20;
/** Limit of comparisons for an explanation: one or two milliseconds. */
const explanationLimit = 10_000;

/**
 * Finds an authority in the chain that may not issue certificates for the dialed host.
 * @returns a sentence that names the authority and the host; undefined if there is no such authority
 */
export function forbidsHost(nameDialed: string, chain: readonly ReadCertificate[]): string | undefined {
  const host = canonicalHost(nameDialed);
  if (host === undefined) return undefined;
  for (const { structure } of chain) {
    const { nameConstraints: constraints } = structure;
    if (constraints !== undefined && isForbidden(host, constraints)) return sentence(structure.subject, nameDialed);
  }
  return undefined;
}

/**
 * Finds the name that OpenSSL refused. The cost has a limit, because no certificate of this chain is trusted yet.
 * @returns undefined when the name was not found within the limit
 */
export function explainConstraints(leaf: ReadCertificate, chain: readonly ReadCertificate[]): string | undefined {
  const { structure } = leaf;
  // If no alternative name is a DNS name, OpenSSL treats common names that look like hosts as DNS names.
  const dnsNames = structure.dnsNames.length > 0 ? structure.dnsNames : structure.commonNames.filter(isHostLike);
  const names = [...dnsNames, ...structure.ipAddresses];
  let budget = explanationLimit;
  for (const { structure: authority } of chain) {
    const { nameConstraints: constraints } = authority;
    if (constraints === undefined) continue;
    const size = constraints.permitted.length + constraints.excluded.length;
    if (names.length * size > openSslLimit) {
      return `The authority "${authority.subject}" has more name constraints than can be checked`;
    }
    for (const name of names.slice(0, Math.floor(budget / Math.max(1, size)))) {
      budget -= size;
      // A wildcard name is compared with a constraint after its star is removed.
      const host = canonicalHost(name.replace(/^\*\./, ''));
      if (host === undefined || isForbidden(host, constraints)) return sentence(authority.subject, name);
    }
  }
  return undefined;
}

function sentence(authority: string, name: string): string {
  return `The authority "${authority}" may not issue for "${name}"`;
}

function isHostLike(name: string): boolean {
  return name.includes('.');
}

function isForbidden(
  { kind, value }: { kind: 'dns' | 'ip'; value: string },
  { permitted, excluded }: Constraints,
): boolean {
  const address = kind === 'ip' ? addressBytes(value) : undefined;
  const isWithin = (subtree: GeneralSubtreeName, whenUnreadable: boolean): boolean => {
    if (subtree.kind === 'dns') return isWithinDomain(value, subtree.value) ?? whenUnreadable;
    return subtree.kind === 'ip' && address !== undefined && isWithinNetwork(address, subtree.bytes);
  };
  const ofKind = (subtree: GeneralSubtreeName): boolean => subtree.kind === kind;
  const limits = permitted.filter(ofKind);
  return (
    (limits.length > 0 && !limits.some((subtree) => isWithin(subtree, false))) ||
    excluded.some((subtree) => ofKind(subtree) && isWithin(subtree, true))
  );
}

/** @param name canonical. @returns undefined when the base is not a valid name */
function isWithinDomain(name: string, base: string): boolean | undefined {
  const bare = base.replace(/^\./, '').replace(/\.$/, '');
  if (bare === '') return true;
  const domain = canonicalHost(bare);
  return domain === undefined ? undefined : name === domain.value || name.endsWith(`.${domain.value}`);
}

/** @param network address and mask, of the same length each */
function isWithinNetwork(address: Buffer, network: Buffer): boolean {
  const { length } = address;
  if (network.length !== 2 * length) return false;
  return address.every((byte, index) => ((byte ^ (network[index] ?? 0)) & (network[length + index] ?? 0)) === 0);
}

/** @param address in its canonical form */
function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(Math.max(0, missing)).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
