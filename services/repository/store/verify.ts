// Owns the complete check of a tenant's place, without keys. Reads only; verify-and-mark.ts marks the damage.
//
// for each pack: compare all bytes with its index and checksums
//   deep check, or block is marked: also unpack the block, compare its content with its identifier
//   report damaged blocks at once (onDamagedPack), so that a stopped check loses no findings
// for each pack in the catalogue or in marks that does not exist: all its blocks are damaged
// build a temporary catalogue from all packs; a damaged block that another pack holds intact is not lost
// for each restore point: look up its manifest's blocks and all blocks that the manifest names
//   a lost block: the point needs the damaged pack; an unknown block: the point is incomplete
// report new damage and damage that a point needs as "damaged", all other known damage as "settled"
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import type { BlockPlace, Catalogue } from './catalogue.ts';
import { damagedFolder, DamageMarks, readDamageMarks, type DamagedPack } from '../packs/damage-marks.ts';
import { isThere, listPacks } from './left-overs.ts';
import { packName } from '../packs/pack-format.ts';
import { isPointFile, pointIdOf } from '../points/point-root-fields.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import type { TenantPlace } from './tenant-place.ts';
import { checkPack, keyOf } from './verify-pack.ts';
import { checkPoint } from './verify-point.ts';

export interface Damage {
  /** The damaged file, by its name relative to the tenant folder. Exactly one of `pack` and `manifest` is set. */
  readonly pack?: string;
  readonly manifest?: string;
  readonly reason: string;
  /** Number of known unreadable blocks of the pack. */
  readonly damagedBlocks: number;
  /** Number of damaged blocks that no other pack holds intact. Only a backup that still has their content can send them again. */
  readonly lostBlocks: number;
  /** Restore points that need a lost block. */
  readonly points: readonly string[];
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly packs: number;
  readonly blocks: number;
  readonly points: number;
  readonly bytesRead: number;
  readonly damaged: readonly Damage[];
  /** Known damage without effect: its blocks were stored again, or no restore point needs them. */
  readonly settled: readonly Damage[];
  /** Number of blocks that are marked as damaged but intact. */
  readonly soundAgainBlocks: number;
  /** Every damaged pack with its damaged blocks, settled or not. */
  readonly findings: readonly DamagedPack[];
  /** Mark files that existed when the check began. */
  readonly knownMarks: readonly string[];
  /** Places of damaged blocks in intact packs. */
  readonly betterPlaces: readonly BlockPlace[];
}

export interface VerifyOptions {
  readonly place: TenantPlace;
  readonly logger: Logger;
  /**
   * Also unpacks every block and compares its content with its identifier. The deep check finds blocks that were already wrong when they
   * were received. It is slower.
   */
  readonly isDeep?: boolean;
  readonly onProgress?: (progress: {
    readonly packs: number;
    readonly allPacks: number;
    readonly bytesRead: number;
  }) => void;
  readonly signal?: AbortSignal;
  /** Called for each pack with new damage: damaged blocks without a mark, or a damaged pack without a mark. */
  readonly onDamagedPack?: (pack: DamagedPack) => Promise<void>;
}

