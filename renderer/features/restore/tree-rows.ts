// Owns flattening the opened folders of a restore point into rows. Pure.
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';

export interface FolderContent {
  readonly state: 'loading' | 'ready' | 'failed';
  readonly entries: readonly PointEntry[];
  readonly isTruncated: boolean;
  readonly message: string;
}

export type Folders = ReadonlyMap<string, FolderContent>;

export type TreeRow =
  | {
      readonly kind: 'entry';
      readonly key: string;
      readonly level: number;
      readonly entry: PointEntry;
      readonly isExpanded: boolean;
    }
  | {
      readonly kind: 'note';
      readonly key: string;
      readonly level: number;
      readonly note: 'loading' | 'failed' | 'empty' | 'truncated';
      readonly message: string;
    };

/** The root folder is "". */
export function treeRows(folders: Folders, expanded: ReadonlySet<string>, path = '', level = 1): readonly TreeRow[] {
  const content = folders.get(path);
  const note = (name: 'loading' | 'failed' | 'empty' | 'truncated', message = ''): TreeRow => ({
    kind: 'note',
    key: `${path}\u0000${name}`,
    level,
    note: name,
    message,
  });
  if (content === undefined || content.state === 'loading') return [note('loading')];
  if (content.state === 'failed') return [note('failed', content.message)];
  if (content.entries.length === 0) return [note('empty')];
  const rows = content.entries.flatMap((entry): readonly TreeRow[] => {
    const isExpanded = entry.kind === 'folder' && expanded.has(entry.path);
    const row: TreeRow = { kind: 'entry', key: entry.path, level, entry, isExpanded };
    return isExpanded ? [row, ...treeRows(folders, expanded, entry.path, level + 1)] : [row];
  });
  return content.isTruncated ? [...rows, note('truncated')] : rows;
}
