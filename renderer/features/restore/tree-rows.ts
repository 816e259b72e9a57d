// Owns the conversion of the opened folders of a restore point into rows. Pure.
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';
import type { LeftOutRows } from '../../../services/contracts/row-list.ts';

export interface FolderContent {
  readonly state: 'loading' | 'ready' | 'failed';
  readonly entries: readonly PointEntry[];
  readonly isTruncated: boolean;
  readonly message: string;
  readonly leftOut: readonly LeftOutRows[];
}

export type TreeNote = 'loading' | 'failed' | 'empty' | 'nothing-shown' | 'truncated';

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
      readonly note: TreeNote;
      readonly message: string;
    };

/** The root folder is "". */
export function treeRows(folders: Folders, expanded: ReadonlySet<string>, path = '', level = 1): readonly TreeRow[] {
  const content = folders.get(path);
  const note = (name: TreeNote, message = ''): TreeRow => ({
    kind: 'note',
    key: `${path}\u0000${name}`,
    level,
    note: name,
    message,
  });
  if (content === undefined || content.state === 'loading') return [note('loading')];
  if (content.state === 'failed') return [note('failed', content.message)];
  if (content.entries.length === 0) return [note(content.leftOut.length === 0 ? 'empty' : 'nothing-shown')];
  const rows = content.entries.flatMap((entry): readonly TreeRow[] => {
    const isExpanded = entry.kind === 'folder' && expanded.has(entry.path);
    const row: TreeRow = { kind: 'entry', key: entry.path, level, entry, isExpanded };
    return isExpanded ? [row, ...treeRows(folders, expanded, entry.path, level + 1)] : [row];
  });
  return content.isTruncated ? [...rows, note('truncated')] : rows;
}
