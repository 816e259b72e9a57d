// Owns the table of every page: sort, widths, selection, keyboard. Draws only visible rows, so that 10,000 rows scroll smoothly.
import { mergeClasses } from '@fluentui/react-components';
import { ArrowSortDown16Filled, ArrowSortUp16Filled } from '@fluentui/react-icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, MouseEvent, ReactNode, RefObject } from 'react';
import { ColumnHandle } from './column-handle.tsx';
import { minTableWidth, shownColumns } from './column-look.ts';
import { headHeight, noteHeight, useDataTableStyles } from './data-table-styles.ts';
import { moveCurrent, noSelection, selectAll, selectOne, selectWith, toggleKey } from './selection.ts';
import type { Selection } from './selection.ts';
import { columnTracks, rowAfterKey, toggleSort, visibleRows } from './table-model.ts';
import type { TableColumnModel } from './table-model.ts';
import { useTableLook } from './use-table-look.ts';
import type { TableLookState } from './use-table-look.ts';

export interface TableColumn<T> extends TableColumnModel<T> {
  readonly title: string;
  /** A CSS grid track, such as "minmax(160px, 2fr)". */
  readonly width: string;
  readonly isNumeric?: boolean;
  readonly cell: (row: T) => ReactNode;
}

/** A place in the window, such as that of the pointer. */
export interface MenuPlace {
  readonly x: number;
  readonly y: number;
}

interface DataTableProps<T> {
  readonly label: string;
  /** The identifier of the element that gets the focus of the table. */
  readonly id?: string;
  /** Sort, widths and hidden columns. Without this the table starts with the defaults every time, and its columns keep their widths. */
  readonly look?: TableLookState;
  readonly columns: readonly TableColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** For a table in which one row can be selected. */
  readonly selectedKey?: string | null;
  readonly onSelect?: (key: string | null) => void;
  /** For a table in which several rows can be selected. */
  readonly selection?: Selection;
  readonly onSelection?: (selection: Selection) => void;
  /** Called for Enter or a double click. */
  readonly onOpen?: (row: T) => void;
  /** Called for other keys of the table; true if the key did something. */
  readonly onKey?: (key: string) => boolean;
  /** The context menu of the selected rows, or of the place beside the rows. */
  readonly onMenu?: (place: MenuPlace) => void;
  readonly onHeadMenu?: (place: MenuPlace) => void;
  readonly search?: string;
  /** Shown in place of rows if there are none. */
  readonly empty: ReactNode;
  readonly isRowDisabled?: (row: T) => boolean;
  /** One more line across the whole row, such as the reason why the row cannot be chosen. */
  readonly noteOf?: (row: T) => string | null;
  readonly rowHeight?: number;
  /** The element that gets the focus of the table. */
  readonly box?: RefObject<HTMLDivElement | null>;
}

/** A cell that is too narrow for its text shows the whole text on hover. */
function tellWhole({ currentTarget: cell }: MouseEvent<HTMLElement>): void {
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText;
  else cell.removeAttribute('title');
}

const rangeOnly = { isRange: true, isToggle: false } as const;

/** A key press of the menu key, also as Shift+F10. */
function isMenuKey({ key, shiftKey }: KeyboardEvent): boolean {
  return key === 'ContextMenu' || (key === 'F10' && shiftKey);
}

