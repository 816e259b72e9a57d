// Owns finding certificates that other programs keep on this machine: Let's Encrypt's folder, the system's certificate and key folders.
// Must not write, and must not accept a path from a caller: a pick id is looked up in a fresh list.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CertificateSummary, PickableCertificate } from '../../contracts/models/certificate.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { type ReadCertificate, readCertificate, summarize } from '../certificate/certificate-summary.ts';
import { importCertificate, type ImportedCertificate, type ImportOptions, maxImportBytes } from './import.ts';
import { checkUsable, isClearlyAuthority } from './import-selection.ts';
import { splitPem, splitPemCertificates } from '../certificate/pem.ts';

export interface PickRoots {
  /** "/etc/letsencrypt/live"; it has one folder for each certificate. */
  readonly letsEncrypt: string;
  /** "/etc/ssl/private" */
  readonly privateKeys: string;
  /** "/etc/ssl/certs" */
  readonly certificates: string;
}

export const systemPickRoots: PickRoots = {
  letsEncrypt: '/etc/letsencrypt/live',
  privateKeys: '/etc/ssl/private',
  certificates: '/etc/ssl/certs',
};

interface Candidate {
  readonly row: PickableCertificate;
  readonly certificateFile: string;
  readonly keyFile: string | undefined;
}

const maxFilesPerFolder = 2000;
/** Links that "openssl rehash" creates for certificates of authorities. */
const hashLink = /^[0-9a-f]{8}\.\d+$/;

/** All certificates found, usable ones first; each unusable one has its reason. */
export async function listPickable(
  roots: PickRoots = systemPickRoots,
  clock: Clock = systemClock,
): Promise<PickableCertificate[]> {
  return (await candidates(roots, clock)).map(({ row }) => row);
}

/** Reads a listed certificate with its key. @throws FarkeepError 'call.not-found' | 'certificate.*' */
export async function pickCertificate(
  pickId: string,
  roots: PickRoots = systemPickRoots,
  options: ImportOptions = {},
): Promise<ImportedCertificate> {
  const found = (await candidates(roots, options.clock ?? systemClock)).find(({ row }) => row.pickId === pickId);
  if (found === undefined) throw new FarkeepError('call.not-found', 'This certificate is no longer there');
  if (found.keyFile === undefined)
    throw new FarkeepError('certificate.no-private-key', found.row.unusableReason ?? undefined);
  const file = await readFile(found.certificateFile);
  const keyFile = found.keyFile === found.certificateFile ? undefined : await readKeyFile(found.keyFile);
  try {
    return await importCertificate({ file, keyFile }, options);
  } finally {
    keyFile?.fill(0);
  }
}

async function candidates(roots: PickRoots, clock: Clock): Promise<Candidate[]> {
  const found = [...(await letsEncrypt(roots, clock)), ...(await systemFolders(roots, clock))];
  return found.sort(
    (a, b) =>
      Number(a.row.unusableReason !== null) - Number(b.row.unusableReason !== null) ||
      a.row.issuedTo.localeCompare(b.row.issuedTo),
  );
}

async function letsEncrypt(roots: PickRoots, clock: Clock): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of await listFolder(roots.letsEncrypt)) {
    const certificateFile = path.join(roots.letsEncrypt, name, 'fullchain.pem');
    const keyFile = path.join(roots.letsEncrypt, name, 'privkey.pem');
    const certificates = await readCertificates(certificateFile);
    const leaf = certificates?.[0];
    if (certificates === undefined || leaf === undefined) continue;
    const key = await readPublicPart(keyFile);
    found.push({
      certificateFile,
      keyFile: 'spki' in key ? keyFile : undefined,
      row: row(
        `letsencrypt:${name}`,
        "Let's Encrypt",
        name,
        leaf,
        reasonAgainst(leaf, certificates.slice(1), key, clock),
      ),
    });
  }
  return found;
}

async function systemFolders(roots: PickRoots, clock: Clock): Promise<Candidate[]> {
  const keys: Array<{ file: string; spki: Buffer }> = [];
  const unreadable: string[] = [];
  const bundles: string[] = [];
  for (const name of await listFolder(roots.privateKeys, (error) => unreadable.push(error))) {
    const file = path.join(roots.privateKeys, name);
    const key = await readPublicPart(file);
    if ('spki' in key) {
      keys.push({ file, spki: key.spki });
      bundles.push(file);
    } else if (key.isKey) {
      unreadable.push(key.reason);
    }
  }
  const certificateFiles = (await listFolder(roots.certificates))
    .filter((name) => !hashLink.test(name) && /\.(pem|crt|cer)$/i.test(name))
    .map((name) => path.join(roots.certificates, name));

  const found: Candidate[] = [];
  for (const file of [...certificateFiles, ...bundles]) {
    const certificates = await readCertificates(file);
    const leaf = certificates?.[0];
    // The folder is full of certificates of authorities, which cannot serve and would make the list too long.
    if (certificates === undefined || leaf === undefined || isClearlyAuthority(leaf)) continue;
    const spki = spkiOf(leaf);
    const key = keys.find((candidate) => candidate.spki.equals(spki));
    if (isSelfSignedAuthorityWithoutKey(leaf, key)) continue;
    const missing = `No private key for this certificate was found in ${roots.privateKeys}${unreadable.length > 0 ? ` (${unreadable.join('; ')})` : ''}`;
    found.push({
      certificateFile: file,
      keyFile: key?.file,
      row: row(
        `system:${path.basename(file)}`,
        'System certificates',
        path.parse(file).name,
        leaf,
        reasonAgainst(leaf, certificates.slice(1), key ?? { isKey: false, reason: missing }, clock),
      ),
    });
  }
  return found;
}

