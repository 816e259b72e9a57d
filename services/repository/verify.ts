// Owns the provider's check without any key: every pack against its checksums, every restore point's chain to its last block.
// Reads only; what is done about damage is verify-and-mark.ts.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../kernel/logger.ts';
import { blockIdLengthBytes, decodeBlock, decodeBlockSync } from './block-content.ts';
import { Catalogue, type BlockPlace } from './catalogue.ts';
import { DamageMarks, readDamageMarks, type DamagedPack } from './damage-marks.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import { BlockReader } from './block-reader.ts';
import { FolderStorage } from './folder-storage.ts';
import { listPacks } from './left-overs.ts';
import { readManifest } from './manifest.ts';
import { readManifestContents, readManifestReferences } from './manifest-chain.ts';
import { blockHeaderBytes, decodeBlockHeader, packName, type PackBlock } from './pack-format.ts';
import { readPackIndex, scanPack } from './pack-reader.ts';
import { blocksOf } from './point-check.ts';
import { decodePointRoot, maxPointRootBytes } from './point-root.ts';
import type { PointRoot } from './point-root-fields.ts';
import type { Storage } from './storage.ts';
import { catalogueFile } from './tenant-folder.ts';

export interface Damage {
  /** Name below the tenant folder; one of `pack` and `manifest`. */
  readonly pack?: string;
  readonly manifest?: string;
  readonly reason: string;
  /** Blocks of the pack that cannot be read, as far as can be known. */
  readonly damagedBlocks: number;
  /** Those of them that no other pack holds whole: a backup that still has them must send them again. */
  readonly lostBlocks: number;
  /** Restore points that need what is lost. */
  readonly points: readonly string[];
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly packs: number;
  readonly blocks: number;
  readonly points: number;
  readonly bytesRead: number;
  readonly damaged: readonly Damage[];
  /** Known damage that costs nothing any more: its blocks were stored again, or no restore point needs them. */
  readonly settled: readonly Damage[];
  /** Blocks that were marked as damaged and are whole. */
  readonly soundAgainBlocks: number;
  /** Every damaged pack with its damaged blocks, settled or not. */
  readonly findings: readonly DamagedPack[];
  /** Files of marks that were there when the check began. */
  readonly knownMarks: readonly string[];
  /** Where sound packs hold damaged blocks. */
  readonly betterPlaces: readonly BlockPlace[];
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
  /** A damaged pack with blocks that are not marked yet, or that is not marked itself. */
  readonly onDamagedPack?: (pack: DamagedPack) => Promise<void>;
}

const readBytes = 4 * 1024 * 1024;

export async function verifyTenantFolder({
  tenantFolder,
  logger,
  isDeep = false,
  onProgress,
  signal,
  storage = new FolderStorage(tenantFolder),
  onDamagedPack,
}: VerifyOptions): Promise<VerifyResult> {
  const marks = await readDamageMarks(storage, logger);
  const names = await listPacks(storage);
  const present = new Set(names);
  const bad = new Map<string, BadPack>();
  let bytesRead = 0;
  let blocks = 0;
  let done = 0;
  let soundAgainBlocks = 0;
  const known = openCatalogue(tenantFolder);
  const note = async (name: string, pack: DamagedPack, reason: string): Promise<void> => {
    const { packId, ids } = pack;
    const isNew = !marks.hasPack(packId) || ids.some((id) => !marks.has(packId, id));
    bad.set(name, { ...pack, reason, isNew });
    logger.error('A pack is damaged', { pack: name, reason, blocks: ids.length, isNew });
    if (isNew) await onDamagedPack?.(pack);
  };
  try {
    for (const name of names) {
      signal?.throwIfAborted();
      const packId = packIdOf(name);
      const check = await checkPack(storage, name, {
        // A mark may come from a deep check: a checksum alone does not lift it.
        isDeepFor: (id) => isDeep || marks.has(packId, id),
        idsKnown: () => idsKnownIn(packId, known, marks),
      });
      bytesRead += check.bytesRead;
      blocks += check.blocks;
      if (check.reason !== undefined) {
        // Once untrue, always: also when the disk damages it afterwards it is not the disk that made it worthless.
        const untrue = new Set(check.untrue.map(keyOf));
        const untrueIds = check.lost.filter((id) => untrue.has(keyOf(id)) || marks.isUntrue(packId, id));
        await note(name, { packId, ids: check.lost, untrueIds }, check.reason);
      }
      const lost = new Set(check.lost.map(keyOf));
      soundAgainBlocks += marks.idsOf(packId).filter((id) => !lost.has(keyOf(id))).length;
      done += 1;
      onProgress?.({ packs: done, allPacks: names.length, bytesRead });
    }
    const markedPacks = [...marks.packs()].map(({ packId }) => packId);
    for (const packId of [...(known?.packIds() ?? []), ...markedPacks]) {
      const name = packName(packId);
      if (present.has(name) || bad.has(name) || (await storage.sizeBytes(name)) !== undefined) continue;
      await note(name, { packId, ids: idsKnownIn(packId, known, marks), untrueIds: [] }, 'it is missing');
    }
  } finally {
    known?.close();
  }
  const findings = [...bad.values()].map(({ packId, ids, untrueIds }) => ({ packId, ids, untrueIds }));

  // Points first: a session may go on committing meanwhile, and what a point needs is there before the point.
  const pointNames = (await storage.list('points')).filter((name) => name.endsWith('.manifest'));
  // A block that another pack holds whole is not lost.
  const catalogue = await catalogueFromPacks(storage, silentLogger, new DamageMarks(findings));
  const lostBlocks = new Map<string, string>();
  const betterPlaces: BlockPlace[] = [];
  for (const [name, { ids }] of bad) {
    for (const id of ids) {
      const place = catalogue.find(id);
      if (place === undefined || place.isMarked) lostBlocks.set(keyOf(id), name);
      else betterPlaces.push(place);
    }
  }
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
      if (reason !== undefined && !isGone) {
        damagedPoints.push({
          manifest: `points/${name}`,
          reason,
          damagedBlocks: 0,
          lostBlocks: 0,
          points: [pointId],
        });
      }
    }
  } finally {
    catalogue.close();
    await storage.close();
  }
  const damaged: Damage[] = [];
  const settled: Damage[] = [];
  for (const [name, { reason, ids, isNew }] of bad) {
    const points = [...(affected.get(name) ?? [])].sort();
    const lost = ids.filter((id) => lostBlocks.has(keyOf(id))).length;
    const damage = { pack: name, reason, damagedBlocks: ids.length, lostBlocks: lost, points };
    // What is found for the first time is told as damage, even when it costs nothing.
    (isNew || points.length > 0 ? damaged : settled).push(damage);
  }
  damaged.push(...damagedPoints);
  return {
    ok: damaged.length === 0,
    packs: names.length,
    blocks,
    points: pointNames.length,
    bytesRead,
    damaged,
    settled,
    soundAgainBlocks,
    findings,
    knownMarks: marks.names,
    betterPlaces,
  };
}

