// Owns reading PFX/P12 files (RFC 7292): integrity, bags, decryption. node-forge cannot read ECDSA keys, Node neither RC2 nor files without a
// MAC, and both take the first of two keys silently; so the bags are walked here, over asn1js.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { BerError, BerNode } from './ber-reader.ts';
import { firstThatFits, type PasswordForm, passwordForms } from './file-password.ts';
import { decryptWithPassword, derivePbes2Key, hmacHashes } from './password-decryption.ts';
import { derivePkcs12 } from './pkcs12-kdf.ts';
import type { WorkBudget } from './work-budget.ts';

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  safeContentsBag: '1.2.840.113549.1.12.10.1.6',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  pbmac1: '1.2.840.113549.1.5.14',
} as const;

const macHashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const maxNesting = 8;
const maxBags = 200;

export interface Pkcs12Content {
  readonly certificates: Buffer[];
  /** PKCS#8 DER. */
  readonly privateKeys: Buffer[];
  readonly friendlyName: string | undefined;
}

export function isPkcs12(root: BerNode): boolean {
  if (!root.isSequence()) return false;
  const [version, content] = root.children();
  return (
    version?.isInteger() === true &&
    content?.isSequence() === true &&
    content.children()[0]?.isOid() === true &&
    content.child(0).oid().startsWith('1.2.840.113549.1.7.')
  );
}

/** @throws BerError | FarkeepError 'certificate.wrong-password' | 'certificate.too-costly' | 'certificate.malformed' */
export function readPkcs12(root: BerNode, password: string | undefined, budget: WorkBudget): Pkcs12Content {
  try {
    return readContent(root, password, budget);
  } catch (error) {
    const hasNoPassword = password === undefined || password === '';
    if (!hasNoPassword || !(error instanceof FarkeepError) || error.code !== 'certificate.wrong-password') throw error;
    throw new FarkeepError('certificate.wrong-password', 'The file is protected by a password, which is needed');
  }
}

function readContent(root: BerNode, password: string | undefined, budget: WorkBudget): Pkcs12Content {
  const content = root.child(1);
  if (content.child(0).oid() !== oids.data) {
    throw new FarkeepError(
      'certificate.malformed',
      'The file is protected by a signature instead of a password; export it with a password',
    );
  }
  const authenticatedSafe = content.child(1).child(0).octets();
  const allForms = passwordForms(password);
  const macData = root.children()[2];
  // A right MAC settles the form of the password; only the form for PBES2 may still differ.
  const provenForm = macData === undefined ? undefined : verifyMac(macData, authenticatedSafe, allForms, budget);
  const reader = new BagReader(
    provenForm === undefined ? allForms : [provenForm, ...allForms.filter((form) => form !== provenForm)],
    budget,
  );
  for (const info of BerNode.parse(authenticatedSafe).children()) reader.readContentInfo(info);
  return { certificates: reader.certificates, privateKeys: reader.privateKeys, friendlyName: reader.friendlyName };
}

function verifyMac(
  macData: BerNode,
  content: Buffer,
  forms: readonly PasswordForm[],
  budget: WorkBudget,
): PasswordForm {
  const digestInfo = macData.child(0);
  const algorithm = digestInfo.child(0);
  const expected = digestInfo.child(1).octets();
  const oid = algorithm.child(0).oid();
  const isEqual = (key: Buffer, hashName: string): boolean => {
    const actual = createHmac(hashName, key).update(content).digest();
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  };
  let attempt: (form: PasswordForm) => boolean;
  if (oid === oids.pbmac1) {
    // RFC 9579: salt and rounds stand in the algorithm; those of MacData are only there for old readers.
    const [keyDerivation, scheme] = algorithm.child(1).children();
    const hashName = scheme === undefined ? undefined : hmacHashes[scheme.child(0).oid()];
    if (keyDerivation === undefined || hashName === undefined) throw new BerError('unknown PBMAC1 scheme');
    const keyBytes =
      keyDerivation
        .child(1)
        .children()
        .slice(2)
        .find((node) => node.isInteger())
        ?.smallInteger() ?? 0;
    if (keyBytes < 16 || keyBytes > 64) throw new BerError('PBMAC1 without a key length');
    attempt = (form) => isEqual(derivePbes2Key(keyDerivation, keyBytes, form, budget), hashName);
  } else {
    const hashName = macHashes[oid];
    if (hashName === undefined)
      throw new FarkeepError(
        'certificate.malformed',
        `The file is protected by a hash that this program does not know (${oid})`,
      );
    const salt = macData.child(1).octets();
    const rounds = macData.children()[2]?.smallInteger() ?? 1;
    if (rounds < 1) throw new BerError('expected a positive number');
    attempt = (form) =>
      isEqual(
        derivePkcs12('mac', { password: form.pkcs12, salt, rounds, algorithm: hashName }, expected.length, budget),
        hashName,
      );
  }
  const fitting = firstThatFits(forms, budget, (form) => (attempt(form) ? form : undefined));
  if (fitting === undefined) throw new FarkeepError('certificate.wrong-password');
  return fitting;
}

