// Owns the explanation of a name-constraint refusal: OpenSSL enforces the constraint, but Node reports only "UNSPECIFIED".
// Must never be used to let something pass.
import { BlockList, isIPv6 } from 'node:net';
import type { ReadCertificate } from './certificate-summary.ts';
import type { GeneralSubtreeName } from './x509-structure.ts';

/** A sentence that names the offending name and authority; undefined when no DNS or IP constraint is broken (RFC 5280, 4.2.1.10). */
export function violatesNameConstraints(leaf: ReadCertificate, chain: readonly ReadCertificate[]): string | undefined {
  const { structure } = leaf;
  const dnsNames = structure.hasSubjectAltName
    ? structure.dnsNames
    : structure.commonNames.filter((name) => name.includes('.'));
  for (const { structure: authority } of chain) {
    const constraints = authority.nameConstraints;
    if (constraints === undefined) continue;
    const isOutside = (kind: 'dns' | 'ip', isWithin: (subtree: GeneralSubtreeName) => boolean): boolean => {
      const permitted = constraints.permitted.filter((subtree) => subtree.kind === kind);
      const excluded = constraints.excluded.filter((subtree) => subtree.kind === kind);
      return (permitted.length > 0 && !permitted.some(isWithin)) || excluded.some(isWithin);
    };
    const offending =
      dnsNames.find((name) => isOutside('dns', ({ value }) => isWithinDomain(name, value))) ??
      structure.ipAddresses.find((address) => isOutside('ip', ({ value }) => isWithinNetwork(address, value)));
    if (offending !== undefined) return `The authority "${authority.subject}" may not issue for "${offending}"`;
  }
  return undefined;
}

function isWithinDomain(name: string, domain: string): boolean {
  const own = name.toLowerCase();
  const base = domain.toLowerCase().replace(/^\./, '');
  return base === '' || own === base || own.endsWith(`.${base}`);
}

/** @param network "address/mask" as @peculiar/asn1-x509 writes it */
function isWithinNetwork(address: string, network: string): boolean {
  const [base = '', mask = ''] = network.split('/');
  const prefix = prefixLength(mask);
  if (prefix === undefined || isIPv6(base) !== isIPv6(address)) return false;
  const family = isIPv6(base) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(base, prefix, family);
  return list.check(address, family);
}

function prefixLength(mask: string): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  if (!/^\d+(\.\d+){3}$/.test(mask)) return undefined;
  return mask
    .split('.')
    .map((part) => Number(part).toString(2).replaceAll('0', '').length)
    .reduce((sum, bits) => sum + bits, 0);
}
