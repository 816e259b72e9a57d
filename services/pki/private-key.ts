// Owns reading one private key from DER or a PEM block: PKCS#1, PKCS#8, SEC1, encrypted or plain, to PKCS#8 DER.
import { createDecipheriv, createPrivateKey, hash, type KeyObject } from 'node:crypto';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { BerError, BerNode } from './ber-reader.ts';
import { firstThatFits, passwordForms } from './file-password.ts';
import { decryptDes } from './forge.ts';
import { decryptWithPassword } from './password-decryption.ts';
import { pemBody, type PemBlock } from './pem.ts';
import { parseSequence } from './pkcs12.ts';
import type { WorkBudget } from './work-budget.ts';

export type KeyForm = 'pkcs8' | 'encrypted-pkcs8' | 'pkcs1' | 'sec1';

/** Which form of private key a DER structure is; undefined: none. */
export function keyFormOf(root: BerNode): KeyForm | undefined {
  if (!root.isSequence()) return undefined;
  const [first, second, third] = root.children();
  if (first?.isSequence() === true && second?.isOctetString() === true && third === undefined) return 'encrypted-pkcs8';
  if (first?.isInteger() !== true) return undefined;
  if (second?.isSequence() === true && third?.isOctetString() === true) return 'pkcs8';
  if (second?.isOctetString() === true) return 'sec1';
  if (second?.isInteger() === true && third?.isInteger() === true && root.children().length >= 9) return 'pkcs1';
  return undefined;
}

/** @throws BerError | FarkeepError 'certificate.wrong-password' | 'certificate.too-costly' | 'certificate.malformed' */
export function readPrivateKeyDer(
  root: BerNode,
  form: KeyForm,
  password: string | undefined,
  budget: WorkBudget,
): KeyObject {
  switch (form) {
    case 'encrypted-pkcs8': {
      const plain = firstThatFits(passwordForms(password), budget, (passwordForm) => {
        const bytes = decryptWithPassword(root.child(0), root.child(1).octets(), passwordForm, budget);
        const node = bytes === undefined ? undefined : parseSequence(bytes);
        return node !== undefined && keyFormOf(node) === 'pkcs8' ? node : undefined;
      });
      if (plain === undefined) throw wrongPassword(password);
      return toKey(plain.raw(), 'pkcs8');
    }
    default:
      return toKey(root.raw(), form);
  }
}

/** @throws as `readPrivateKeyDer` */
export function readPrivateKeyPem(block: PemBlock, password: string | undefined, budget: WorkBudget): KeyObject {
  const dekInfo = /^DEK-Info:\s*([A-Za-z0-9-]+),([0-9A-Fa-f]+)$/m.exec(block.text);
  const body = pemBody(block);
  if (dekInfo === null) {
    const root = BerNode.parse(body);
    const form = keyFormOf(root);
    if (form === undefined) throw new BerError(`the ${block.label} cannot be read`);
    return readPrivateKeyDer(root, form, password, budget);
  }
  const [, cipher = '', ivHex = ''] = dekInfo;
  const iv = Buffer.from(ivHex, 'hex');
  const key = firstThatFits(passwordForms(password), budget, (passwordForm) => {
    const bytes = decryptTraditional(cipher.toUpperCase(), iv, body, passwordForm.plain);
    const node = bytes === undefined ? undefined : parseSequence(bytes);
    const form = node === undefined ? undefined : keyFormOf(node);
    return node === undefined || form === undefined || form === 'encrypted-pkcs8' ? undefined : toKey(node.raw(), form);
  });
  if (key === undefined) throw wrongPassword(password);
  return key;
}

const traditionalCiphers: Readonly<Record<string, readonly [name: string, keyBytes: number, ivBytes: number]>> = {
  'DES-EDE3-CBC': ['des-ede3-cbc', 24, 8],
  'DES-CBC': ['des-cbc', 8, 8],
  'AES-128-CBC': ['aes-128-cbc', 16, 16],
  'AES-192-CBC': ['aes-192-cbc', 24, 16],
  'AES-256-CBC': ['aes-256-cbc', 32, 16],
};

/** OpenSSL's own PEM encryption: EVP_BytesToKey with MD5, one round, the first 8 bytes of the IV as salt. */
function decryptTraditional(name: string, iv: Buffer, data: Buffer, password: Buffer): Buffer | undefined {
  const cipher = traditionalCiphers[name];
  if (cipher === undefined)
    throw new FarkeepError(
      'certificate.malformed',
      `The private key is encrypted by a cipher that this program does not know (${name})`,
    );
  const [opensslName, keyBytes, ivBytes] = cipher;
  if (iv.length !== ivBytes) throw new BerError('the initialization vector has a wrong length');
  let derived = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (derived.length < keyBytes) {
    last = hash('md5', Buffer.concat([last, password, iv.subarray(0, 8)]), 'buffer');
    derived = Buffer.concat([derived, last]);
  }
  const key = derived.subarray(0, keyBytes);
  if (opensslName === 'des-cbc') return decryptDes(key, iv, data);
  const decipher = createDecipheriv(opensslName, key, iv);
  try {
    return Buffer.concat([decipher.update(data), decipher.final()]);
  } catch {
    // Bad padding is how a wrong password looks; the caller says so.
    return undefined;
  }
}

export function toKey(der: Buffer, type: 'pkcs8' | 'pkcs1' | 'sec1'): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type });
  } catch (error) {
    throw new FarkeepError(
      'certificate.malformed',
      'The private key is damaged or of a kind that this program does not know',
      { cause: error },
    );
  }
}

function wrongPassword(password: string | undefined): FarkeepError {
  return password === undefined || password === ''
    ? new FarkeepError('certificate.wrong-password', 'The private key is encrypted; its password is needed')
    : new FarkeepError('certificate.wrong-password');
}
