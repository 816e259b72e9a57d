// Owns the provider's check without any key: every pack against its checksums, every restore point's chain to its last block.
// Reads only; repairs nothing.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { blockIdLengthBytes, decodeBlock, decodeBlockSync } from './block-content.ts';
import { Catalogue } from './catalogue.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import { BlockReader } from './block-reader.ts';
import { FolderStorage } from './folder-storage.ts';
import { listPacks } from './left-overs.ts';
import { readManifest } from './manifest.ts';
import { readManifestContents, readManifestReferences } from './manifest-chain.ts';
import { blockHeaderBytes, decodeBlockHeader, packName, type PackBlock } from './pack-format.ts';
import { readPackIndex, scanPack } from './pack-reader.ts';
import { blocksOf } from './point-check.ts';
import { decodePointRoot, maxPointRootBytes, type PointRoot } from './point-root.ts';
import type { Storage } from './storage.ts';

export interface Damage {
  /** Name below the tenant folder; one of `pack` and `manifest`. */
  readonly pack?: string;
  readonly manifest?: string;
  readonly reason: string;
  /** Blocks of the pack that are lost, as far as can be known. */
  readonly damagedBlocks: number;
  /** Restore points that need what is damaged. */
  readonly points: readonly string[];
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly packs: number;
  readonly blocks: number;
  readonly points: number;
  readonly bytesRead: number;
  readonly damaged: readonly Damage[];
}

export interface VerifyOptions {
  readonly tenantFolder: string;
  readonly logger: Logger;
  /** Also unpacks every block and compares it with its identifier: finds what was wrong before it was stored. Slower. */
  readonly isDeep?: boolean;
  readonly onProgress?: (progress: {
    readonly packs: number;
    readonly allPacks: number;
    readonly bytesRead: number;
  }) => void;
  readonly signal?: AbortSignal;
  readonly storage?: Storage;
}

const readBytes = 4 * 1024 * 1024;

export async function verifyTenantFolder({
  tenantFolder,
  logger,
  isDeep = false,
  onProgress,
  signal,
  storage = new FolderStorage(tenantFolder),
}: VerifyOptions): Promise<VerifyResult> {
  const names = await listPacks(storage);
  const present = new Set(names);
  const bad = new Map<string, { reason: string; blocks: number }>();
  /** Identifiers that cannot be read, with the pack to blame. A block that another pack holds whole is not lost. */
  const lostBlocks = new Map<string, string>();
  const wholeBlocks = new Set<string>();
  let bytesRead = 0;
  let blocks = 0;
  let done = 0;
  const known = openCatalogue(tenantFolder);
  for (const name of names) {
    signal?.throwIfAborted();
    const check = await checkPack(storage, name, isDeep, known);
    bytesRead += check.bytesRead;
    blocks += check.blocks;
    if (check.reason !== undefined) {
      bad.set(name, { reason: check.reason, blocks: check.lost.length });
      for (const id of check.lost) lostBlocks.set(keyOf(id), name);
      logger.error('A pack is damaged', { pack: name, reason: check.reason, blocks: check.lost.length });
    }
    done += 1;
    onProgress?.({ packs: done, allPacks: names.length, bytesRead });
  }
  for (const packId of known?.packIds() ?? []) {
    const name = packName(packId);
    if (present.has(name) || (await storage.sizeBytes(name)) !== undefined) continue;
    const lost = known?.blocksInPack(packId) ?? [];
    bad.set(name, { reason: 'it is missing', blocks: lost.length });
    for (const id of lost) lostBlocks.set(keyOf(id), name);
  }
  known?.close();
  // Damage is rare: only then the good packs are asked whether they hold the same block.
  if (lostBlocks.size > 0) await forgetHeldElsewhere(storage, names, bad, lostBlocks, wholeBlocks);

  // Points first: a session may go on committing meanwhile, and what a point needs is there before the point.
  const pointNames = (await storage.list('points')).filter((name) => name.endsWith('.manifest'));
  const catalogue = await catalogueFromPacks(storage);
  const affected = new Map<string, Set<string>>();
  const damagedPoints: Damage[] = [];
  try {
    for (const name of pointNames) {
      signal?.throwIfAborted();
      const pointId = name.slice(0, -'.manifest'.length);
      const reason = await checkPoint({
        storage,
        pointId,
        find: (id) => catalogue.find(id),
        reader: new BlockReader(storage),
        onBlock: (id) => {
          const pack = lostBlocks.get(keyOf(id));
          if (pack === undefined) return catalogue.has(id);
          const points = affected.get(pack) ?? new Set<string>();
          affected.set(pack, points.add(pointId));
          return true;
        },
      });
      const isGone = reason !== undefined && (await storage.sizeBytes(`points/${name}`)) === undefined;
      if (reason !== undefined && !isGone)
        damagedPoints.push({ manifest: `points/${name}`, reason, damagedBlocks: 0, points: [pointId] });
    }
  } finally {
    catalogue.close();
    await storage.close();
  }
  const damaged = [
    ...[...bad].map(([name, { reason, blocks: damagedBlocks }]) => ({
      pack: name,
      reason,
      damagedBlocks,
      points: [...(affected.get(name) ?? [])].sort(),
    })),
    ...damagedPoints,
  ];
  return { ok: damaged.length === 0, packs: names.length, blocks, points: pointNames.length, bytesRead, damaged };
}

