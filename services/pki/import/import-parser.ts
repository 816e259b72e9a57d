// Owns recognizing the file format and collecting the certificates and private keys of a file. Runs in the import worker. Must not decide
// what is usable; import-selection.ts does.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { BerError, BerNode } from '../certificate/ber-reader.ts';
import { type ReadCertificate, readCertificate } from '../certificate/certificate-summary.ts';
import { pemBody, splitPem } from '../certificate/pem.ts';
import { isPkcs12, readPkcs12 } from './pkcs12.ts';
import { keyFormOf, readPrivateKeyDer, readPrivateKeyPem, toKey } from './private-key.ts';
import type { WorkBudget } from './work-budget.ts';

export type ImportFormat = 'PFX/P12' | 'PEM' | 'DER' | 'PKCS#7';

export interface ImportContent {
  readonly format: ImportFormat;
  /** Certificates without duplicates, in the order of the file. */
  readonly certificates: ReadCertificate[];
  /** Keys without duplicates. */
  readonly privateKeys: KeyObject[];
  readonly friendlyName: string | undefined;
}

const maxCertificates = 100;
const signedData = '1.2.840.113549.1.7.2';

/** @throws FarkeepError with a code of `certificate.*` */
export function parseImport(
  { file, keyFile, password }: { file: Uint8Array; keyFile?: Uint8Array | undefined; password?: string | undefined },
  budget: WorkBudget,
): ImportContent {
  const collector = new Collector(password, budget);
  try {
    const format = collector.read(Buffer.from(file));
    // A key file may repeat the key of the first file (a PEM bundle); the same key is kept once.
    if (keyFile !== undefined) collector.read(Buffer.from(keyFile));
    return collector.content(format);
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    if (error instanceof BerError || error instanceof RangeError || error instanceof TypeError) {
      throw new FarkeepError(
        'certificate.malformed',
        'The file is damaged or of a kind that this program cannot read',
        { cause: error },
      );
    }
    throw error;
  }
}

class Collector {
  readonly #password: string | undefined;
  readonly #budget: WorkBudget;
  readonly #certificates = new Map<string, ReadCertificate>();
  readonly #privateKeys = new Map<string, KeyObject>();
  #friendlyName: string | undefined;

  constructor(password: string | undefined, budget: WorkBudget) {
    this.#password = password;
    this.#budget = budget;
  }

  content(format: ImportFormat): ImportContent {
    return {
      format,
      certificates: [...this.#certificates.values()],
      privateKeys: [...this.#privateKeys.values()],
      friendlyName: this.#friendlyName,
    };
  }

  read(bytes: Buffer): ImportFormat {
    const text = asPemText(bytes);
    if (text !== undefined) {
      this.#readPem(text);
      return 'PEM';
    }
    return this.#readDer(bytes);
  }

  #readPem(text: string): void {
    const blocks = splitPem(text);
    if (blocks.length === 0)
      throw new FarkeepError('certificate.malformed', 'The PEM text has a BEGIN line but no matching END line');
    for (const block of blocks) {
      if (block.label === 'OPENSSH PRIVATE KEY') {
        throw new FarkeepError('certificate.malformed', 'The private key is in the format of OpenSSH', {
          hint: 'Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY',
        });
      } else if (block.label.endsWith('PRIVATE KEY')) {
        this.#addKey(readPrivateKeyPem(block, this.#password, this.#budget));
      } else if (block.label === 'CERTIFICATE' || block.label === 'X509 CERTIFICATE') {
        this.#addCertificate(pemBody(block));
      } else if (block.label === 'TRUSTED CERTIFICATE') {
        // OpenSSL writes trust settings after the certificate, so only the first element is read.
        this.#addCertificate(BerNode.parse(pemBody(block)).raw());
      } else if (block.label === 'PKCS12') {
        // certtool of GnuTLS writes PFX as PEM text, except with --outder.
        this.#readPkcs12(BerNode.parse(pemBody(block)));
      } else if (block.label === 'PKCS7' || block.label === 'CMS') {
        this.#readPkcs7(BerNode.parse(pemBody(block)));
      }
      // Parameters, requests, CRLs and public keys are ignored.
    }
  }

  #readDer(bytes: Buffer): ImportFormat {
    refuseKeyStore(bytes);
    const root = BerNode.parse(bytes);
    if (isPkcs12(root)) {
      this.#readPkcs12(root);
      return 'PFX/P12';
    }
    if (root.isSequence() && root.children()[0]?.isOid() === true && root.child(0).oid() === signedData) {
      this.#readPkcs7(root);
      return 'PKCS#7';
    }
    const keyForm = keyFormOf(root);
    if (keyForm !== undefined) this.#addKey(readPrivateKeyDer(root, keyForm, this.#password, this.#budget));
    else this.#addCertificate(root.raw());
    return 'DER';
  }

