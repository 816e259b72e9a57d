// Owns getting a restore point out of a tenant's folder with nothing but this code: no service, no network, no catalogue needed.
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
  /** Raw bytes, relative to the top; empty is everything. */
  readonly paths?: readonly Buffer[];
  readonly overwrite?: OverwriteRule;
  readonly logger?: Logger;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly signal?: AbortSignal;
}

/** Every block is checked against its identifier. Problems of single files are in the result; throws when the point itself cannot be read. */
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
    await writer.finish(false); // nothing half-written stays
    throw error;
  }
  return { ...(await writer.finish()), root };
}