function keyOf(id: Buffer): string {
  return id.toString('latin1', 0, blockIdLengthBytes);
}

interface PackCheck {
  readonly reason: string | undefined;
  readonly lost: readonly Buffer[];
  readonly blocks: number;
  readonly bytesRead: number;
}

/** Reads the pack once from start to end, in large pieces, and holds every block against the index, its header and its checksum. */
async function checkPack(
  storage: Storage,
  name: string,
  isDeep: boolean,
  known: Catalogue | undefined,
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
    const { code, message } = toFarkeepError(error, 'storage.io');
    if (code !== 'storage.damaged' && code !== 'storage.io') throw error;
    return withoutIndex(storage, name, message, known);
  }
  const lost: Buffer[] = [];
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
    const problem = await checkBlock(block, bytesAt, isDeep);
    if (problem === undefined) continue;
    lost.push(block.id);
    reason ??= problem;
  }
  return { reason, lost, blocks: index.length, bytesRead };
}

async function checkBlock(
  block: PackBlock,
  bytesAt: (start: number, length: number) => Promise<Buffer>,
  isDeep: boolean,
): Promise<string | undefined> {
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
      return `the block at offset ${start} is not the one in the index`;
    }
    if (stored.length !== block.storedLength || crc32(stored) !== block.crc)
      return `the block at offset ${start} has a wrong checksum`;
    if (isDeep) decodeBlockSync({ ...block, stored });
    return undefined;
  } catch (error) {
    return toFarkeepError(error, 'storage.io').message;
  }
}

/** What can be found of a pack without its index; what is lost of it is known only from the catalogue. */
async function withoutIndex(
  storage: Storage,
  name: string,
  reason: string,
  known: Catalogue | undefined,
): Promise<PackCheck> {
  const scan = await scanPack(storage, name);
  const found = new Set(scan.blocks.map(({ id }) => keyOf(id)));
  const lost = (known?.blocksInPack(scan.packId) ?? []).filter((id) => !found.has(keyOf(id)));
  return { reason, lost, blocks: scan.blocks.length, bytesRead: scan.sizeBytes };
}

/** The catalogue file, if it can be read, to say what a damaged pack held. Everything else is checked without it. */
function openCatalogue(tenantFolder: string): Catalogue | undefined {
  const file = path.join(tenantFolder, 'catalogue.sqlite');
  if (!existsSync(file)) return undefined;
  try {
    return new Catalogue(file, 'read');
  } catch {
    return undefined; // missing or damaged: it is only a cache
  }
}

async function forgetHeldElsewhere(
  storage: Storage,
  names: readonly string[],
  bad: ReadonlyMap<string, unknown>,
  lost: Map<string, string>,
  seen: Set<string>,
): Promise<void> {
  for (const name of names) {
    if (bad.has(name)) continue;
    for (const { id } of (await readPackIndex(storage, name)).blocks) {
      const key = keyOf(id);
      if (!lost.has(key) || seen.has(key)) continue;
      seen.add(key);
      lost.delete(key);
    }
  }
}

interface PointWalk {
  readonly storage: Storage;
  readonly pointId: string;
  readonly find: (id: Buffer) => Parameters<BlockReader['read']>[0] | undefined;
  readonly reader: BlockReader;
  /** False when no pack holds the block. */
  readonly onBlock: (id: Buffer) => boolean;
}

/** Why the point is not whole, or undefined. */
async function checkPoint({ storage, pointId, find, reader, onBlock }: PointWalk): Promise<string | undefined> {
  let missing = 0;
  let firstMissing: Buffer | undefined;
  const note = (id: Buffer): void => {
    if (onBlock(id)) return;
    missing += 1;
    firstMissing ??= id;
  };
  const readContent = async (id: Buffer): Promise<Buffer> => {
    note(id);
    const place = find(id);
    if (place === undefined)
      throw new FarkeepError('storage.damaged', `its manifest block ${id.toString('hex').slice(0, 16)} is missing`);
    return decodeBlock(await reader.read(place));
  };
  try {
    const root: PointRoot = decodePointRoot(
      await storage.read(`points/${pointId}.manifest`, maxPointRootBytes),
      pointId,
    );
    if (root.pointId !== pointId) return `it says that it is ${root.pointId}`;
    const { lists, blocks } = await readManifestReferences(root, readContent);
    for (const { id } of [...lists, ...blocks]) note(id);
    for await (const item of readManifest(readManifestContents(root, readContent)))
      for (const id of blocksOf(item)) note(id);
  } catch (error) {
    return toFarkeepError(error, 'storage.io').message;
  }
  return missing === 0
    ? undefined
    : `${missing} of its blocks are in no pack, the first is ${firstMissing?.toString('hex').slice(0, 16) ?? ''}`;
}
