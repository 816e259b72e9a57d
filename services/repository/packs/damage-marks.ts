// Owns the marks of damaged blocks (docs/repository-format.md, section 9): small files in `damaged/` that name damaged blocks in packs. A
// marked block no longer counts as present, so the next backup sends it again. A mark deletes nothing. Mark files are written completely
// and durably, and never changed. All files together count, so several processes may mark blocks at the same time.
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { blockIdBytes } from '../../blocks/block.ts';
import type { Storage } from '../storage/storage.ts';

export const damagedFolder = 'damaged';
const magic = 0x464b444d; // "FKDM"
/** Two versions of the file format: without causes, and with one byte of cause for each block. */
const plainVersion = 1;
const causeVersion = 2;
const causes = { lost: 0, untrue: 1 } as const;
const headBytes = 12;
const packHeadBytes = 20;
const checksumBytes = 4;
const maxBlocksPerFile = 500_000;
const maxPacksPerFile = 100_000;
const maxMarksBytes = 32 * 1024 * 1024;
const nameOfMarks = /^[0-9a-f]{16}\.marks$/;

/** The unreadable blocks of one pack. The list is empty if the damage in the pack affects no block. */
export interface DamagedPack {
  readonly packId: Buffer;
  readonly ids: readonly Buffer[];
  /**
   * Blocks of `ids` whose stored bytes are unchanged, but whose content does not match the identifier. The sender of these blocks caused
   * the damage, not a disk. So these blocks still count against the quota.
   */
  readonly untrueIds: readonly Buffer[];
}

interface MarkedBlock {
  readonly id: Buffer;
  readonly isUntrue: boolean;
}

export class DamageMarks {
  /** Names of the files that these marks were read from. */
  readonly names: readonly string[];
  readonly #packs = new Map<string, Map<string, MarkedBlock>>();

  constructor(packs: Iterable<DamagedPack> = [], names: readonly string[] = []) {
    this.names = names;
    for (const { packId, ids, untrueIds } of packs) {
      const key = keyOf(packId);
      const known = this.#packs.get(key) ?? new Map<string, MarkedBlock>();
      for (const id of ids) if (!known.has(keyOf(id))) known.set(keyOf(id), { id, isUntrue: false });
      for (const id of untrueIds) known.set(keyOf(id), { id, isUntrue: true });
      this.#packs.set(key, known);
    }
  }

  hasPack(packId: Buffer): boolean {
    return this.#packs.has(keyOf(packId));
  }

  has(packId: Buffer, id: Buffer): boolean {
    return this.#packs.get(keyOf(packId))?.has(keyOf(id)) === true;
  }

  /** Whether the content of the block never matched its identifier. */
  isUntrue(packId: Buffer, id: Buffer): boolean {
    return this.#packs.get(keyOf(packId))?.get(keyOf(id))?.isUntrue === true;
  }

