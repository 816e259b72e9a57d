// Owns the key derivation of PKCS#12 (RFC 7292, appendix B). Only for reading files; it is not a good password hash.
import { hash } from 'node:crypto';
import type { WorkBudget } from './work-budget.ts';

export type Pkcs12Purpose = 'key' | 'iv' | 'mac';

const purposeIds: Record<Pkcs12Purpose, number> = { key: 1, iv: 2, mac: 3 };
/** Block size v of the hash in bytes. */
const blockBytes: Readonly<Record<string, number>> = {
  md5: 64,
  sha1: 64,
  sha224: 64,
  sha256: 64,
  sha384: 128,
  sha512: 128,
};
const roundsBetweenChecks = 4096;

/**
 * @param password BMPString with its final zero, or empty for no password
 * @param algorithm OpenSSL name of the hash
 * @throws FarkeepError 'certificate.too-costly'
 */
export function derivePkcs12(
  purpose: Pkcs12Purpose,
  { password, salt, rounds, algorithm }: { password: Buffer; salt: Buffer; rounds: number; algorithm: string },
  lengthBytes: number,
  budget: WorkBudget,
): Buffer {
  const v = blockBytes[algorithm];
  if (v === undefined) throw new RangeError(`Unknown hash ${algorithm}`);
  const diversifier = Buffer.alloc(v, purposeIds[purpose]);
  const filled = Buffer.concat([repeatTo(salt, v), repeatTo(password, v)]);
  const parts: Buffer[] = [];
  let have = 0;
  while (have < lengthBytes) {
    budget.spendRounds(rounds);
    let block = hash(algorithm, Buffer.concat([diversifier, filled]), 'buffer');
    for (let round = 1; round < rounds; round += 1) {
      block = hash(algorithm, block, 'buffer');
      if (round % roundsBetweenChecks === 0) budget.checkTime();
    }
    parts.push(block);
    have += block.length;
    if (have < lengthBytes) addToEachBlock(filled, repeatTo(block, v).subarray(0, v), v);
  }
  return Buffer.concat(parts).subarray(0, lengthBytes);
}

/** Copies of `bytes` up to the next whole number of blocks; nothing stays nothing. */
function repeatTo(bytes: Buffer, v: number): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.alloc(v * Math.ceil(bytes.length / v), bytes);
}

/** Step 6C: every block of I becomes (block + B + 1) mod 2^(8v). */
function addToEachBlock(filled: Buffer, addend: Buffer, v: number): void {
  for (let start = 0; start < filled.length; start += v) {
    let carry = 1;
    for (let index = v - 1; index >= 0; index -= 1) {
      const sum = (filled[start + index] ?? 0) + (addend[index] ?? 0) + carry;
      filled[start + index] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