  #readPkcs12(root: BerNode): void {
    const content = readPkcs12(root, this.#password, this.#budget);
    for (const der of content.certificates) this.#addCertificate(der);
    for (const der of content.privateKeys) this.#addKey(toKey(der, 'pkcs8'));
    this.#friendlyName ??= content.friendlyName;
  }

  /** A PKCS#7 bundle of certificates without signers, .p7b (RFC 5652, 5.1: `certificates` is the element tagged [0]). */
  #readPkcs7(root: BerNode): void {
    const certificates = root
      .child(1)
      .child(0)
      .children()
      .find((node) => node.contextTag() === 0);
    for (const certificate of certificates?.children() ?? []) {
      if (certificate.isSequence()) this.#addCertificate(certificate.raw());
    }
  }

  #addCertificate(der: Buffer): void {
    const certificate = readCertificate(der);
    this.#certificates.set(certificate.x509.fingerprint256, certificate);
    if (this.#certificates.size > maxCertificates) throw new BerError('too many certificates');
  }

  #addKey(key: KeyObject): void {
    let id: string;
    try {
      id = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
    } catch (error) {
      throw new FarkeepError('certificate.malformed', 'The private key is damaged', { cause: error });
    }
    this.#privateKeys.set(id, key);
  }
}

/**
 * Refuses key stores that only Java reads. Recognizes JKS and JCEKS by their magic numbers, BKS of Bouncy Castle by its version and a salt
 * of 20 bytes. Since Java 9, keytool makes PKCS #12 by default.
 */
function refuseKeyStore(bytes: Buffer): void {
  if (bytes.length < 8) return;
  const magic = bytes.readUInt32BE(0);
  const isBouncyCastle = (magic === 1 || magic === 2) && bytes.readUInt32BE(4) === 20;
  if (magic !== 0xfeedfeed && magic !== 0xcececece && !isBouncyCastle) return;
  throw new FarkeepError(
    'certificate.malformed',
    isBouncyCastle ? 'This is a KeyStore of Bouncy Castle (BKS)' : 'This is a Java KeyStore',
    {
      hint: `Convert it: keytool -importkeystore -srckeystore FILE ${isBouncyCastle ? '-srcstoretype BKS -providerpath BCPROV.jar -provider org.bouncycastle.jce.provider.BouncyCastleProvider ' : ''}-destkeystore FILE.p12 -deststoretype PKCS12`,
    },
  );
}

/** The text when the bytes are PEM: UTF-8 or ASCII with or without BOM, or UTF-16 as Windows editors save text. */
function asPemText(bytes: Buffer): string | undefined {
  const isUtf16Le = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isUtf16Be = bytes[0] === 0xfe && bytes[1] === 0xff;
  if (isUtf16Le || isUtf16Be) {
    const even = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)));
    const text = (isUtf16Be ? even.swap16() : even).toString('utf16le');
    return text.includes('-----BEGIN ') ? text : undefined;
  }
  // DER starts with a SEQUENCE (0x30). A PEM text inside a DER file is ignored.
  return bytes[0] !== 0x30 && bytes.includes('-----BEGIN ') ? bytes.toString('utf8') : undefined;
}
