// Owns choosing the server certificate in a file, ordering its chain, and refusing a certificate that must not be installed.
import { expiryText, instantText } from '../../contracts/models/instant-text.ts';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { describeKey, hasServerAuth, isSelfSigned, type ReadCertificate } from '../certificate/certificate-summary.ts';
import type { ImportContent } from './import-parser.ts';
import { isStrongKey, isStrongSignature, signatureAlgorithmName } from '../certificate/strength.ts';

export interface ImportSelection {
  readonly leaf: ReadCertificate;
  /** Intermediates, the issuer of the server certificate first, without the root. */
  readonly chain: ReadCertificate[];
  readonly privateKey: KeyObject;
  readonly warnings: string[];
}

const maxChainLength = 16;
/**
 * Limits the work for a file with a hundred certificates of one name: each step of the chain would check a slow signature against all of
 * them.
 */
const maxSignatureChecks = 200;
const soonMs = 30 * 86_400_000;

/** @throws FarkeepError with the code of what is wrong, see `certificate.*` in the catalogue */
export function selectImport({ certificates, privateKeys }: ImportContent, now: number): ImportSelection {
  const [privateKey, ...moreKeys] = privateKeys;
  if (certificates.length === 0) {
    throw privateKey === undefined
      ? new FarkeepError('certificate.malformed', 'The file contains neither a certificate nor a private key')
      : new FarkeepError('certificate.malformed', 'The file contains a private key but no certificate', {
          hint: 'Choose the certificate and give the key as key file.',
        });
  }
  const servers = certificates.filter((certificate) => !isClearlyAuthority(certificate));
  if (privateKey === undefined) {
    throw servers.length === 0 ? authorityOnly(certificates) : new FarkeepError('certificate.no-private-key');
  }
  if (moreKeys.length > 0) {
    throw new FarkeepError(
      'certificate.several-keys',
      `The file contains ${privateKeys.length} different private keys`,
    );
  }
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const own = certificates.filter(({ x509 }) => x509.publicKey.export({ type: 'spki', format: 'der' }).equals(spki));
  if (own.length === 0) {
    throw servers.length === 0 ? authorityOnly(certificates) : new FarkeepError('certificate.key-mismatch');
  }
  // A renewed certificate may keep its key, so the newest certificate is chosen.
  const leaf = own.filter((certificate) => !isClearlyAuthority(certificate)).sort((a, b) => startOf(b) - startOf(a))[0];
  if (leaf === undefined) throw authorityOnly(own);
  const others = certificates.filter((certificate) => certificate !== leaf);
  const links = linkChain(leaf, others);
  const chain = links.filter((certificate) => !isSelfSigned(certificate));
  checkUsable(leaf, chain, now);

  const warnings: string[] = [];
  const unrelated = others.length - links.length;
  if (unrelated > 0)
    warnings.push(`${unrelated} of the certificates in the file are not part of the chain and were not imported`);
  if (leaf.structure.isAuthority)
    warnings.push('The certificate is marked as an authority. Tenants can pin it, but cannot trust it through a chain');
  const daysLeft = Math.floor((leaf.x509.validToDate.getTime() - now) / 86_400_000);
  if (leaf.x509.validToDate.getTime() - now < soonMs) warnings.push(`The certificate ${expiryText(daysLeft)}`);
  return { leaf, chain, privateKey, warnings };
}

/** Refuses a certificate that must not be used, each reason with its own code. Also used for certificates that are picked from a store. */
export function checkUsable(leaf: ReadCertificate, chain: readonly ReadCertificate[], now: number): void {
  const { x509, structure } = leaf;
  for (const certificate of [leaf, ...chain]) {
    const name = certificate === leaf ? 'The certificate' : `The intermediate "${certificate.structure.subject}"`;
    if (!isStrongKey(certificate.x509.publicKey)) {
      throw new FarkeepError('certificate.weak', `${name} has a weak key (${describeKey(certificate.x509.publicKey)})`);
    }
    if (!isStrongSignature(certificate.structure) && !(certificate !== leaf && isSelfSigned(certificate))) {
      throw new FarkeepError(
        'certificate.weak',
        `${name} has a weak signature (${signatureAlgorithmName(certificate.structure)})`,
      );
    }
  }
  if (!hasServerAuth(structure)) throw new FarkeepError('certificate.not-for-servers');
  if (x509.validToDate.getTime() < now) {
    throw new FarkeepError(
      'certificate.expired',
      `The certificate expired on ${x509.validToDate.toISOString().slice(0, 10)}`,
    );
  }
  if (x509.validFromDate.getTime() > now) {
    throw new FarkeepError(
      'certificate.not-yet-valid',
      `The certificate is not valid before ${instantText(x509.validFromDate)}`,
    );
  }
}

/**
 * Whether the certificate is an authority and not a server. "openssl req -x509" marks self-signed server certificates as authorities but
 * sets no key usage; these are allowed, since tenants pin them. A certificate that may sign certificates, or that another authority issued
 * as an authority, is refused.
 */
export function isClearlyAuthority(certificate: ReadCertificate): boolean {
  const { isAuthority, keyUsages } = certificate.structure;
  if (!isAuthority) return false;
  return keyUsages?.includes('keyCertSign') === true || !isSelfSigned(certificate);
}

function authorityOnly(certificates: readonly ReadCertificate[]): FarkeepError {
  return new FarkeepError(
    'certificate.ca-only',
    `The file contains only the certificate of the authority "${certificates[0]?.structure.subject ?? ''}"`,
  );
}

/**
 * The issuers of `leaf` among `candidates`, each one the signer of the certificate before. The order is for sending; trust is decided
 * elsewhere.
 */
export function linkChain(leaf: ReadCertificate, candidates: readonly ReadCertificate[]): ReadCertificate[] {
  const chain: ReadCertificate[] = [];
  let last = leaf;
  let checks = 0;
  while (chain.length < maxChainLength && !isSelfSigned(last)) {
    const issuer = candidates.find(
      (candidate) =>
        candidate !== leaf &&
        !chain.includes(candidate) &&
        last.x509.checkIssued(candidate.x509) &&
        (checks += 1) <= maxSignatureChecks &&
        last.x509.verify(candidate.x509.publicKey),
    );
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function startOf({ x509 }: ReadCertificate): number {
  return x509.validFromDate.getTime();
}
