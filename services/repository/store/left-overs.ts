// Owns the cleanup after a crash: unfinished packs of dead writers, and packs that are missing in the catalogue. Never touches data of a
// living writer (writer-lease.ts shows which writers are alive).
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Catalogue } from './catalogue.ts';
import type { DamageMarks } from '../packs/damage-marks.ts';
import {
  encodeBlockHeader,
  encodePackEnd,
  encodePackHeader,
  packHeaderBytes,
  packName,
  type PackBlock,
} from '../packs/pack-format.ts';
import { readPackIndex, scanPack } from '../packs/pack-reader.ts';
import type { Storage } from '../storage/storage.ts';

interface LeftOverOptions {
  readonly storage: Storage;
  readonly catalogue: Catalogue;
  readonly logger: Logger;
}

/**
 * Turns complete blocks in a dead writer's unfinished packs into finished packs, so that the next attempt need not send them again. Removes
 * all other files of that writer. No link is followed, and a file that cannot be removed is named in the log: left-overs never prevent the
 * start of a session.
 */
export async function reuseLeftOverPacks({
  storage,
  catalogue,
  folder,
  logger,
}: LeftOverOptions & { readonly folder: string }): Promise<{ readonly reusedBlocks: number }> {
  let reusedBlocks = 0;
  const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      logger.warn('A left-over of an interrupted session cannot be removed and stays', {
        name,
        error: toFarkeepError(error, 'storage.io').message,
      });
    }
  };
  let entries: string[] = [];
  try {
    entries = await storage.list(folder);
  } catch (error) {
    const { code, message } = toFarkeepError(error, 'storage.io');
    logger.error('The left-over of a dead writer is not a folder', { folder, error: message });
    // For a link or a pipe, only the entry itself is removed, not its target.
    if (code === 'storage.damaged') await attempt(folder, () => storage.remove(folder));
    return { reusedBlocks };
  }
  for (const entry of entries) {
    const name = `${folder}/${entry}`;
    try {
      if (entry.endsWith('.tmp')) reusedBlocks += await reuse(storage, catalogue, folder, name);
    } catch (error) {
      logger.warn('A left-over pack cannot be reused and is removed', {
        pack: entry,
        error: toFarkeepError(error, 'storage.io').message,
      });
    }
    await attempt(name, () => storage.remove(name));
  }
  await attempt(folder, () => storage.removeFolder(folder));
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

/** An entry in a repository folder that is not a valid object. */
export interface OddName {
  /** Path relative to the tenant folder. */
  readonly name: string;
  readonly reason: string;
}

/** Names of all packs, sorted. Entries that are not packs, and unreadable folders, are reported and skipped. */
export async function listPacks(storage: Storage, onOdd: (odd: OddName) => void = () => undefined): Promise<string[]> {
  const names: string[] = [];
  let folders: string[] = [];
  try {
    folders = await storage.list('packs');
  } catch (error) {
    onOdd({ name: 'packs', reason: toFarkeepError(error, 'storage.io').message });
  }
  for (const folder of folders) {
    const inFolder = `packs/${folder}`;
    if (!/^[0-9a-f]{2}$/.test(folder)) {
      onOdd({ name: inFolder, reason: 'it does not have the name of a pack folder' });
      continue;
    }
    let entries: string[];
    try {
      entries = await storage.list(inFolder);
    } catch (error) {
      onOdd({ name: inFolder, reason: toFarkeepError(error, 'storage.io').message });
      continue;
    }
    for (const entry of entries) {
      const name = `${inFolder}/${entry}`;
      if (/^[0-9a-f]{32}\.pack$/.test(entry) && entry.startsWith(folder)) names.push(name);
      else onOdd({ name, reason: 'it does not have the name of a pack in this folder' });
    }
  }
  return names;
}

/**
 * Compares the catalogue with the packs after an unclean end: adds packs that are missing in the catalogue, and removes packs that no
 * longer exist. Damaged packs are left for verify to report.
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
      // The pack is damaged, is a pipe, or cannot be read for lack of permission. The other packs are not affected.
      damaged.push(name);
      const { message } = toFarkeepError(error, 'storage.io');
      logger.error('A pack cannot be added to the catalogue', { pack: name, error: message });
    }
  }
  for (const [name, packId] of known) {
    // Another session may have added this pack after the folder was listed.
    if (await isThere(storage, name)) continue;
    logger.error('A pack of the catalogue is gone; its blocks are taken in again when they are offered', {
      pack: name,
    });
    catalogue.removePack(packId);
  }
  if (added > 0) logger.info('Packs were added to the catalogue', { packs: added });
  return { added, damaged };
}

/** Whether an entry with this name exists; an entry that cannot be examined counts as existing. */
export async function isThere(storage: Storage, name: string): Promise<boolean> {
  try {
    return (await storage.sizeBytes(name)) !== undefined;
  } catch {
    return true;
  }
}
