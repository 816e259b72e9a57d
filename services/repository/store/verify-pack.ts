// Owns checking one pack against its index, its headers and its checksums, and checking a pack with an unreadable index. Reads only.
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { systemErrorCode } from '../../kernel/system-error.ts';
import { decodeBlock, type BlockContext } from '../../blocks/block-codec.ts';
import { blockIdBytes } from '../../blocks/block.ts';
import { blockHeaderBytes, decodeBlockHeader, type PackBlock } from '../packs/pack-format.ts';
import { readPackIndex, scanPack, type PackScan } from '../packs/pack-reader.ts';
import type { Storage } from '../storage/storage.ts';

/** A pack does not record the job of its blocks. */
const unknownBlock: BlockContext = { chain: undefined, kind: undefined, purpose: 'repository' };

const readBytes = 4 * 1024 * 1024;

export function keyOf(id: Buffer): string {
  return id.toString('latin1', 0, blockIdBytes);
}

export interface PackCheckOptions {
  /** Whether to unpack this block and compare its content with its identifier. */
  readonly isDeepFor: (id: Buffer) => boolean;
  readonly idsKnown: () => Buffer[];
}

export interface PackCheck {
  readonly reason: string | undefined;
  readonly lost: readonly Buffer[];
  /** Lost blocks that are stored exactly as they were received: their sender sent wrong content. */
  readonly untrue: readonly Buffer[];
  readonly blocks: number;
  readonly bytesRead: number;
}

/** Reads the pack once in large pieces, and compares every block with the index, its header and its checksum. */
export async function checkPack(
  storage: Storage,
  name: string,
  { isDeepFor, idsKnown }: PackCheckOptions,
): Promise<PackCheck> {
  let index: PackBlock[];
  let sizeBytes: number;
  try {
    const pack = await readPackIndex(storage, name);
    if (!name.endsWith(`${pack.packId.toString('hex')}.pack`))
      throw new FarkeepError('storage.damaged', 'its identifier is not its name');
    index = pack.blocks;
    sizeBytes = pack.sizeBytes;
  } catch (error) {
    return withoutIndex(storage, name, reasonOf(error), { isDeepFor, idsKnown });
  }
  const lost: Buffer[] = [];
  const untrue: Buffer[] = [];
  let reason: string | undefined;
  let piece = Buffer.alloc(0);
  let pieceStart = 0;
  let bytesRead = 0;
  const bytesAt = async (start: number, length: number): Promise<Buffer> => {
    if (start < pieceStart || start + length > pieceStart + piece.length) {
      piece = Buffer.allocUnsafeSlow(Math.min(Math.max(readBytes, length), sizeBytes - start));
      pieceStart = start;
      const got = await storage.readRange(name, start, piece);
      bytesRead += got;
      piece = piece.subarray(0, got);
    }
    return piece.subarray(start - pieceStart, start - pieceStart + length);
  };
  for (const block of [...index].sort((a, b) => a.offset - b.offset)) {
    const problem = await checkBlock(block, bytesAt, isDeepFor(block.id));
    if (problem === undefined) continue;
    lost.push(block.id);
    if (problem.isUntrue) untrue.push(block.id);
    reason ??= problem.reason;
  }
  return { reason, lost, untrue, blocks: index.length, bytesRead };
}

/** @throws errors that do not concern the pack: too few descriptors or memory, a canceled call */
function reasonOf(error: unknown): string {
  const isOurs = ['EMFILE', 'ENFILE', 'ENOMEM'].includes(systemErrorCode(error) ?? '');
  const { code, message } = toFarkeepError(error, 'storage.io');
  if (isOurs || !code.startsWith('storage.')) throw error;
  return message;
}

async function checkBlock(
  block: PackBlock,
  bytesAt: (start: number, length: number) => Promise<Buffer>,
  isDeep: boolean,
): Promise<{ readonly reason: string; readonly isUntrue: boolean } | undefined> {
  const changed = (reason: string): { reason: string; isUntrue: boolean } => ({ reason, isUntrue: false });
  try {
    const start = block.offset - blockHeaderBytes;
    const bytes = await bytesAt(start, blockHeaderBytes + block.storedLength);
    const header = decodeBlockHeader(bytes, start);
    const stored = bytes.subarray(blockHeaderBytes);
    if (
      !header.id.equals(block.id) ||
      header.crc !== block.crc ||
      header.storedLength !== block.storedLength ||
      header.contentLength !== block.contentLength ||
      header.encoding !== block.encoding
    ) {
      return changed(`the block at offset ${start} is not the one in the index`);
    }
    if (stored.length !== block.storedLength || crc32(stored) !== block.crc)
      return changed(`the block at offset ${start} has a wrong checksum`);
    if (isDeep) await decodeBlock({ ...block, stored }, unknownBlock);
    return undefined;
  } catch (error) {
    const { code, message } = toFarkeepError(error, 'storage.io');
    return { reason: message, isUntrue: code === 'restore.mismatch' };
  }
}

/** Checks a pack without a readable index. The old catalogue tells which blocks the pack held. */
async function withoutIndex(
  storage: Storage,
  name: string,
  reason: string,
  { isDeepFor, idsKnown }: PackCheckOptions,
): Promise<PackCheck> {
  let scan: PackScan;
  try {
    scan = await scanPack(storage, name);
  } catch (error) {
    // A pipe, a folder, a missing permission or a failing disk: no block of the pack can be read.
    return { reason: reasonOf(error), lost: idsKnown(), untrue: [], blocks: 0, bytesRead: 0 };
  }
  const found = new Set<string>();
  const untrue: Buffer[] = [];
  for (const block of scan.blocks) {
    const isWhole = !isDeepFor(block.id) || (await isContentRight(storage, name, block));
    if (isWhole) found.add(keyOf(block.id));
    else untrue.push(block.id);
  }
  const lost = idsKnown().filter((id) => !found.has(keyOf(id)));
  return { reason, lost, untrue, blocks: scan.blocks.length, bytesRead: scan.sizeBytes };
}

async function isContentRight(storage: Storage, name: string, block: PackBlock): Promise<boolean> {
  const stored = Buffer.allocUnsafe(block.storedLength);
  try {
    await storage.readRange(name, block.offset, stored);
    await decodeBlock({ ...block, stored }, unknownBlock);
    return true;
  } catch (error) {
    const { code } = toFarkeepError(error, 'storage.io');
    if (code !== 'restore.mismatch' && code !== 'storage.io') throw error;
    return false;
  }
}
