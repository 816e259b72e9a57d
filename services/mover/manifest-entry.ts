// Owns the step from what was found on disk to what a manifest says of it.
import type { BigIntStats } from 'node:fs';
import type { SpecialKind } from '../repository/special-files.ts';
import type { ManifestItem, TreeEntry } from '../repository/tree-entry.ts';
import { maxContentReferencesPerItem } from '../repository/tree-entry.ts';
import { packedReferenceBytes, unpackContent } from './content-list.ts';
import type { OwnerNames } from './owner-names.ts';
import type { ScannedEntry } from './tree-scanner.ts';

type EntryBase = Pick<
  TreeEntry,
  'path' | 'mode' | 'owner' | 'mtimeNs' | 'isChangedWhileRead' | 'isUnreadable' | 'extendedAttributes'
>;

export interface ReadContent {
  /** Packed (content-list.ts). */
  readonly content: Buffer;
  readonly sizeBytes: number;
  readonly isChanged: boolean;
  readonly isUnreadable: boolean;
}

export function plainEntry({ treePath, stats }: ScannedEntry, owners: OwnerNames): EntryBase {
  const [uid, gid] = [Number(stats.uid), Number(stats.gid)];
  return {
    path: treePath,
    mode: Number(stats.mode) & 0o7777,
    owner: { uid, gid, userName: owners.user(uid), groupName: owners.group(gid) },
    mtimeNs: stats.mtimeNs,
    isChangedWhileRead: false,
    isUnreadable: false,
    extendedAttributes: [],
  };
}

/** The items of one entry; a file with very much content takes several, so that no list of it is ever whole in memory as objects. */
export function* entryItems(
  base: EntryBase,
  entry: ScannedEntry,
  read: ReadContent | undefined,
): Generator<ManifestItem, void, undefined> {
  const { stats, linkTarget } = entry;
  if (!stats.isFile()) {
    yield { type: 'entry', entry: otherEntry(base, entry) };
    return;
  }
  if (linkTarget !== undefined) {
    yield { type: 'entry', entry: { ...base, kind: 'hardlink', target: linkTarget } };
    return;
  }
  const { content, sizeBytes, isChanged, isUnreadable } = read ?? {
    content: Buffer.alloc(0),
    sizeBytes: 0,
    isChanged: false,
    isUnreadable: true,
  };
  const stepBytes = maxContentReferencesPerItem * packedReferenceBytes;
  const isContinued = content.length > stepBytes;
  yield {
    type: 'entry',
    entry: {
      ...base,
      kind: 'file',
      sizeBytes,
      content: [...unpackContent(content.subarray(0, stepBytes))],
      isContinued,
      isChangedWhileRead: isChanged,
      isUnreadable,
    },
  };
  if (!isContinued) return;
  for (let at = stepBytes; at < content.length; at += stepBytes) {
    yield { type: 'content', content: [...unpackContent(content.subarray(at, at + stepBytes))] };
  }
  yield { type: 'file-end', sizeBytes, isChangedWhileRead: isChanged, isUnreadable };
}

/** Undefined for files, folders and links. */
export function specialKindOf(stats: BigIntStats): SpecialKind | undefined {
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  if (stats.isCharacterDevice()) return 'character-device';
  return stats.isBlockDevice() ? 'block-device' : undefined;
}

function otherEntry(base: EntryBase, { stats, linkTarget }: ScannedEntry): TreeEntry {
  if (stats.isDirectory()) return { ...base, kind: 'folder' };
  if (stats.isSymbolicLink()) return { ...base, kind: 'symlink', target: linkTarget ?? Buffer.alloc(0) };
  const special = specialKindOf(stats) ?? 'block-device';
  const device = Number(stats.rdev);
  // Linux packs the numbers as 12:20 bits over 32 bits (makedev(3)).
  const deviceMajor = (device >>> 8) & 0xfff;
  const deviceMinor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return { ...base, kind: 'special', special, deviceMajor, deviceMinor };
}
