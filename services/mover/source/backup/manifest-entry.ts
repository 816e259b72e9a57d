// Owns converting entries from the disk to items of a manifest.
import type { SpecialKind } from '../../../repository/points/special-files.ts';
import { maxSeconds } from '../../../repository/points/manifest-format.ts';
import type { ManifestItem, TreeEntry } from '../../../repository/points/tree-entry.ts';
import { maxContentReferencesPerItem } from '../../../repository/points/tree-entry.ts';
import { packedReferenceBytes, unpackContent } from '../walk/content-list.ts';
import { isFile, kindOf, type FileStat } from '../walk/file-stat.ts';
import type { OwnerNames } from './owner-names.ts';
import { rawBytes, type RawText } from '../walk/source-disk.ts';

type EntryBase = Pick<
  TreeEntry,
  'path' | 'mode' | 'owner' | 'mtimeNs' | 'isChangedWhileRead' | 'isUnreadable' | 'extendedAttributes'
>;

/** The data of an entry in the manifest, without its content. */
export interface EntryFacts {
  readonly treePath: RawText;
  readonly stat: FileStat;
  /** For a symlink the target; for a hard link the earlier name of the file. */
  readonly linkTarget: RawText | undefined;
}

/** Whether a manifest can hold the time. */
export function hasTimeInBounds({ mtimeSeconds }: FileStat): boolean {
  return mtimeSeconds < maxSeconds && mtimeSeconds > -maxSeconds;
}

export interface ReadContent {
  /** Packed (content-list.ts). */
  readonly content: Buffer;
  readonly sizeBytes: number;
  readonly isChanged: boolean;
  readonly isUnreadable: boolean;
}

export function plainEntry({ treePath, stat }: EntryFacts, owners: OwnerNames): EntryBase {
  const { uid, gid } = stat;
  return {
    path: rawBytes(treePath),
    mode: stat.mode & 0o7777,
    owner: owners.owner(uid, gid),
    mtimeNs: hasTimeInBounds(stat) ? stat.mtimeNs : 0n,
    isChangedWhileRead: false,
    isUnreadable: false,
    extendedAttributes: [],
  };
}

/**
 * Yields the items of one entry. A file with very much content takes several items, so that its list is never completely in memory as
 * objects.
 */
export function* entryItems(
  base: EntryBase,
  entry: EntryFacts,
  read: ReadContent | undefined,
): Generator<ManifestItem, void, undefined> {
  const { stat, linkTarget } = entry;
  if (!isFile(stat)) {
    yield { type: 'entry', entry: otherEntry(base, entry) };
    return;
  }
  if (linkTarget !== undefined) {
    yield { type: 'entry', entry: { ...base, kind: 'hardlink', target: rawBytes(linkTarget) } };
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
      content: unpackContent(isContinued ? content.subarray(0, stepBytes) : content),
      isContinued,
      isChangedWhileRead: isChanged,
      isUnreadable,
    },
  };
  if (!isContinued) return;
  for (let at = stepBytes; at < content.length; at += stepBytes) {
    yield { type: 'content', content: unpackContent(content.subarray(at, at + stepBytes)) };
  }
  yield { type: 'file-end', sizeBytes, isChangedWhileRead: isChanged, isUnreadable };
}

/** Returns undefined for files, folders and links. */
export function specialKindOf(stat: FileStat): SpecialKind | undefined {
  const kind = kindOf(stat);
  return kind === 'file' || kind === 'folder' || kind === 'symlink' ? undefined : kind;
}

function otherEntry(base: EntryBase, { stat, linkTarget }: EntryFacts): TreeEntry {
  const special = specialKindOf(stat);
  if (special === undefined) {
    const target = linkTarget === undefined ? undefined : rawBytes(linkTarget);
    return target === undefined ? { ...base, kind: 'folder' } : { ...base, kind: 'symlink', target };
  }
  const device = stat.rdev;
  // Linux packs the numbers as 12:20 bits over 32 bits (makedev(3)).
  const deviceMajor = (device >>> 8) & 0xfff;
  const deviceMinor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return { ...base, kind: 'special', special, deviceMajor, deviceMinor };
}
