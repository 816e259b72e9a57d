// Owns the common parts of all list pages: loading, failure, search and filter without a match, empty list, table, commands and details.
import { Button, Spinner, Tooltip, makeStyles } from '@fluentui/react-components';
import { Search32Regular, TableSettings20Regular, Warning32Regular } from '@fluentui/react-icons';
import { useId, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { Loaded } from '../../platform/mirror/mirror-state.ts';
import { useNavigation } from '../../platform/navigation-store.ts';
import { useService } from '../../platform/use-mirror.ts';
import { ColumnMenu } from './column-menu.tsx';
import { CommandBar } from './command-bar.tsx';
import { DataTable } from './data-table.tsx';
import type { MenuPlace, TableColumn } from './data-table.tsx';
import { FilterMenu } from './filter-menu.tsx';
import { commandForKey } from './list-command.ts';
import type { ListCommand } from './list-command.ts';
import { chooseFilter, filterRows, useListFilters } from './list-filter.ts';
import type { ListFilter } from './list-filter.ts';
import { RowMenu } from './row-menu.tsx';
import { noSelection, selectOne } from './selection.ts';
import type { Selection } from './selection.ts';
import { visibleRows } from './table-model.ts';
import { useTableLook } from './use-table-look.ts';
import { EmptyState } from '../empty-state.tsx';
import { ErrorView } from '../error-view.tsx';
import { LeftOutNotice } from '../left-out-notice.tsx';
import type { LeftOutNoticeProps } from '../left-out-notice.tsx';
import type { LeftOutKind } from '../left-out-text.ts';
import { PageFrame } from '../page-frame.tsx';

const useStyles = makeStyles({
  center: { display: 'flex', flexGrow: 1, alignItems: 'center', justifyContent: 'center' },
});

interface ListPageProps<T> {
  readonly title: string;
  /** What the rows are, for the number of rows beside the title. */
  readonly kind: LeftOutKind;
  readonly loaded: Loaded;
  readonly onRetry: () => void;
  readonly columns: readonly TableColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly commands: readonly ListCommand<T>[];
  readonly filters?: readonly ListFilter<T>[];
  /** Drawn while exactly one row is selected. */
  readonly details?: (selected: T, close: () => void) => ReactNode;
  /** Rows that the list cannot show. */
  readonly leftOut: LeftOutNoticeProps;
  readonly notices?: ReactNode;
  readonly empty: ReactNode;
}

interface OpenMenu {
  readonly kind: 'rows' | 'columns' | 'columns-button';
  readonly place: MenuPlace;
}

export function ListPage<T>({
  title,
  kind,
  loaded,
  onRetry,
  columns,
  rows,
  rowKey,
  commands,
  filters = [],
  details,
  leftOut,
  notices,
  empty,
}: ListPageProps<T>): ReactNode {
  const t = useText();
  const styles = useStyles();
  // The key contains the page, because provider and tenant both have a list "Sessions".
  const tableId = useNavigation(({ route }) => route.page);
  const look = useTableLook(tableId);
  const [search, setSearch] = useState('');
  const chosenId = useListFilters(({ chosen }) => chosen[tableId] ?? null);
  const chosen = filters.find(({ id }) => id === chosenId);
  const [selection, setSelection] = useState<Selection>(() => {
    const { itemId } = useNavigation.getState();
    return itemId === null ? noSelection : selectOne(itemId);
  });
  const [menu, setMenu] = useState<OpenMenu | null>(null);
  const table = useRef<HTMLDivElement>(null);
  const boxId = useId();
  const columnPlace = useRef<HTMLSpanElement>(null);
  const found = useMemo(
    () => visibleRows(filterRows(rows, filters, chosenId), columns, search, null),
    [rows, filters, chosenId, columns, search],
  );
  // A command never changes a row that the person does not see.
  const selected = useMemo(
    () => (selection.keys.size === 0 ? [] : found.filter((row) => selection.keys.has(rowKey(row)))),
    [found, selection.keys, rowKey],
  );
  const [only] = selected.length === 1 ? selected : [];
  const role = useNavigation(({ route }) => (route.page.startsWith('provider/') ? 'provider' : 'tenant'));
  const isDown = ['failed', 'stopped'].includes(useService(role)?.state ?? '');
  const isWaiting = rows.length === 0 && (loaded.load === 'waiting' || loaded.load === 'loading');
  const closeDetails = (): void => {
    setSelection(({ current }) => ({ ...noSelection, anchor: current, current }));
    document.getElementById(boxId)?.focus();
  };
  const showAll = (): void => {
    setSearch('');
    chooseFilter(tableId, null);
  };
  const runKey = (key: string): boolean => {
    const command = commandForKey(commands, key, selected);
    command?.run(selected);
    return command !== undefined;
  };
  const noMatch = (
    <EmptyState
      icon={<Search32Regular />}
      title={
        chosen === undefined
          ? t('table.noMatch', { text: search })
          : search === ''
            ? t('list.noMatch.filter', { filter: chosen.label })
            : t('list.noMatch.both', { text: search, filter: chosen.label })
      }
      text={t(chosen === undefined ? 'table.noMatchHint' : 'list.noMatch.hint')}
      action={{ label: t(chosen === undefined ? 'table.clear' : 'list.showAll'), run: showAll }}
    />
  );
  const openColumns = (): void => {
    const button = columnPlace.current?.getBoundingClientRect();
    if (button !== undefined) setMenu({ kind: 'columns-button', place: { x: button.left, y: button.bottom } });
  };
  const count =
    rows.length === 0
      ? ''
      : found.length < rows.length
        ? t('list.shown', { shown: found.length, total: rows.length })
        : t(`leftOut.what.${kind}`, { count: rows.length });
  return (
    <PageFrame
      title={title}
      subtitle={count}
      selectedCount={selected.length === 0 ? '' : t('list.selected', { count: selected.length })}
      commands={<CommandBar commands={commands} selected={selected} />}
      search={{ label: t('table.search', { what: title.toLowerCase() }), text: search, onChange: setSearch }}
      tools={
        <>
          {filters.length > 0 && (
            <FilterMenu
              filters={filters}
              rows={rows}
              chosen={chosen}
              onChoose={(filterId) => chooseFilter(tableId, filterId)}
            />
          )}
          <span ref={columnPlace}>
            <Tooltip content={t('list.columns')} relationship="label">
              <Button
                appearance="subtle"
                icon={<TableSettings20Regular />}
                aria-haspopup="menu"
                aria-expanded={menu?.kind === 'columns-button'}
                onClick={openColumns}
              />
            </Tooltip>
          </span>
          {menu?.kind === 'rows' && (
            <RowMenu
              label={title}
              commands={commands}
              selected={selected}
              place={menu.place}
              table={table}
              onRefresh={onRetry}
              onClose={() => setMenu(null)}
            />
          )}
          {menu !== null && menu.kind !== 'rows' && (
            <ColumnMenu
              columns={columns}
              look={look}
              place={menu.place}
              owner={menu.kind === 'columns-button' ? columnPlace : table}
              onClose={() => setMenu(null)}
            />
          )}
        </>
      }
      onRefresh={onRetry}
      notices={
        <>
          {loaded.loadError !== null && (
            <ErrorView error={loaded.loadError} action={{ label: t('word.retry'), run: onRetry }} />
          )}
          <LeftOutNotice {...leftOut} />
          {notices}
        </>
      }
      details={only === undefined ? undefined : details?.(only, closeDetails)}
    >
      {isWaiting && isDown ? (
        <EmptyState
          icon={<Warning32Regular />}
          title={t('list.down.title', { service: t(`role.${role}.service`) })}
          text={t('list.down.text')}
        />
      ) : isWaiting ? (
        <div className={styles.center}>
          <Spinner label={t('word.loading')} />
        </div>
      ) : rows.length === 0 ? (
        leftOut.leftOut.some(({ list }) => list in leftOut.lists) ? (
          <EmptyState icon={<Warning32Regular />} title={t('leftOut.none.title')} text={t('leftOut.none.text')} />
        ) : (
          empty
        )
      ) : (
        <DataTable
          label={title}
          id={boxId}
          look={look}
          columns={columns}
          rows={found}
          rowKey={rowKey}
          selection={selection}
          onSelection={setSelection}
          onKey={runKey}
          onOpen={() => runKey('Enter')}
          onMenu={(place) => setMenu({ kind: 'rows', place })}
          onHeadMenu={(place) => setMenu({ kind: 'columns', place })}
          empty={noMatch}
          box={table}
        />
      )}
    </PageFrame>
  );
}
