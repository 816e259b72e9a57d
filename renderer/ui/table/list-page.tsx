// Owns the common parts of all list pages: loading, failure, search without a match, empty list, table and details.
import { Spinner, makeStyles } from '@fluentui/react-components';
import { Search32Regular, Warning32Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { Loaded } from '../../platform/mirror/mirror-state.ts';
import { useNavigation } from '../../platform/navigation-store.ts';
import { DataTable } from './data-table.tsx';
import type { TableColumn } from './data-table.tsx';
import { EmptyState } from '../empty-state.tsx';
import { ErrorView } from '../error-view.tsx';
import { LeftOutNotice } from '../left-out-notice.tsx';
import type { LeftOutNoticeProps } from '../left-out-notice.tsx';
import { PageFrame } from '../page-frame.tsx';

const useStyles = makeStyles({
  center: { display: 'flex', flexGrow: 1, alignItems: 'center', justifyContent: 'center' },
});

interface ListPageProps<T> {
  readonly title: string;
  readonly subtitle?: string;
  readonly loaded: Loaded;
  readonly onRetry: () => void;
  readonly columns: readonly TableColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly commands: (selected: T | null) => ReactNode;
  readonly details?: (selected: T, close: () => void) => ReactNode;
  readonly onOpen?: (row: T) => void;
  /** Rows that the list cannot show. */
  readonly leftOut: LeftOutNoticeProps;
  readonly notices?: ReactNode;
  readonly empty: ReactNode;
}

export function ListPage<T>({
  title,
  subtitle,
  loaded,
  onRetry,
  columns,
  rows,
  rowKey,
  commands,
  details,
  onOpen,
  leftOut,
  notices,
  empty,
}: ListPageProps<T>): ReactNode {
  const t = useText();
  const styles = useStyles();
  // The key contains the page, because provider and tenant both have a list "Sessions".
  const tableId = useNavigation(({ route }) => route.page);
  const [search, setSearch] = useState('');
  const [selectedKey, setSelectedKey] = useState<string | null>(null);
  const selected = rows.find((row) => rowKey(row) === selectedKey) ?? null;
  const isWaiting = rows.length === 0 && (loaded.load === 'waiting' || loaded.load === 'loading');
  const noMatch = (
    <EmptyState
      icon={<Search32Regular />}
      title={t('table.noMatch', { text: search })}
      text={t('table.noMatchHint')}
      action={{ label: t('table.clear'), run: () => setSearch('') }}
    />
  );
  return (
    <PageFrame
      title={title}
      {...(subtitle === undefined ? {} : { subtitle })}
      commands={commands(selected)}
      search={{ label: t('table.search', { what: title.toLowerCase() }), text: search, onChange: setSearch }}
      notices={
        <>
          {loaded.loadError !== null && (
            <ErrorView error={loaded.loadError} action={{ label: t('word.retry'), run: onRetry }} />
          )}
          <LeftOutNotice {...leftOut} />
          {notices}
        </>
      }
      details={selected === null ? undefined : details?.(selected, () => setSelectedKey(null))}
    >
      {isWaiting ? (
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
          key={tableId}
          label={title}
          tableId={tableId}
          columns={columns}
          rows={rows}
          rowKey={rowKey}
          selectedKey={selectedKey}
          onSelect={setSelectedKey}
          search={search}
          empty={noMatch}
          isCompact={selected !== null && details !== undefined}
          {...(onOpen === undefined ? {} : { onOpen })}
        />
      )}
    </PageFrame>
  );
}
