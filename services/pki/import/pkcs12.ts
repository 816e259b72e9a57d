// Owns reading PFX/P12 files (RFC 7292): integrity, bags, decryption. node-forge cannot read ECDSA keys, Node can read neither RC2 nor
// files without a MAC, and both silently use the first of two keys. So this code reads the bags itself, with asn1js.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { BerError, BerNode } from '../certificate/ber-reader.ts';
import { hashOf, hmacOf, type FileHash, unknownAlgorithm, withLegacyProvider } from './file-hashes.ts';
import { firstThatFits, type PasswordForm, passwordForms } from './file-password.ts';
import { type Encryption, keyLengthOf, readEncryption, readKeyDerivation, readRounds } from './password-decryption.ts';
import { derivePkcs12, pkcs12Units } from './pkcs12-kdf.ts';
import type { WorkBudget } from './work-budget.ts';

const oids = {
  data: '1.2.840.113549.1.7.1',
  envelopedData: '1.2.840.113549.1.7.3',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  safeContentsBag: '1.2.840.113549.1.12.10.1.6',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  pbmac1: '1.2.840.113549.1.5.14',
} as const;

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
  const forms = passwordForms(password);
  const macData = root.children()[2];
  const mac = macData === undefined ? undefined : readMac(macData);
  const reader = new BagReader(budget);
  for (const info of BerNode.parse(authenticatedSafe).children()) reader.readContentInfo(info);
  budget.announce(mac?.units ?? 0);
  // A correct MAC proves the encoding of the password. Only a part with PBES2 may still need another encoding.
  const provenForm =
    mac === undefined
      ? undefined
      : firstThatFits(forms, mac.uses, (form) => (mac.fits(authenticatedSafe, form, budget) ? form : undefined));
  if (mac !== undefined && provenForm === undefined) throw new FarkeepError('certificate.wrong-password');
  reader.decrypt(
    provenForm === undefined ? forms : [provenForm, ...forms.filter((form) => form !== provenForm)],
    provenForm !== undefined,
  );
  return { certificates: reader.certificates, privateKeys: reader.privateKeys, friendlyName: reader.friendlyName };
}

interface Mac {
  readonly units: number;
  readonly uses: keyof PasswordForm;
  readonly fits: (content: Buffer, form: PasswordForm, budget: WorkBudget) => boolean;
}

/** @throws BerError | FarkeepError 'certificate.malformed' (names the unknown algorithm) | 'certificate.too-costly' */
function readMac(macData: BerNode): Mac {
  const algorithm = macData.child(0).child(0);
  const expected = macData.child(0).child(1).octets();
  const isEqual = (hash: FileHash, key: Buffer, content: Buffer): boolean => {
    const actual = createHmac(hash.name, key).update(content).digest();
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  };
  if (algorithm.child(0).oid() === oids.pbmac1) {
    // RFC 9579: the algorithm holds salt and rounds; the fields in MacData exist only for old readers.
    const keyDerivation = algorithm.child(1).child(0);
    const hash = hmacOf(algorithm.child(1).child(1).child(0).oid());
    const keyBytes = keyLengthOf(keyDerivation);
    if (keyBytes === undefined) throw new BerError('PBMAC1 without a key length');
    const { units, derive } = readKeyDerivation(keyDerivation, keyBytes);
    return { units, uses: 'plain', fits: (content, form, budget) => isEqual(hash, derive(form, budget), content) };
  }
  const hash = hashOf(algorithm.child(0).oid());
  const salt = macData.child(1).octets();
  const roundsNode = macData.children()[2];
  const rounds = roundsNode === undefined ? 1 : readRounds(roundsNode);
  const fits: Mac['fits'] = (content, form, budget) => {
    const derivation = { password: form.pkcs12, salt, rounds, hash };
    return isEqual(hash, derivePkcs12('mac', derivation, hash.hashBytes, budget), content);
  };
  return {
    units: pkcs12Units({ rounds, hash }, hash.hashBytes),
    uses: 'pkcs12',
    fits: (...args) =>
      hash.isLegacy ? withLegacyProvider(`the hash ${hash.name.toUpperCase()}`, () => fits(...args)) : fits(...args),
  };
}