interface BadPack extends DamagedPack {
  readonly reason: string;
  /** Some of it is not marked. */
  readonly isNew: boolean;
}

function packIdOf(name: string): Buffer {
  return Buffer.from(name.slice(-'.pack'.length - 32, -'.pack'.length), 'hex');
}

/** What the pack is known to have held: by the catalogue, and by marks that outlive it. */
function idsKnownIn(packId: Buffer, known: Catalogue | undefined, marks: DamageMarks): Buffer[] {
  const ids = new Map<string, Buffer>();
  for (const id of [...(known?.blocksInPack(packId) ?? []), ...marks.idsOf(packId)]) ids.set(keyOf(id), id);
  return [...ids.values()];
}

function keyOf(id: Buffer): string {
  return id.toString('latin1', 0, blockIdLengthBytes);
}

interface PackCheckOptions {
  /** Whether the block is to be unpacked and compared with its identifier. */
  readonly isDeepFor: (id: Buffer) => boolean;
  readonly idsKnown: () => Buffer[];
}

interface PackCheck {
  readonly reason: string | undefined;
  readonly lost: readonly Buffer[];
  /** Those of them that lie there as they were taken in. */
  readonly untrue: readonly Buffer[];
  readonly blocks: number;
  readonly bytesRead: number;
}

/** Reads the pack once from start to end, in large pieces, and holds every block against the index, its header and its checksum. */
async function checkPack(
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
    const { code, message } = toFarkeepError(error, 'storage.io');
    if (code !== 'storage.damaged' && code !== 'storage.io') throw error;
    return withoutIndex(storage, name, message, { isDeepFor, idsKnown });
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
    if (isDeep) decodeBlockSync({ ...block, stored });
    return undefined;
  } catch (error) {
    const { code, message } = toFarkeepError(error, 'storage.io');
    return { reason: message, isUntrue: code === 'restore.mismatch' };
  }
}

/** What can be found of a pack without its index; what is lost of it is known only from elsewhere. */
async function withoutIndex(
  storage: Storage,
  name: string,
  reason: string,
  { isDeepFor, idsKnown }: PackCheckOptions,
): Promise<PackCheck> {
  const scan = await scanPack(storage, name);
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
    decodeBlockSync({ ...block, stored });
    return true;
  } catch (error) {
    const { code } = toFarkeepError(error, 'storage.io');
    if (code !== 'restore.mismatch' && code !== 'storage.io') throw error;
    return false;
  }
}

/** The catalogue file, if it can be read, to say what a damaged pack held. Everything else is checked without it. */
function openCatalogue(tenantFolder: string): Catalogue | undefined {
  const file = path.join(tenantFolder, catalogueFile);
  if (!existsSync(file)) return undefined;
  try {
    return new Catalogue(file, 'read');
  } catch {
    return undefined; // missing or damaged: it is only a cache
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