export function DataTable<T>({
  label,
  id,
  look,
  columns: allColumns,
  rows,
  rowKey,
  selectedKey = null,
  onSelect,
  selection: givenSelection,
  onSelection,
  onOpen,
  onKey,
  onMenu,
  onHeadMenu,
  search = '',
  empty,
  isRowDisabled,
  noteOf,
  rowHeight = 36,
  box,
}: DataTableProps<T>): ReactNode {
  const styles = useDataTableStyles();
  const baseId = useId();
  const ownBox = useRef<HTMLDivElement>(null);
  const scroller = box ?? ownBox;
  const ownLook = useTableLook(undefined);
  const [{ sort, widths, hidden = [] }, setLook] = look ?? ownLook;
  const shown = useMemo(() => visibleRows(rows, allColumns, search, sort), [rows, allColumns, search, sort]);
  const order = useMemo(() => shown.map(rowKey), [shown, rowKey]);
  const isMulti = onSelection !== undefined;
  const selection = givenSelection ?? (selectedKey === null ? noSelection : selectOne(selectedKey));
  const select = (next: Selection): void => {
    if (onSelection === undefined) onSelect?.(next.current);
    else onSelection(next);
  };
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
  const columns = shownColumns(allColumns, hidden);
  const gridTemplateColumns = columnTracks(columns, widths);
  const minWidth = minTableWidth(columns, widths);
  const setWidth = (columnId: string, width: number | null): void => {
    const { [columnId]: _former, ...others } = widths;
    setLook({ widths: width === null ? others : { ...others, [columnId]: width } });
  };
  const { current: currentKey } = selection;
  const currentIndex = useMemo(() => (currentKey === null ? -1 : order.indexOf(currentKey)), [order, currentKey]);
  const [hasKeyboard, setKeyboard] = useState(false);
  // If the row with the focus is removed, the keyboard continues from its place.
  const lastIndex = useRef(-1);
  useEffect(() => {
    if (currentIndex !== -1) lastIndex.current = currentIndex;
  }, [currentIndex]);
  const items = virtualizer.getVirtualItems();
  const isCurrentDrawn = items.some(({ index }) => index === currentIndex);

  const openMenuAtRow = (): void => {
    const place = (document.getElementById(`${baseId}-${currentIndex}`) ?? scroller.current)?.getBoundingClientRect();
    if (place !== undefined) onMenu?.({ x: place.left + 24, y: place.top + Math.min(place.height, rowHeight) });
  };
  const onSelectionKey = (event: KeyboardEvent): boolean => {
    const hasControl = event.ctrlKey || event.metaKey;
    if (hasControl && event.key.toLowerCase() === 'a') select(selectAll(selection, order));
    else if (event.key === ' ' && selection.current !== null) select(toggleKey(selection, selection.current));
    else if (event.key === 'Escape' && selection.keys.size > 0)
      select({ ...noSelection, anchor: selection.current, current: selection.current });
    else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.altKey) return;
    // From now on the row that the keyboard is on has a ring, also after a click.
    setKeyboard(true);
    if (onMenu !== undefined && isMenuKey(event)) {
      event.preventDefault();
      openMenuAtRow();
      return;
    }
    if ((isMulti && onSelectionKey(event)) || onKey?.(event.key) === true) {
      event.preventDefault();
      return;
    }
    const current = shown[currentIndex];
    if (event.key === 'Enter' && current !== undefined && onOpen !== undefined) {
      event.preventDefault();
      onOpen(current);
      return;
    }
    const pageSize = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 400) - headHeight) / rowHeight) - 1);
    const isGone = currentIndex === -1 && selection.current !== null;
    const from = isGone ? lastIndex.current - (event.key === 'ArrowDown' ? 1 : 0) : currentIndex;
    const next = rowAfterKey(event.key, from, shown.length, pageSize);
    const key = next === null ? undefined : order[next];
    if (next === null || key === undefined) return;
    event.preventDefault();
    if (isMulti && (event.ctrlKey || event.metaKey) && !event.shiftKey) select(moveCurrent(selection, key));
    else select(isMulti && event.shiftKey ? selectWith(selection, key, order, rangeOnly) : selectOne(key));
    virtualizer.scrollToIndex(next);
  };
  const onRowClick = (event: MouseEvent, key: string): void => {
    const isToggle = event.ctrlKey || event.metaKey;
    select(isMulti ? selectWith(selection, key, order, { isRange: event.shiftKey, isToggle }) : selectOne(key));
  };
  const onMouseDown = (event: MouseEvent): void => {
    setKeyboard(false);
    // Without this, Shift would select text from the earlier click on.
    if (!isMulti || !event.shiftKey) return;
    event.preventDefault();
    scroller.current?.focus();
  };
  const onContextMenu = (event: MouseEvent<HTMLElement>): void => {
    if (onMenu === undefined) return;
    event.preventDefault();
    // The menu key of some systems also sends this event, without a button.
    if (event.button !== 2) {
      openMenuAtRow();
      return;
    }
    const head = event.target instanceof Element ? event.target.closest('[role="columnheader"]') : null;
    const place = { x: event.clientX, y: event.clientY };
    if (head !== null) onHeadMenu?.(place);
    else onMenu(place);
  };

  return (
    <div className={styles.frame}>
      <div
        role="grid"
        id={id}
        aria-label={label}
        aria-rowcount={shown.length + 1}
        aria-multiselectable={isMulti || undefined}
        tabIndex={0}
        aria-activedescendant={isCurrentDrawn ? `${baseId}-${currentIndex}` : undefined}
        className={styles.grid}
        ref={scroller}
        onKeyDown={onKeyDown}
        onMouseDown={onMouseDown}
        onFocus={({ currentTarget }) => currentTarget.matches(':focus-visible') && setKeyboard(true)}
        onBlur={() => setKeyboard(false)}
        onContextMenu={onContextMenu}
      >
        <div role="rowgroup" className={styles.head} style={{ minWidth }}>
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
                  <span className={styles.headTitle}>{column.title}</span>
                ) : (
                  <button
                    type="button"
                    className={styles.sortButton}
                    onClick={() => setLook({ sort: toggleSort(sort, column.id) })}
                  >
                    <span className={styles.headTitle}>{column.title}</span>
                    {sort?.columnId === column.id &&
                      (sort.direction === 'ascending' ? (
                        <ArrowSortUp16Filled aria-hidden />
                      ) : (
                        <ArrowSortDown16Filled aria-hidden />
                      ))}
                  </button>
                )}
                {look !== undefined && index < columns.length - 1 && (
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
            <div role="presentation" className={styles.canvas} style={{ height: virtualizer.getTotalSize(), minWidth }}>
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
                    aria-selected={selection.keys.has(key)}
                    aria-disabled={isDisabled || undefined}
                    className={mergeClasses(
                      styles.row,
                      selection.keys.has(key) && styles.selectedRow,
                      key === currentKey && hasKeyboard && styles.currentRow,
                      isDisabled && styles.disabledRow,
                    )}
                    style={{
                      gridTemplateColumns,
                      height: item.size,
                      transform: `translateY(${item.start - headHeight}px)`,
                    }}
                    onClick={(event) => onRowClick(event, key)}
                    onContextMenu={() => !selection.keys.has(key) && isMulti && select(selectOne(key))}
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
                      <div
                        role="gridcell"
                        aria-colspan={columns.length}
                        className={styles.note}
                        onMouseEnter={tellWhole}
                      >
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
    </div>
  );
}