/** An encrypted part that needs the password, and the handler for its plain text. */
interface Locked {
  readonly encryption: Encryption;
  readonly data: Buffer;
  readonly take: (plain: BerNode) => void;
}

/** Collects readable bags and encrypted bags first, before any key derivation. */
class BagReader {
  readonly certificates: Buffer[] = [];
  readonly privateKeys: Buffer[] = [];
  friendlyName: string | undefined;
  readonly #budget: WorkBudget;
  readonly #locked: Locked[] = [];
  #bags = 0;

  constructor(budget: WorkBudget) {
    this.#budget = budget;
  }

  readContentInfo(info: BerNode): void {
    const oid = info.child(0).oid();
    switch (oid) {
      case oids.data:
        this.#readSafeContents(BerNode.parse(info.child(1).child(0).octets()), 0);
        break;
      case oids.encryptedData: {
        const encrypted = info.child(1).child(0).child(1);
        this.#lock(encrypted.child(1), encrypted.child(2).octets(), (plain) => this.#readSafeContents(plain, 0));
        break;
      }
      case oids.envelopedData:
        throw new FarkeepError('certificate.malformed', 'A part of the file is encrypted for another certificate', {
          hint: 'Export it with a password.',
        });
      default:
        unknownAlgorithm('the kind of content', oid);
    }
  }

  /**
   * @param isProven whether the password is known to be correct
   * @throws FarkeepError 'certificate.wrong-password', or 'certificate.malformed' for a part that the correct password does not open
   */
  decrypt(forms: readonly PasswordForm[], isProven: boolean): void {
    let isRight = isProven;
    for (let locked = this.#locked.shift(); locked !== undefined; locked = this.#locked.shift()) {
      const { encryption, data, take } = locked;
      const plain = firstThatFits(forms, encryption.uses, (form) => {
        const bytes = encryption.decrypt(data, form, this.#budget);
        return bytes === undefined ? undefined : parseSequence(bytes);
      });
      if (plain === undefined) throw isRight ? otherPassword() : new FarkeepError('certificate.wrong-password');
      isRight = true;
      take(plain);
    }
  }

  #lock(algorithm: BerNode, data: Buffer, take: (plain: BerNode) => void): void {
    const encryption = readEncryption(algorithm);
    this.#budget.announce(encryption.units);
    this.#locked.push({ encryption, data, take });
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
          this.#lock(value.child(0), value.child(1).octets(), (plain) => {
            this.privateKeys.push(plain.raw());
            this.#takeName(bag);
          });
          break;
        case oids.safeContentsBag:
          this.#readSafeContents(value, depth + 1);
          break;
        default:
          // CRLs and secrets of other programs are ignored.
          break;
      }
    }
  }

  #takeName(bag: BerNode): void {
    for (const attribute of bag.children()[2]?.children() ?? []) {
      if (attribute.child(0).oid() === oids.friendlyName)
        this.friendlyName ??= attribute.child(1).children()[0]?.text();
    }
  }
}

function otherPassword(): FarkeepError {
  return new FarkeepError(
    'certificate.malformed',
    'The password is correct, but it does not open one part of the file: this part was encrypted with another password, or is damaged',
    { hint: 'Export the file again, with one password for all parts.' },
  );
}

/** With the correct password the plain text is exactly one SEQUENCE; any other result means a wrong password. */
export function parseSequence(bytes: Buffer): BerNode | undefined {
  try {
    const node = BerNode.parse(bytes);
    return node.isSequence() ? node : undefined;
  } catch (error) {
    if (error instanceof BerError) return undefined;
    throw error;
  }
}