export async function verifyPlace({
  place,
  logger,
  isDeep = false,
  onProgress,
  signal,
  onDamagedPack,
}: VerifyOptions): Promise<VerifyResult> {
  const { storage } = place;
  const damagedPoints: Damage[] = [];
  const damaged: Damage[] = [];
  const marks = await readDamageMarks(storage, logger).catch((error: unknown) => {
    damaged.push({ pack: damagedFolder, reason: storageReason(error), damagedBlocks: 0, lostBlocks: 0, points: [] });
    return new DamageMarks();
  });
  const names = await listPacks(storage, ({ name, reason }) => {
    logger.error('An entry in the folder of packs is not a pack', { name, reason });
    damaged.push({ pack: name, reason, damagedBlocks: 0, lostBlocks: 0, points: [] });
  });
  const present = new Set(names);
  const bad = new Map<string, BadPack>();
  let bytesRead = 0;
  let blocks = 0;
  let done = 0;
  let soundAgainBlocks = 0;
  // The old catalogue tells which blocks a damaged pack held. All other checks work without it.
  const known = place.catalogues.openForReading(logger);
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
        // A mark may come from a deep check, so a correct checksum alone must not remove it.
        isDeepFor: (id) => isDeep || marks.has(packId, id),
        idsKnown: () => idsKnownIn(packId, known, marks),
      });
      bytesRead += check.bytesRead;
      blocks += check.blocks;
      if (check.reason !== undefined) {
        // "Untrue" means that the content never matched the identifier. A block that was found untrue stays untrue, even if the disk
        // damages it later.
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
      if (present.has(name) || bad.has(name) || (await isThere(storage, name))) continue;
      await note(name, { packId, ids: idsKnownIn(packId, known, marks), untrueIds: [] }, 'it is missing');
    }
  } finally {
    known?.close();
  }
  const findings = [...bad.values()].map(({ packId, ids, untrueIds }) => ({ packId, ids, untrueIds }));

  // Lists the points before it builds the catalogue from the packs. A session may commit points during the check; their blocks are stored
  // before the point, so the catalogue has every block of a listed point.
  const inPoints = await storage.list('points').catch((error: unknown) => {
    damagedPoints.push(damagedPoint('points', storageReason(error), []));
    return [];
  });
  const pointNames = inPoints.filter(isPointFile);
  for (const name of inPoints.filter((each) => !isPointFile(each)))
    damagedPoints.push(damagedPoint(`points/${name}`, 'its name is not that of a restore point', []));
  // A block is not lost if another pack holds it intact.
  const catalogue = await catalogueFromPacks(place, silentLogger, new DamageMarks(findings));
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
  try {
    for (const name of pointNames) {
      signal?.throwIfAborted();
      const pointId = pointIdOf(name);
      const reason = await checkPoint({
        storage,
        pointId,
        catalogue,
        isLost: (id) => {
          const pack = lostBlocks.get(keyOf(id));
          if (pack === undefined) return false;
          affected.set(pack, (affected.get(pack) ?? new Set<string>()).add(pointId));
          return true;
        },
        signal,
      });
      if (reason !== undefined && (await isThere(storage, `points/${name}`)))
        damagedPoints.push(damagedPoint(`points/${name}`, reason, [pointId]));
    }
  } finally {
    catalogue.close();
    await storage.close();
  }
  const settled: Damage[] = [];
  for (const [name, { reason, ids, isNew }] of bad) {
    const points = [...(affected.get(name) ?? [])].sort();
    const lost = ids.filter((id) => lostBlocks.has(keyOf(id))).length;
    const damage = { pack: name, reason, damagedBlocks: ids.length, lostBlocks: lost, points };
    // New damage is always reported as damage, even if no restore point needs the blocks.
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

/** @throws errors that do not concern the disk */
function storageReason(error: unknown): string {
  const { code, message } = toFarkeepError(error, 'storage.io');
  if (!code.startsWith('storage.')) throw error;
  return message;
}

function damagedPoint(manifest: string, reason: string, points: readonly string[]): Damage {
  return { manifest, reason, damagedBlocks: 0, lostBlocks: 0, points };
}

interface BadPack extends DamagedPack {
  readonly reason: string;
  /** True if some of the damage is not marked yet. */
  readonly isNew: boolean;
}

function packIdOf(name: string): Buffer {
  return Buffer.from(name.slice(-'.pack'.length - 32, -'.pack'.length), 'hex');
}

/** Returns all known blocks of the pack: from the catalogue, and from marks, which remain when the catalogue is rebuilt. */
function idsKnownIn(packId: Buffer, known: Catalogue | undefined, marks: DamageMarks): Buffer[] {
  const ids = new Map<string, Buffer>();
  for (const id of [...(known?.blocksInPack(packId) ?? []), ...marks.idsOf(packId)]) ids.set(keyOf(id), id);
  return [...ids.values()];
}
