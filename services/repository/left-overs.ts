// Owns what is done about an unclean end: packs that a dead writer was writing, and packs that the catalogue has not heard of.
// Never touches anything of a writer that lives (writer-lock.ts decides that).
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Catalogue } from './catalogue.ts';
import type { DamageMarks } from './damage-marks.ts';
import {
  encodeBlockHeader,
  encodePackEnd,
  encodePackHeader,
  packHeaderBytes,
  packName,
  type PackBlock,
} from './pack-format.ts';
import { readPackIndex, scanPack } from './pack-reader.ts';
import type { Storage } from './storage.ts';

interface LeftOverOptions {
  readonly storage: Storage;
  readonly catalogue: Catalogue;
  readonly logger: Logger;
}

/**
 * Turns the whole blocks of a dead writer's unfinished packs into finished packs, so that the next attempt need not send them
 * again, and removes everything else of that writer.
 */
export async function reuseLeftOverPacks({
  storage,
  catalogue,
  folder,
  logger,
}: LeftOverOptions & { readonly folder: string }): Promise<{ readonly reusedBlocks: number }> {
  let reusedBlocks = 0;
  for (const entry of await storage.list(folder)) {
    const name = `${folder}/${entry}`;
    try {
      if (entry.endsWith('.tmp')) reusedBlocks += await reuse(storage, catalogue, folder, name);
    } catch (error) {
      logger.warn('A left-over pack cannot be reused and is removed', {
        pack: entry,
        error: toFarkeepError(error, 'storage.io').message,
      });
    }
    await storage.remove(name);
  }
  await storage.removeFolder(folder);
  if (reusedBlocks > 0) logger.info('Blocks of an interrupted session are reused', { blocks: reusedBlocks });
  return { reusedBlocks };
}

async function reuse(storage: Storage, catalogue: Catalogue, folder: string, name: string): Promise<number> {
  const scan = await scanPack(storage, name);
  const wanted = scan.blocks.filter((block) => !catalogue.has(block.id));
  if (wanted.length === 0) return 0;
  const temporaryName = `${folder}/${scan.packId.toString('hex')}.reuse`;
  await storage.remove(temporaryName);
  const output = await storage.create(temporaryName);
  const blocks: PackBlock[] = [];
  let offset = packHeaderBytes;
  try {
    await output.append([encodePackHeader({ packId: scan.packId, createdAtMs: scan.createdAtMs ?? 0 })]);
    for (const block of wanted) {
      const stored = Buffer.allocUnsafeSlow(block.storedLength);
      await storage.readRange(name, block.offset, stored);
      const blockHeader = encodeBlockHeader(block);
      await output.append([blockHeader, stored]);
      blocks.push({ ...block, offset: offset + blockHeader.length });
      offset += blockHeader.length + stored.length;
    }
    const end = encodePackEnd(scan.packId, blocks, offset);
    await output.append([end]);
    offset += end.length;
    await output.sync();
  } finally {
    await output.close();
  }
  const finalName = packName(scan.packId);
  await storage.rename(temporaryName, finalName);
  await storage.sync(finalName.slice(0, finalName.lastIndexOf('/')));
  catalogue.addPack(scan.packId, offset, blocks);
  return blocks.length;
}

export async function listPacks(storage: Storage): Promise<string[]> {
  const names: string[] = [];
  for (const folder of await storage.list('packs')) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await storage.list(`packs/${folder}`)) {
      if (/^[0-9a-f]{32}\.pack$/.test(name)) names.push(`packs/${folder}/${name}`);
    }
  }
  return names;
}

/**
 * After an unclean end: makes packs known that are in their place but not in the catalogue, and forgets those that are gone.
 * A damaged pack is left for verify to report.
 */
export async function compareCatalogueWithPacks({
  storage,
  catalogue,
  marks,
  logger,
}: LeftOverOptions & { readonly marks: DamageMarks }): Promise<{ readonly added: number; readonly damaged: string[] }> {
  const known = new Map<string, Buffer>();
  for (const packId of catalogue.packIds()) known.set(packName(packId), packId);
  let added = 0;
  const damaged: string[] = [];
  for (const name of await listPacks(storage)) {
    if (known.delete(name)) continue;
    try {
      const pack = await readPackIndex(storage, name);
      catalogue.addPack(pack.packId, pack.sizeBytes, pack.blocks, { marks });
      added += 1;
    } catch (error) {
      const { code, message } = toFarkeepError(error, 'storage.io');
      if (code !== 'storage.damaged') throw error;
      damaged.push(name);
      logger.error('A pack cannot be added to the catalogue', { pack: name, error: message });
    }
  }
  for (const [name, packId] of known) {
    // Another session may have added it since the folder was listed.
    if ((await storage.sizeBytes(name)) !== undefined) continue;
    logger.error('A pack of the catalogue is gone; its blocks are taken in again when they are offered', {
      pack: name,
    });
    catalogue.removePack(packId);
  }
  if (added > 0) logger.info('Packs were added to the catalogue', { packs: added });
  return { added, damaged };
}
