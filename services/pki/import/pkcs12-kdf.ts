// Owns the key derivations of PKCS#12 (RFC 7292, appendix B) and PBES1. Only for reading files: all these derivations are weak against
// password guessing.
import { createIteratedHash } from '../../kernel/native/iterated-hash.ts';
import type { FileHash } from './file-hashes.ts';
import { unitsPerSlice, type WorkBudget } from './work-budget.ts';

export type Pkcs12Purpose = 'key' | 'iv' | 'mac';

export interface Pkcs12Derivation {
  /** BMPString with a final zero, or empty for no password. */
  readonly password: Buffer;
  readonly salt: Buffer;
  readonly rounds: number;
  readonly hash: FileHash;
}

const purposeIds: Record<Pkcs12Purpose, number> = { key: 1, iv: 2, mac: 3 };

/** Cost of `derivePkcs12`, in units of the budget. */
export function pkcs12Units({ rounds, hash }: Pick<Pkcs12Derivation, 'rounds' | 'hash'>, lengthBytes: number): number {
  return rounds * hash.units * Math.ceil(lengthBytes / hash.hashBytes);
}

/** @throws FarkeepError 'certificate.too-costly' */
export function derivePkcs12(
  purpose: Pkcs12Purpose,
  { password, salt, rounds, hash }: Pkcs12Derivation,
  lengthBytes: number,
  budget: WorkBudget,
): Buffer {
  budget.admit(pkcs12Units({ rounds, hash }, lengthBytes));
  const v = hash.blockBytes;
  const diversifier = Buffer.alloc(v, purposeIds[purpose]);
  const filled = Buffer.concat([repeatTo(salt, v), repeatTo(password, v)]);
  const parts: Buffer[] = [];
  let have = 0;
  while (have < lengthBytes) {
    const block = hashRepeatedly(hash, Buffer.concat([diversifier, filled]), rounds, budget);
    parts.push(block);
    have += block.length;
    if (have < lengthBytes) addToEachBlock(filled, repeatTo(block, v).subarray(0, v), v);
  }
  return Buffer.concat(parts).subarray(0, lengthBytes);
}

/** PBKDF1 (RFC 8018, 5.1), and the inner loop of PKCS#12: hashes the previous hash `rounds` times, in slices. */
export function hashRepeatedly(hash: FileHash, input: Buffer, rounds: number, budget: WorkBudget): Buffer {
  const iteratedHash = createIteratedHash(hash.name);
  const roundsPerSlice = Math.ceil(unitsPerSlice / hash.units);
  let block = input;
  for (let left = rounds; left > 0; left -= roundsPerSlice) {
    const slice = Math.min(left, roundsPerSlice);
    block = iteratedHash(block, slice);
    budget.spend(slice * hash.units);
  }
  return block;
}

/** Copies of `bytes`, up to the next whole number of blocks of `v` bytes; empty input gives empty output. */
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
