import { describe, expect, it } from 'vitest';
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';
import { checkStateOf, toggleItem } from './item-selection.ts';
import { treeRows } from './tree-rows.ts';
import type { FolderContent } from './tree-rows.ts';

describe('ticking items', () => {
  it('includes everything in a ticked folder', () => {
    const selection = toggleItem(new Set(), 'Documents');
    expect(checkStateOf(selection, 'Documents')).toBe('checked');
    expect(checkStateOf(selection, 'Documents/2026/report.odt')).toBe('included');
    expect(checkStateOf(selection, 'Documents2')).toBe('unchecked');
    expect(toggleItem(selection, 'Documents/2026/report.odt')).toBe(selection);
  });

  it('shows a folder as mixed, and replaces the ticks inside a newly ticked folder', () => {
    const some = toggleItem(toggleItem(new Set(), 'a/b/c'), 'a/d');
    expect(checkStateOf(some, 'a')).toBe('mixed');
    expect(checkStateOf(some, 'a/b')).toBe('mixed');
    expect([...toggleItem(some, 'a')]).toEqual(['a']);
  });

  it('removes a tick', () => expect(toggleItem(new Set(['a']), 'a').size).toBe(0));
});

describe('the tree', () => {
  const entry = (path: string, kind: PointEntry['kind']): PointEntry => ({
    name: path.split('/').at(-1) ?? '',
    path,
    kind,
    sizeBytes: null,
    modifiedAt: '2026-11-20T08:00:00.000Z',
    hasWarning: false,
  });
  const ready = (entries: readonly PointEntry[], isTruncated = false): FolderContent => ({
    state: 'ready',
    entries,
    isTruncated,
    message: '',
    leftOut: [],
  });

  it('does not call a folder empty when its content cannot be shown', () => {
    const lost = { ...ready([]), leftOut: [{ list: 'entries', count: 2, names: ['a', 'b'] }] };
    expect(treeRows(new Map([['', lost]]), new Set())).toMatchObject([{ note: 'nothing-shown' }]);
  });

  it('shows opened folders in place, and shows whether one is empty, cut, loading or unreadable', () => {
    const folders = new Map<string, FolderContent>([
      ['', ready([entry('a', 'folder'), entry('b', 'folder'), entry('c', 'folder'), entry('d.txt', 'file')], true)],
      ['a', ready([entry('a/x', 'file')])],
      ['b', ready([])],
      ['c', { state: 'failed', entries: [], isTruncated: false, message: 'no', leftOut: [] }],
    ]);
    const rows = treeRows(folders, new Set(['a', 'b', 'c']));
    expect(rows.map((row) => `${row.level} ${row.kind === 'entry' ? row.entry.path : row.note}`)).toEqual([
      '1 a',
      '2 a/x',
      '1 b',
      '2 empty',
      '1 c',
      '2 failed',
      '1 d.txt',
      '1 truncated',
    ]);
    expect(treeRows(new Map(), new Set())).toMatchObject([{ kind: 'note', note: 'loading' }]);
  });

  it('gives every row a key of its own', () => {
    const folders = new Map<string, FolderContent>([
      ['', ready([entry('a', 'folder')], true)],
      ['a', ready([], true)],
    ]);
    const keys = treeRows(folders, new Set(['a'])).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