  idsOf(packId: Buffer): Buffer[] {
    return [...(this.#packs.get(keyOf(packId))?.values() ?? [])].map(({ id }) => id);
  }

  *packs(): IterableIterator<DamagedPack> {
    for (const [key, blocks] of this.#packs) {
      const all = [...blocks.values()];
      yield {
        packId: Buffer.from(key, 'latin1'),
        ids: all.map(({ id }) => id),
        untrueIds: all.filter(({ isUntrue }) => isUntrue).map(({ id }) => id),
      };
    }
  }

  /** Whether `other` marks the same blocks of the same packs, with the same causes. */
  equals(other: DamageMarks): boolean {
    if (this.#packs.size !== other.#packs.size) return false;
    for (const [key, blocks] of this.#packs) {
      const others = other.#packs.get(key);
      if (others?.size !== blocks.size) return false;
      for (const [id, { isUntrue }] of blocks) if (others.get(id)?.isUntrue !== isUntrue) return false;
    }
    return true;
  }
}

function keyOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

/** @param packs at most what `splitMarks` puts into one file */
export function encodeMarks(packs: readonly DamagedPack[]): Buffer {
  const hasCauses = packs.some(({ untrueIds }) => untrueIds.length > 0);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(magic, 0);
  head.writeUInt8(hasCauses ? causeVersion : plainVersion, 4);
  head.writeUInt32BE(packs.length, 8);
  const parts: Buffer[] = [head];
  for (const { packId, ids, untrueIds } of packs) {
    const packHead = Buffer.alloc(packHeadBytes);
    packId.copy(packHead, 0);
    packHead.writeUInt32BE(ids.length, 16);
    parts.push(packHead);
    const untrue = new Set(untrueIds.map(keyOf));
    for (const id of ids) {
      parts.push(id);
      if (hasCauses) parts.push(Buffer.of(untrue.has(keyOf(id)) ? causes.untrue : causes.lost));
    }
  }
  const bytes = Buffer.concat(parts);
  const end = Buffer.alloc(checksumBytes);
  end.writeUInt32BE(crc32(bytes));
  return Buffer.concat([bytes, end]);
}

/** @throws storage.damaged */
export function decodeMarks(bytes: Buffer): DamagedPack[] {
  const end = bytes.length - checksumBytes;
  if (end < headBytes || bytes.readUInt32BE(0) !== magic)
    throw new FarkeepError('storage.damaged', 'these are not marks of damaged blocks');
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end))
    throw new FarkeepError('storage.damaged', 'the marks have a wrong checksum');
  const version = bytes.readUInt8(4);
  if (version !== plainVersion && version !== causeVersion)
    throw new FarkeepError('storage.damaged', `the marks are of version ${version}, which is unknown here`);
  const causeBytes = version === causeVersion ? 1 : 0;
  const blockBytes = blockIdBytes + causeBytes;
  const packs: DamagedPack[] = [];
  let at = headBytes;
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    if (at + packHeadBytes > end) throw new FarkeepError('storage.damaged', 'the marks are cut');
    const packId = Buffer.from(bytes.subarray(at, at + 16));
    const count = bytes.readUInt32BE(at + 16);
    at += packHeadBytes;
    if (at + count * blockBytes > end) throw new FarkeepError('storage.damaged', 'the marks are cut');
    const ids: Buffer[] = [];
    const untrueIds: Buffer[] = [];
    for (let index = 0; index < count; index += 1, at += blockBytes) {
      const id = Buffer.from(bytes.subarray(at, at + blockIdBytes));
      ids.push(id);
      if (causeBytes > 0 && bytes[at + blockIdBytes] === causes.untrue) untrueIds.push(id);
    }
    packs.push({ packId, ids, untrueIds });
  }
  if (at !== end) throw new FarkeepError('storage.damaged', 'the marks are longer than they say');
  return packs;
}

/** Reads all marks of the folder. An unreadable file is skipped and logged: the next check finds its damage again. */
export async function readDamageMarks(storage: Storage, logger: Logger): Promise<DamageMarks> {
  const packs: DamagedPack[] = [];
  const names: string[] = [];
  for (const name of await storage.list(damagedFolder)) {
    if (!nameOfMarks.test(name)) continue;
    try {
      packs.push(...decodeMarks(await storage.read(`${damagedFolder}/${name}`, maxMarksBytes)));
      names.push(name);
    } catch (error) {
      // A check that has just ended has replaced this file with a new one.
      if (isMissing(error)) continue;
      logger.error('Marks of damaged blocks cannot be read; "repository verify" replaces them', {
        file: name,
        error: toFarkeepError(error, 'storage.io').message,
      });
    }
  }
  return new DamageMarks(packs, names);
}

/** Names of all mark files, also of unreadable mark files. */
export async function listMarks(storage: Storage): Promise<string[]> {
  return (await storage.list(damagedFolder)).filter((name) => nameOfMarks.test(name));
}

/**
 * Writes marks durably: when the promise resolves, they survive a crash and a power cut.
 *
 * @param writing the caller's folder below `incoming/`; what a crash leaves there is removed with its writer
 * @returns the files' names
 */
export async function writeDamageMarks(
  storage: Storage,
  writing: string,
  packs: Iterable<DamagedPack>,
): Promise<string[]> {
  const names: string[] = [];
  for (const part of splitMarks(packs)) {
    const name = `${randomBytes(8).toString('hex')}.marks`;
    const temporaryName = `${writing}/${name}`;
    const output = await storage.create(temporaryName);
    try {
      await output.append([encodeMarks(part)]);
      await output.sync();
    } finally {
      await output.close();
    }
    await storage.rename(temporaryName, `${damagedFolder}/${name}`);
    names.push(name);
  }
  if (names.length > 0) await storage.sync(damagedFolder);
  return names;
}

function* splitMarks(packs: Iterable<DamagedPack>): Generator<DamagedPack[], void, undefined> {
  let part: DamagedPack[] = [];
  let blocks = 0;
  for (const { packId, ids, untrueIds } of packs) {
    const untrue = new Set(untrueIds.map(keyOf));
    for (let start = 0; start === 0 || start < ids.length; start += maxBlocksPerFile) {
      const piece = ids.slice(start, start + maxBlocksPerFile);
      if (part.length > 0 && (blocks + piece.length > maxBlocksPerFile || part.length === maxPacksPerFile)) {
        yield part;
        part = [];
        blocks = 0;
      }
      part.push({ packId, ids: piece, untrueIds: piece.filter((id) => untrue.has(keyOf(id))) });
      blocks += piece.length;
    }
  }
  if (part.length > 0) yield part;
}