class BagReader {
  readonly certificates: Buffer[] = [];
  readonly privateKeys: Buffer[] = [];
  friendlyName: string | undefined;
  readonly #forms: readonly PasswordForm[];
  readonly #budget: WorkBudget;
  #bags = 0;

  constructor(forms: readonly PasswordForm[], budget: WorkBudget) {
    this.#forms = forms;
    this.#budget = budget;
  }

  readContentInfo(info: BerNode): void {
    switch (info.child(0).oid()) {
      case oids.data:
        this.#readSafeContents(BerNode.parse(info.child(1).child(0).octets()), 0);
        break;
      case oids.encryptedData: {
        const encrypted = info.child(1).child(0).child(1);
        const plain = this.#decrypt(encrypted.child(1), encrypted.child(2).octets());
        this.#readSafeContents(plain, 0);
        break;
      }
      default:
        throw new FarkeepError(
          'certificate.malformed',
          'A part of the file is encrypted for another certificate; export it with a password',
        );
    }
  }

  #readSafeContents(contents: BerNode, depth: number): void {
    if (depth > maxNesting) throw new BerError('bags are nested too deeply');
    for (const bag of contents.children()) {
      this.#bags += 1;
      if (this.#bags > maxBags) throw new BerError('too many bags');
      const value = bag.child(1).child(0);
      switch (bag.child(0).oid()) {
        case oids.certBag:
          if (value.child(0).oid() === oids.x509Certificate) this.certificates.push(value.child(1).child(0).octets());
          break;
        case oids.keyBag:
          this.privateKeys.push(value.raw());
          this.#takeName(bag);
          break;
        case oids.shroudedKeyBag:
          this.privateKeys.push(this.#decrypt(value.child(0), value.child(1).octets()).raw());
          this.#takeName(bag);
          break;
        case oids.safeContentsBag:
          this.#readSafeContents(value, depth + 1);
          break;
        default:
          // CRLs and secrets of other programs are none of ours.
          break;
      }
    }
  }

  #decrypt(algorithm: BerNode, data: Buffer): BerNode {
    const plain = firstThatFits(this.#forms, this.#budget, (form) => {
      const bytes = decryptWithPassword(algorithm, data, form, this.#budget);
      return bytes === undefined ? undefined : parseSequence(bytes);
    });
    if (plain === undefined) throw new FarkeepError('certificate.wrong-password');
    return plain;
  }

  #takeName(bag: BerNode): void {
    for (const attribute of bag.children()[2]?.children() ?? []) {
      if (attribute.child(0).oid() === oids.friendlyName)
        this.friendlyName ??= attribute.child(1).children()[0]?.text();
    }
  }
}

/** The plain text of the right password is a SEQUENCE that fills it; anything else came from a wrong one. */
export function parseSequence(bytes: Buffer): BerNode | undefined {
  try {
    const node = BerNode.parse(bytes);
    return node.isSequence() ? node : undefined;
  } catch (error) {
    if (error instanceof BerError) return undefined;
    throw error;
  }
}