/** Old roots in the system's bundle have no key usage; they are not server certificates either. */
function isSelfSignedAuthorityWithoutKey(leaf: ReadCertificate, key: object | undefined): boolean {
  return (
    key === undefined &&
    leaf.structure.issuerDer.equals(leaf.structure.subjectDer) &&
    leaf.structure.dnsNames.length === 0
  );
}

function row(
  pickId: string,
  store: string,
  friendlyName: string,
  leaf: ReadCertificate,
  unusableReason: string | null,
): PickableCertificate {
  const summary = summarize(leaf);
  return {
    pickId,
    store,
    issuedTo: summary.commonName,
    issuedBy: leaf.structure.issuerName ?? summary.issuer,
    friendlyName,
    notAfter: summary.notAfter,
    unusableReason,
    ...shownOf(summary),
  };
}

/** What people compare and search. */
export function shownOf({
  sha256,
  dnsNames,
  ipAddresses,
}: CertificateSummary): Required<Pick<PickableCertificate, 'sha256' | 'names'>> {
  return { sha256, names: [...dnsNames, ...ipAddresses] };
}

type PublicPart = { readonly spki: Buffer } | { readonly isKey: boolean; readonly reason: string };

function reasonAgainst(
  leaf: ReadCertificate,
  chain: readonly ReadCertificate[],
  key: PublicPart,
  clock: Clock,
): string | null {
  if (!('spki' in key)) return key.reason;
  if (!key.spki.equals(spkiOf(leaf))) return 'The private key in the same folder belongs to another certificate';
  try {
    checkUsable(leaf, chain, clock.now());
    return null;
  } catch (error) {
    if (error instanceof FarkeepError) return error.message;
    throw error;
  }
}

function spkiOf({ x509 }: ReadCertificate): Buffer {
  return x509.publicKey.export({ type: 'spki', format: 'der' });
}

async function listFolder(folder: string, onError: (reason: string) => void = () => undefined): Promise<string[]> {
  try {
    return (await readdir(folder)).sort().slice(0, maxFilesPerFolder);
  } catch (error) {
    // A missing certificate folder counts as an empty one.
    if (!isMissing(error)) {
      onError(`the account "${os.userInfo().username}" cannot read ${folder}`);
    }
    return [];
  }
}

async function readBounded(file: string): Promise<Buffer> {
  const info = await stat(file);
  if (!info.isFile() || info.size > maxImportBytes) throw new Error('not a certificate file');
  return readFile(file);
}

async function readCertificates(file: string): Promise<ReadCertificate[] | undefined> {
  try {
    const text = (await readBounded(file)).toString('utf8');
    return splitPemCertificates(text)
      .slice(0, 10)
      .map((pem) => readCertificate(pem));
  } catch {
    // Other files are not listed: these folders contain files of many kinds.
    return undefined;
  }
}

async function readKeyFile(file: string): Promise<Buffer> {
  try {
    return await readBounded(file);
  } catch (error) {
    throw new FarkeepError('certificate.key-unreadable', cannotRead(file), { cause: error });
  }
}

/** The public key of a private key file. The private key does not stay in memory while a list is shown. */
async function readPublicPart(file: string): Promise<PublicPart> {
  let bytes: Buffer;
  try {
    bytes = await readBounded(file);
  } catch {
    return { isKey: true, reason: cannotRead(file) };
  }
  try {
    const block = splitPem(bytes.toString('utf8')).find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (block === undefined) return { isKey: false, reason: `${file} contains no private key` };
    if (block.label.startsWith('ENCRYPTED') || block.text.includes('Proc-Type: 4,ENCRYPTED')) {
      return { isKey: true, reason: `The private key in ${file} is protected by a password; import the file instead` };
    }
    return { spki: createPublicKey(createPrivateKey(block.text)).export({ type: 'spki', format: 'der' }) };
  } catch {
    return { isKey: true, reason: `The private key in ${file} is damaged` };
  } finally {
    bytes.fill(0);
  }
}

function cannotRead(file: string): string {
  return `The account "${os.userInfo().username}" cannot read ${file}`;
}
