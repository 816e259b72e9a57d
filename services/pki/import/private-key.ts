// Owns reading one private key from DER or a PEM block: PKCS#1, PKCS#8 or SEC1, encrypted or plain. The result is PKCS#8 DER.
import { createPrivateKey, hash, type KeyObject } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { BerError, BerNode } from '../certificate/ber-reader.ts';
import { cipherOf } from './file-ciphers.ts';
import { unknownAlgorithm } from './file-hashes.ts';
import { firstThatFits, passwordForms } from './file-password.ts';
import { readEncryption } from './password-decryption.ts';
import { pemBody, type PemBlock } from '../certificate/pem.ts';
import { parseSequence } from './pkcs12.ts';
import type { WorkBudget } from './work-budget.ts';

export type KeyForm = 'pkcs8' | 'encrypted-pkcs8' | 'pkcs1' | 'sec1';

/** The format of a private key in DER; undefined when the structure is not a private key. */
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
      const encryption = readEncryption(root.child(0));
      budget.announce(encryption.units);
      const plain = firstThatFits(passwordForms(password), encryption.uses, (passwordForm) => {
        const bytes = encryption.decrypt(root.child(1).octets(), passwordForm, budget);
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
  const key = firstThatFits(passwordForms(password), 'plain', (passwordForm) => {
    const bytes = decryptTraditional(cipher.toLowerCase(), iv, body, passwordForm.plain);
    const node = bytes === undefined ? undefined : parseSequence(bytes);
    const form = node === undefined ? undefined : keyFormOf(node);
    return node === undefined || form === undefined || form === 'encrypted-pkcs8' ? undefined : toKey(node.raw(), form);
  });
  if (key === undefined) throw wrongPassword(password);
  return key;
}

/** OpenSSL's traditional PEM encryption: EVP_BytesToKey with MD5, one round, the first 8 bytes of the IV as salt. */
function decryptTraditional(name: string, iv: Buffer, data: Buffer, password: Buffer): Buffer | undefined {
  if (
    !/^(aes|aria|camellia)-(128|192|256)-cbc$|^(des-ede3?|des|rc2|rc2-40|rc2-64|bf|cast5|idea|seed|sm4)-cbc$/.test(name)
  )
    unknownAlgorithm('the cipher', name.toUpperCase());
  const { keyBytes, ivBytes, decrypt } = cipherOf(name);
  if (iv.length !== ivBytes) throw new BerError('the initialization vector has a wrong length');
  let derived = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (derived.length < keyBytes) {
    last = hash('md5', Buffer.concat([last, password, iv.subarray(0, 8)]), 'buffer');
    derived = Buffer.concat([derived, last]);
  }
  return decrypt(derived.subarray(0, keyBytes), iv, data);
}

export function toKey(der: Buffer, type: 'pkcs8' | 'pkcs1' | 'sec1'): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type });
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'The private key is damaged or of an unknown kind', {
      cause: error,
    });
  }
}

function wrongPassword(password: string | undefined): FarkeepError {
  return password === undefined || password === ''
    ? new FarkeepError('certificate.wrong-password', 'The private key is encrypted; its password is needed')
    : new FarkeepError('certificate.wrong-password');
}
