// The only user of node-forge: two block ciphers that old files need and that OpenSSL 3 has only in its legacy provider. Decrypts imported
// files; Farkeep never encrypts with these ciphers.
import forge from 'node-forge';

const blockBytes = 8;

/** RC2-CBC (RFC 2268). @returns undefined when the padding is wrong, as with a wrong key */
export function decryptRc2(key: Buffer, effectiveBits: number, iv: Buffer, data: Buffer): Buffer | undefined {
  if (data.length === 0 || data.length % blockBytes !== 0 || iv.length !== blockBytes) return undefined;
  const cipher = forge.rc2.createDecryptionCipher(toBinary(key), effectiveBits);
  cipher.start(toBinary(iv));
  cipher.update(forge.util.createBuffer(toBinary(data)));
  // forge checks the padding only in part, so `withoutPadding` checks it.
  cipher.finish(() => true);
  return withoutPadding(Buffer.from(cipher.output.getBytes(), 'latin1'));
}

/** DES-CBC with a key of 8 bytes. @returns undefined when the padding is wrong, as with a wrong key */
export function decryptDes(key: Buffer, iv: Buffer, data: Buffer): Buffer | undefined {
  if (data.length === 0 || data.length % blockBytes !== 0 || iv.length !== blockBytes) return undefined;
  const cipher = forge.cipher.createDecipher('DES-CBC', toBinary(key));
  cipher.start({ iv: toBinary(iv) });
  cipher.update(forge.util.createBuffer(toBinary(data)));
  return cipher.finish() ? Buffer.from(cipher.output.getBytes(), 'latin1') : undefined;
}

/** PKCS#7 padding, checked in full. */
function withoutPadding(plain: Buffer): Buffer | undefined {
  const count = plain.at(-1) ?? 0;
  const isFitting = count >= 1 && count <= blockBytes && plain.subarray(-count).every((byte) => byte === count);
  return isFitting ? plain.subarray(0, -count) : undefined;
}

function toBinary(bytes: Buffer): string {
  return bytes.toString('latin1');
}
