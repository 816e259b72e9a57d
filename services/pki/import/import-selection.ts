// Owns choosing the server certificate among what a file holds, putting its chain in order, and refusing what must not be installed.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { describeKey, hasServerAuth, isSelfSigned, type ReadCertificate } from '../certificate/certificate-summary.ts';
import type { ImportContent } from './import-parser.ts';
import { isStrongKey, isStrongSignature, signatureAlgorithmName } from '../certificate/strength.ts';

export interface ImportSelection {
  readonly leaf: ReadCertificate;
  /** Intermediates, the leaf's issuer first, without the root. */
  readonly chain: ReadCertificate[];
  readonly privateKey: KeyObject;
  readonly warnings: string[];
}

const maxChainLength = 16;
/**
 * Limits the work for a file with a hundred certificates of one name: each link would try all of them, with a slow signature check each.
 */
const maxSignatureChecks = 200;
const soonMs = 30 * 86_400_000;

/** @throws FarkeepError with the code of what is wrong, see `certificate.*` in the catalogue */
export function selectImport({ certificates, privateKeys }: ImportContent, now: number): ImportSelection {
  const [privateKey, ...moreKeys] = privateKeys;
  if (certificates.length === 0) {
    throw privateKey === undefined
      ? new FarkeepError('certificate.malformed', 'The file holds neither a certificate nor a private key')
      : new FarkeepError('certificate.malformed', 'The file holds a private key but no certificate', {
          hint: 'Choose the certificate and give the key as key file.',
        });
  }
  const servers = certificates.filter((certificate) => !isClearlyAuthority(certificate));
  if (privateKey === undefined) {
    throw servers.length === 0 ? authorityOnly(certificates) : new FarkeepError('certificate.no-private-key');
  }
  if (moreKeys.length > 0) {
    throw new FarkeepError('certificate.several-keys', `The file holds ${privateKeys.length} different private keys`);
  }
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const own = certificates.filter(({ x509 }) => x509.publicKey.export({ type: 'spki', format: 'der' }).equals(spki));
  if (own.length === 0) {
    throw servers.length === 0 ? authorityOnly(certificates) : new FarkeepError('certificate.key-mismatch');
  }
  // A renewed certificate may keep its key: the newest one is meant.
  const leaf = own.filter((certificate) => !isClearlyAuthority(certificate)).sort((a, b) => startOf(b) - startOf(a))[0];
  if (leaf === undefined) throw authorityOnly(own);
  const others = certificates.filter((certificate) => certificate !== leaf);
  const links = linkChain(leaf, others);
  const chain = links.filter((certificate) => !isSelfSigned(certificate));
  checkUsable(leaf, chain, now);

  const warnings: string[] = [];
  const unrelated = others.length - links.length;
  if (unrelated > 0)
    warnings.push(`${unrelated} of the certificates in the file are not part of the chain and were left out`);
  if (leaf.structure.isAuthority)
    warnings.push('The certificate is marked as an authority; tenants can pin it, but no chain leads to it');
  const daysLeft = Math.floor((leaf.x509.validToDate.getTime() - now) / 86_400_000);
  if (leaf.x509.validToDate.getTime() - now < soonMs) warnings.push(`The certificate expires in ${daysLeft} days`);
  return { leaf, chain, privateKey, warnings };
}

/** What must not serve, each with its own code. Also used for certificates picked from a store. */
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
      `The certificate is not valid before ${x509.validFromDate.toISOString()}`,
    );
  }
}

/**
 * "openssl req -x509" marks self-signed server certificates as authorities, without a key usage: those may serve, since tenants pin them.
 * One that may sign certificates, or that somebody else issued as an authority, may not.
 */
export function isClearlyAuthority(certificate: ReadCertificate): boolean {
  const { isAuthority, keyUsages } = certificate.structure;
  if (!isAuthority) return false;
  return keyUsages?.includes('keyCertSign') === true || !isSelfSigned(certificate);
}

function authorityOnly(certificates: readonly ReadCertificate[]): FarkeepError {
  return new FarkeepError(
    'certificate.ca-only',
    `The file holds only the authority "${certificates[0]?.structure.subject ?? ''}"`,
  );
}

/** The issuers of `leaf` among `candidates`, each signing the one before. Order for sending; trust is decided elsewhere. */
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
