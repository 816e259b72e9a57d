// Owns the points domain of the tenant service. Trees come from saved manifests: opening a folder must not use the network.
import type { DomainHandlers } from '../../contracts/contract.ts';
import type { PointEntry } from '../../contracts/models/tenant.ts';
import type { pointsDomain } from '../../contracts/rpc/points.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { openSavedManifest } from '../../mover/source/restore/saved-manifest.ts';
import { showPath } from '../../mover/source/walk/path-text.ts';
import { TreeIndex } from '../../repository/points/tree-index.ts';
import type { TreeEntry } from '../../repository/points/tree-entry.ts';
import { checkDestination } from '../sessions/restore-destination.ts';
import type { Points } from '../sessions/points.ts';
import { parseShownPath } from '../sessions/shown-path.ts';

const maxEntries = 10_000;
const maxFound = 1000;

export function pointHandlers(points: Points): DomainHandlers<typeof pointsDomain> {
  return {
    list: (_input, { signal }) => points.list(signal),
    delete: ({ pointId }, { signal }) => points.delete(pointId, signal),
    listFolder: async ({ pointId, path }, { signal }) => {
      await using manifest = await openSavedManifest(await points.tree(pointId, signal));
      const { entries, isCut } = await new TreeIndex(manifest).list(parseShownPath(path), { limit: maxEntries });
      return { entries: entries.map(toPointEntry), isTruncated: isCut };
    },
    find: async ({ pointId, text }, { signal }) => {
      await using manifest = await openSavedManifest(await points.tree(pointId, signal));
      const wanted = text.toLowerCase();
      const found: PointEntry[] = [];
      const isMatch = (entry: TreeEntry): boolean => nameOf(entry).toLowerCase().includes(wanted);
      for await (const entry of new TreeIndex(manifest).search(isMatch, maxFound + 1)) {
        if (signal.aborted) throw new FarkeepError('call.canceled');
        found.push(toPointEntry(entry));
      }
      return { entries: found.slice(0, maxFound), isTruncated: found.length > maxFound };
    },
    restore: async ({ pointId, paths, destination, overwrite }, { signal }) => {
      await checkDestination(destination);
      return points.restore(pointId, { paths, destination, overwrite }, signal);
    },
  };
}

const kinds: Record<TreeEntry['kind'], PointEntry['kind']> = {
  file: 'file',
  hardlink: 'file',
  folder: 'folder',
  symlink: 'symlink',
  special: 'other',
};

function toPointEntry(entry: TreeEntry): PointEntry {
  return {
    name: nameOf(entry),
    path: showPath(entry.path),
    kind: kinds[entry.kind],
    sizeBytes: entry.kind === 'file' && !entry.isContinued ? entry.sizeBytes : null,
    modifiedAt: new Date(clampedMs(entry.mtimeNs)).toISOString(),
    hasWarning: entry.isChangedWhileRead || entry.isUnreadable,
  };
}

function nameOf({ path }: TreeEntry): string {
  return showPath(path.subarray(path.lastIndexOf(0x2f) + 1));
}

/** JavaScript dates end at 8.64e15 ms, and a file's time can be later. */
function clampedMs(ns: bigint): number {
  const limit = 8_640_000_000_000_000n;
  const ms = ns / 1_000_000n;
  // The contract needs four-digit years: its times are ISO 8601 in the plain form.
  const last = 253_402_300_799_999n;
  const bounded = ms > last ? last : ms < -62_135_596_800_000n ? -62_135_596_800_000n : ms;
  return Number(bounded > limit ? limit : bounded);
}
