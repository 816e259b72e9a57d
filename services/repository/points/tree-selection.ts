// Owns selecting a part of a tree: the entries below the chosen paths and the folders above them. If a hard link is chosen but its first
// name is not, the link gets the file's content.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { splitPath } from './tree-position.ts';
import type { FileEntry, ManifestItem } from './tree-entry.ts';

const slashByte = 0x2f;

/** Whether `path` is `folder` or lies below it. */
export function isAtOrBelow(path: Buffer, folder: Buffer): boolean {
  if (folder.length === 0) return true;
  if (path.length < folder.length || Buffer.compare(path.subarray(0, folder.length), folder) !== 0) return false;
  return path.length === folder.length || path[folder.length] === slashByte;
}

/**
 * Yields the items of the chosen paths in order, as a valid tree without an end mark. Reads the manifest twice: if a hard link is chosen
 * but its first name is not, the link becomes a file.
 *
 * @param readItems starts reading the manifest from the beginning
 * @param paths raw bytes without leading "/"; an empty list or an empty path chooses everything
 */
export async function* selectTree(
  readItems: () => AsyncIterable<ManifestItem>,
  paths: readonly Buffer[],
): AsyncGenerator<ManifestItem, void, undefined> {
  for (const path of paths) splitPath(path);
  if (paths.length === 0 || paths.some((path) => path.length === 0)) {
    yield* readItems();
    return;
  }
  const isChosen = (path: Buffer): boolean => paths.some((chosen) => isAtOrBelow(path, chosen));
  const leadsToChosen = (path: Buffer): boolean => paths.some((chosen) => isAtOrBelow(chosen, path));

  const found = new Set<Buffer>();
  const wanted = await findLinkedElsewhere(readItems(), (path) => {
    if (!isChosen(path)) return false;
    for (const chosen of paths) if (path.equals(chosen)) found.add(chosen);
    return true;
  });
  const missing = paths.filter((path) => !found.has(path));
  if (missing.length > 0) {
    throw new FarkeepError(
      'call.not-found',
      `The restore point does not hold ${missing.map((path) => path.toString('utf8')).join(', ')}`,
    );
  }
  yield* chooseItems(readItems(), { isChosen, leadsToChosen }, wanted);
}

/** Returns the paths (latin1) of files that are not chosen although a hard link to them is. Calls `isChosen` for every entry. */
export async function findLinkedElsewhere(
  items: AsyncIterable<ManifestItem>,
  isChosen: (path: Buffer) => boolean,
): Promise<Set<string>> {
  const wanted = new Set<string>();
  for await (const item of items) {
    if (item.type !== 'entry' || !isChosen(item.entry.path) || item.entry.kind !== 'hardlink') continue;
    if (!isChosen(item.entry.target)) wanted.add(item.entry.target.toString('latin1'));
  }
  return wanted;
}

/**
 * Yields the chosen items in order. The first chosen hard link to a wanted file becomes a file, and further links point to it.
 *
 * @param wanted the result of `findLinkedElsewhere`; may be empty
 */
export async function* chooseItems(
  items: AsyncIterable<ManifestItem>,
  choice: {
    readonly isChosen: (path: Buffer) => boolean;
    /**
     * Whether a chosen path lies below this folder. Such a folder is included. If `leadsToChosen` is absent, no such folder is included.
     */
    readonly leadsToChosen?: (path: Buffer) => boolean;
  },
  wanted: ReadonlySet<string>,
): AsyncGenerator<ManifestItem, void, undefined> {
  const kept = new Map<string, { file: FileEntry; rest: ManifestItem[] }>();
  const firstNames = new Map<string, Buffer>();
  let current: 'pass' | 'drop' | ManifestItem[] = 'drop';
  for await (const item of items) {
    if (item.type !== 'entry') {
      if (current === 'pass') yield item;
      else if (current !== 'drop') current.push(item);
      continue;
    }
    const { entry } = item;
    current = 'drop';
    if (choice.isChosen(entry.path)) {
      if (entry.kind === 'hardlink' && wanted.has(entry.target.toString('latin1'))) {
        yield* asFile(entry, kept, firstNames);
        continue;
      }
      current = 'pass';
      yield item;
    } else if (entry.kind === 'folder' && choice.leadsToChosen?.(entry.path) === true) {
      yield item;
    } else if (entry.kind === 'file' && wanted.size > 0 && wanted.has(entry.path.toString('latin1'))) {
      const rest: ManifestItem[] = [];
      kept.set(entry.path.toString('latin1'), { file: entry, rest });
      current = rest;
    }
  }
}

function* asFile(
  link: Extract<ManifestItem, { type: 'entry' }>['entry'] & { readonly kind: 'hardlink' },
  kept: ReadonlyMap<string, { file: FileEntry; rest: ManifestItem[] }>,
  firstNames: Map<string, Buffer>,
): Generator<ManifestItem, void, undefined> {
  const key = link.target.toString('latin1');
  const firstName = firstNames.get(key);
  if (firstName !== undefined) {
    yield { type: 'entry', entry: { ...link, target: firstName } };
    return;
  }
  const content = kept.get(key);
  // The link's target is not a file. The link is passed on unchanged, and the tree writer reports it.
  if (content === undefined) {
    yield { type: 'entry', entry: link };
    return;
  }
  firstNames.set(key, link.path);
  yield { type: 'entry', entry: { ...content.file, path: link.path } };
  yield* content.rest;
}
