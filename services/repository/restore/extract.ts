// Owns extracting a restore point from a tenant's folder without a service, a network or a catalogue.
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import { readManifest } from '../points/manifest.ts';
import { decodePointRoot } from '../points/point-root.ts';
import type { PointRoot } from '../points/point-root-fields.ts';
import { manifestContents } from '../points/point-walk.ts';
import type { TenantPlace } from '../store/tenant-place.ts';
import { TenantStore } from '../store/tenant-store.ts';
import { restoreTree, type RestoreProgress } from './tree-restore.ts';
import { selectTree } from '../points/tree-selection.ts';
import { TreeWriter, type OverwriteRule, type RestoreResult } from './tree-writer.ts';
import type { ManifestItem } from '../points/tree-entry.ts';

export interface ExtractOptions {
  /** May be on a read-only disk. */
  readonly place: TenantPlace;
  readonly pointId: string;
  readonly to: string;
  /** Paths as raw bytes, relative to the top; empty for everything. */
  readonly paths?: readonly Buffer[];
  readonly overwrite?: OverwriteRule;
  readonly logger?: Logger;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Extracts the point. Checks every block against its identifier. Problems of single files are in the result. Throws when the point itself
 * cannot be read.
 */
export async function extractPoint({
  place,
  pointId,
  to,
  paths = [],
  overwrite = 'never',
  logger = silentLogger,
  onProgress,
  signal,
}: ExtractOptions): Promise<RestoreResult & { readonly root: PointRoot }> {
  await using store = await TenantStore.open({ place, mode: 'read', logger });
  const root = decodePointRoot(await store.readPointRoot(pointId), pointId);
  const readItems = (): AsyncIterable<ManifestItem> => readManifest(manifestContents(root, store));
  const writer = TreeWriter.open({ destination: to, overwrite });
  try {
    await restoreTree({
      items: selectTree(readItems, paths),
      writer,
      blocks: store,
      chain: root.jobId,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    await writer.finish(false); // Removes partial files before the error is passed on.
    throw error;
  }
  return { ...(await writer.finish()), root };
}
