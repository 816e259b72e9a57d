// Owns the table of every page: sort, widths, selection of one row, keyboard. Draws only visible rows, so that 10,000 rows scroll smoothly.
import { mergeClasses } from '@fluentui/react-components';
import { ArrowSortDown16Filled, ArrowSortUp16Filled } from '@fluentui/react-icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useId, useMemo, useRef } from 'react';
import type { KeyboardEvent, MouseEvent, ReactNode } from 'react';
import { ColumnHandle } from './column-handle.tsx';
import { headHeight, noteHeight, useDataTableStyles } from './data-table-styles.ts';
import { columnTracks, rowAfterKey, toggleSort, visibleRows } from './table-model.ts';
import type { TableColumnModel } from './table-model.ts';
import { useTableLook } from './use-table-look.ts';

export interface TableColumn<T> extends TableColumnModel<T> {
  readonly title: string;
  /** A CSS grid track, such as "minmax(160px, 2fr)". */
  readonly width: string;
  readonly isNumeric?: boolean;
  /** The column is hidden while the details pane is open, because the pane also shows the value. */
  readonly isSecondary?: boolean;
  readonly cell: (row: T) => ReactNode;
}

interface DataTableProps<T> {
  readonly label: string;
  /** The key under which sort and widths are stored. Without this key the table starts with the defaults every time. */
  readonly tableId?: string;
  readonly columns: readonly TableColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly selectedKey: string | null;
  readonly onSelect: (key: string | null) => void;
  /** Called for Enter or a double click. */
  readonly onOpen?: (row: T) => void;
  readonly search?: string;
  /** Shown in place of rows if there are none. */
  readonly empty: ReactNode;
  readonly isRowDisabled?: (row: T) => boolean;
  /** One more line across the whole row, such as the reason why the row cannot be chosen. */
  readonly noteOf?: (row: T) => string | null;
  readonly rowHeight?: number;
  readonly isCompact?: boolean;
}

/** A cell that is too narrow for its text shows the whole text on hover. */
function tellWhole({ currentTarget: cell }: MouseEvent<HTMLElement>): void {
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText;
  else cell.removeAttribute('title');
}

export function DataTable<T>({
  label,
  tableId,
  columns: allColumns,
  rows,
  rowKey,
  selectedKey,
  onSelect,
  onOpen,
  search = '',
  empty,
  isRowDisabled,
  noteOf,
  rowHeight = 36,
  isCompact = false,
}: DataTableProps<T>): ReactNode {
  const styles = useDataTableStyles();
  const baseId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [{ sort, widths }, setLook] = useTableLook(tableId);
  const shown = useMemo(() => visibleRows(rows, allColumns, search, sort), [rows, allColumns, search, sort]);
  const virtualizer = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      const row = shown[index];
      return row !== undefined && noteOf !== undefined && noteOf(row) !== null ? rowHeight + noteHeight : rowHeight;
    },
    overscan: 12,
    // The head is inside the scrolling box. Rows begin below the head, and no row may scroll behind the head.
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    getItemKey: (index) => {
      const row = shown[index];
      return row === undefined ? index : rowKey(row);
    },
  });
  const columns = isCompact ? allColumns.filter(({ isSecondary }) => isSecondary !== true) : allColumns;
  const gridTemplateColumns = columnTracks(columns, widths);
  const setWidth = (columnId: string, width: number | null): void => {
    const { [columnId]: _former, ...others } = widths;
    setLook({ widths: width === null ? others : { ...others, [columnId]: width } });
  };
  const selectedIndex = selectedKey === null ? -1 : shown.findIndex((row) => rowKey(row) === selectedKey);
  const items = virtualizer.getVirtualItems();
  const isSelectedDrawn = items.some(({ index }) => index === selectedIndex);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const selected = shown[selectedIndex];
    if (event.key === 'Enter' && selected !== undefined && onOpen !== undefined) {
      event.preventDefault();
      onOpen(selected);
      return;
    }
    const pageSize = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 400) - headHeight) / rowHeight) - 1);
    const next = rowAfterKey(event.key, selectedIndex, shown.length, pageSize);
    const row = next === null ? undefined : shown[next];
    if (next === null || row === undefined) return;
    event.preventDefault();
    onSelect(rowKey(row));
    virtualizer.scrollToIndex(next);
  };

  return (
    <div
      role="grid"
      aria-label={label}
      aria-rowcount={shown.length + 1}
      tabIndex={0}
      aria-activedescendant={isSelectedDrawn ? `${baseId}-${selectedIndex}` : undefined}
      className={styles.grid}
      ref={scroller}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" aria-rowindex={1} className={styles.headRow} style={{ gridTemplateColumns }}>
          {columns.map((column, index) => (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={
                sort?.columnId === column.id ? sort.direction : column.sortBy === undefined ? undefined : 'none'
              }
              className={mergeClasses(styles.headCell, column.isNumeric === true && styles.numeric)}
            >
              {column.sortBy === undefined ? (
                column.title
              ) : (
                <button
                  type="button"
                  className={styles.sortButton}
                  onClick={() => setLook({ sort: toggleSort(sort, column.id) })}
                >
                  {column.title}
                  {sort?.columnId === column.id &&
                    (sort.direction === 'ascending' ? (
                      <ArrowSortUp16Filled aria-hidden />
                    ) : (
                      <ArrowSortDown16Filled aria-hidden />
                    ))}
                </button>
              )}
              {tableId !== undefined && index < columns.length - 1 && (
                <ColumnHandle
                  title={column.title}
                  width={widths[column.id]}
                  onWidth={(width) => setWidth(column.id, width)}
                />
              )}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles.rows}>
        {shown.length === 0 ? (
          <div role="row" className={styles.emptyRow}>
            <div role="gridcell" className={styles.emptyCell}>
              {empty}
            </div>
          </div>
        ) : (
          <div role="presentation" className={styles.canvas} style={{ height: virtualizer.getTotalSize() }}>
            {items.map((item) => {
              const row = shown[item.index];
              if (row === undefined) return null;
              const key = rowKey(row);
              const isDisabled = isRowDisabled?.(row) === true;
              const note = noteOf?.(row) ?? null;
              return (
                <div
                  key={item.key}
                  id={`${baseId}-${item.index}`}
                  role="row"
                  aria-rowindex={item.index + 2}
                  aria-selected={key === selectedKey}
                  aria-disabled={isDisabled || undefined}
                  className={mergeClasses(
                    styles.row,
                    key === selectedKey && styles.selectedRow,
                    isDisabled && styles.disabledRow,
                  )}
                  style={{
                    gridTemplateColumns,
                    height: item.size,
                    transform: `translateY(${item.start - headHeight}px)`,
                  }}
                  onClick={() => onSelect(key)}
                  onDoubleClick={() => onOpen?.(row)}
                >
                  {columns.map((column) => (
                    <div
                      key={column.id}
                      role="gridcell"
                      className={mergeClasses(styles.cell, column.isNumeric === true && styles.numeric)}
                      onMouseEnter={tellWhole}
                    >
                      {column.cell(row)}
                    </div>
                  ))}
                  {note !== null && (
                    <div role="gridcell" aria-colspan={columns.length} className={styles.note} onMouseEnter={tellWhole}>
                      {note}
                    </div>
                  )}
                </div>
              );
            })}
          </div>
        )}
      </div>
    </div>
  );
}
