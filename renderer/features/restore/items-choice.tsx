// Owns choosing entries of a restore point: ticked in the tree, or in the results of a search in the whole point.
import { SearchBox, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import { useText } from '../../i18n/use-text.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { useCall } from '../../ui/use-call.ts';
import type { Selection } from './item-selection.ts';
import { ItemsTree } from './items-tree.tsx';
import { treeRows } from './tree-rows.ts';
import type { TreeRow } from './tree-rows.ts';
import type { PointTree } from './use-point-tree.ts';

const searchDelayMs = 300;

const useStyles = makeStyles({
  line: { display: 'flex', alignItems: 'center', gap: '12px' },
  search: { flexGrow: 1, maxWidth: 'none' },
  count: { color: tokens.colorNeutralForeground2, whiteSpace: 'nowrap' },
  error: { color: tokens.colorPaletteRedForeground1 },
});

interface ItemsChoiceProps {
  readonly tree: PointTree;
  readonly selection: Selection;
  readonly onSelection: (selection: Selection) => void;
  readonly error?: string | undefined;
}

export function ItemsChoice({ tree, selection, onSelection, error }: ItemsChoiceProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [search, setSearch] = useState('');
  const [answer, setAnswer] = useState<{
    readonly entries: readonly PointEntry[];
    readonly isTruncated: boolean;
  } | null>(null);
  const { run, error: findError } = useCall();
  const { find, folders, expanded, open, close } = tree;
  const needsRoot = folders.get('') === undefined;
  useEffect(() => {
    if (needsRoot) open('');
  }, [needsRoot, open]);
  useEffect(() => {
    const text = search.trim();
    if (text === '') return undefined;
    let isOld = false;
    const timer = setTimeout(() => {
      void run(async () => {
        const entries = await find(text);
        // If the user typed other text during the search, this answer is old. The new text starts its own search.
        if (!isOld) setAnswer(entries);
      });
    }, searchDelayMs);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [search, find, run]);

  const found = search.trim() === '' ? null : answer;
  const rows = useMemo((): readonly TreeRow[] => {
    if (found === null) return treeRows(folders, expanded);
    return found.entries.map((entry) => ({ kind: 'entry', key: entry.path, level: 1, entry, isExpanded: false }));
  }, [found, folders, expanded]);
  const leftOut = found === null ? [...folders.values()].flatMap((folder) => folder.leftOut) : leftOutOfAnswer(found);
  const searchNote = found === null ? '' : t('restoreWizard.items.found', { count: found.entries.length });
  const truncated = found?.isTruncated === true ? t('restoreWizard.items.truncated') : '';

  return (
    <>
      <div className={styles.line}>
        <SearchBox
          className={styles.search}
          aria-label={t('restoreWizard.items.search')}
          placeholder={t('word.search')}
          value={search}
          onChange={(_event, data) => setSearch(data.value)}
        />
        <span className={styles.count} role="status">
          {searchNote} {truncated} {t('restoreWizard.items.selected', { count: selection.size })}
          {error !== undefined && <span className={styles.error}> {error}</span>}
        </span>
      </div>
      {findError !== null && <ErrorView error={findError} />}
      <LeftOutNotice leftOut={leftOut} lists={{ entries: 'items' }} />
      <ItemsTree
        rows={rows}
        selection={selection}
        onSelection={onSelection}
        onOpen={open}
        onClose={close}
        isPathShown={found !== null}
      />
    </>
  );
}
