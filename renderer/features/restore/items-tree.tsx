// Owns the tree of a restore point with check boxes. It loads folders when they open, draws only visible rows, and works with the keyboard.
import { Button, Checkbox, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import {
  ChevronDown16Regular,
  ChevronRight16Regular,
  Document20Regular,
  Folder20Regular,
  Link20Regular,
  Warning16Filled,
} from '@fluentui/react-icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useId, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import type { PointEntry } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { formatBytes } from '../../platform/format.ts';
import { rowAfterKey } from '../../ui/table/table-model.ts';
import { checkStateOf, toggleItem } from './item-selection.ts';
import type { Selection } from './item-selection.ts';
import type { TreeRow } from './tree-rows.ts';

const rowHeight = 32;
const indentPixels = 20;

const useStyles = makeStyles({
  tree: {
    flexGrow: 1,
    minHeight: '180px',
    overflowY: 'auto',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    outlineStyle: 'none',
    ':focus-visible': { boxShadow: `inset 0 0 0 2px ${tokens.colorStrokeFocus2}` },
  },
  canvas: { position: 'relative', width: '100%' },
  row: {
    position: 'absolute',
    top: 0,
    left: 0,
    width: '100%',
    height: `${rowHeight}px`,
    display: 'flex',
    alignItems: 'center',
    gap: '4px',
    paddingRight: '12px',
  },
  active: { backgroundColor: tokens.colorBrandBackground2 },
  twisty: { width: '24px', minWidth: '24px', height: '24px', padding: 0 },
  icon: { display: 'inline-flex', color: tokens.colorNeutralForeground3 },
  size: {
    marginLeft: 'auto',
    color: tokens.colorNeutralForeground3,
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
  },
  name: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  note: { color: tokens.colorNeutralForeground3 },
  warning: { color: tokens.colorPaletteDarkOrangeForeground1, display: 'inline-flex' },
});

interface ItemsTreeProps {
  readonly rows: readonly TreeRow[];
  readonly selection: Selection;
  readonly onSelection: (selection: Selection) => void;
  readonly onOpen: (path: string) => void;
  readonly onClose: (path: string) => void;
  /** Search results show the folder of each entry. */
  readonly isPathShown?: boolean;
}

export function ItemsTree({
  rows,
  selection,
  onSelection,
  onOpen,
  onClose,
  isPathShown = false,
}: ItemsTreeProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const baseId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  const activeIndex = Math.min(active, Math.max(0, rows.length - 1));
  const items = virtualizer.getVirtualItems();

  const goTo = (index: number): void => {
    setActive(index);
    virtualizer.scrollToIndex(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[activeIndex];
    const next = rowAfterKey(event.key, activeIndex, rows.length, 8);
    if (next !== null) goTo(next);
    else if (row?.kind !== 'entry') return;
    else if (event.key === ' ') onSelection(toggleItem(selection, row.entry.path));
    else if (event.key === 'ArrowRight' && row.entry.kind === 'folder' && !row.isExpanded) onOpen(row.entry.path);
    else if (event.key === 'ArrowRight' && row.isExpanded) goTo(activeIndex + 1);
    else if (event.key === 'ArrowLeft' && row.isExpanded) onClose(row.entry.path);
    else if (event.key === 'ArrowLeft') {
      const parent = rows.findLastIndex((other, index) => index < activeIndex && other.level < row.level);
      if (parent !== -1) goTo(parent);
    } else return;
    event.preventDefault();
  };

  return (
    <div
      role="tree"
      aria-label={t('restoreWizard.items.tree')}
      aria-multiselectable
      aria-activedescendant={items.some(({ index }) => index === activeIndex) ? `${baseId}-${activeIndex}` : undefined}
      tabIndex={0}
      ref={scroller}
      className={styles.tree}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" className={styles.canvas} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const isActive = index === activeIndex;
          const state = row.kind === 'entry' ? checkStateOf(selection, row.entry.path) : null;
          return (
            <div
              key={row.key}
              id={`${baseId}-${index}`}
              role="treeitem"
              aria-label={row.kind === 'entry' ? nameOf(row.entry, isPathShown, t) : undefined}
              aria-level={row.level}
              aria-expanded={row.kind === 'entry' && row.entry.kind === 'folder' ? row.isExpanded : undefined}
              aria-selected={isActive}
              aria-checked={state === null ? undefined : state === 'mixed' ? 'mixed' : state !== 'unchecked'}
              className={mergeClasses(styles.row, isActive && styles.active)}
              style={{ transform: `translateY(${start}px)`, paddingLeft: 6 + (row.level - 1) * indentPixels }}
              onClick={() => setActive(index)}
            >
              {row.kind === 'note' ? (
                <NoteText row={row} />
              ) : (
                <EntryRow
                  entry={row.entry}
                  isExpanded={row.isExpanded}
                  isPathShown={isPathShown}
                  checked={state === 'mixed' ? 'mixed' : state !== 'unchecked'}
                  isIncluded={state === 'included'}
                  onToggle={() => onSelection(toggleItem(selection, row.entry.path))}
                  onTwist={() => (row.isExpanded ? onClose(row.entry.path) : onOpen(row.entry.path))}
                />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Returns the accessible name of a row. Without this name a screen reader reads the name three times: button, check box and text. */
function nameOf({ name, path, sizeBytes, hasWarning }: PointEntry, isPathShown: boolean, t: TextFunction): string {
  return [
    isPathShown ? path : name,
    ...(sizeBytes === null ? [] : [formatBytes(sizeBytes)]),
    ...(hasWarning ? [t('restoreWizard.items.warning')] : []),
  ].join(', ');
}

function NoteText({ row }: { readonly row: Extract<TreeRow, { readonly kind: 'note' }> }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const texts = {
    loading: t('word.loading'),
    failed: row.message,
    empty: t('restoreWizard.items.empty'),
    'nothing-shown': t('leftOut.none.title'),
    truncated: t('restoreWizard.items.truncated'),
  };
  return <span className={styles.note}>{texts[row.note]}</span>;
}

interface EntryRowProps {
  readonly entry: PointEntry;
  readonly isExpanded: boolean;
  readonly isPathShown: boolean;
  readonly checked: boolean | 'mixed';
  /** Whether the entry is included because a folder above it is ticked. */
  readonly isIncluded: boolean;
  readonly onToggle: () => void;
  readonly onTwist: () => void;
}

function EntryRow({
  entry,
  isExpanded,
  isPathShown,
  checked,
  isIncluded,
  onToggle,
  onTwist,
}: EntryRowProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { name, path, kind, sizeBytes, hasWarning } = entry;
  return (
    <>
      {kind === 'folder' && !isPathShown ? (
        <Button
          appearance="transparent"
          className={styles.twisty}
          tabIndex={-1}
          aria-label={t(isExpanded ? 'restoreWizard.items.collapse' : 'restoreWizard.items.expand', { name })}
          icon={isExpanded ? <ChevronDown16Regular /> : <ChevronRight16Regular />}
          onClick={onTwist}
        />
      ) : (
        <span className={styles.twisty} />
      )}
      <Checkbox
        checked={checked}
        disabled={isIncluded}
        aria-label={isPathShown ? path : name}
        input={{ tabIndex: -1 }}
        onChange={onToggle}
      />
      <span className={styles.icon} aria-hidden>
        {kind === 'folder' ? <Folder20Regular /> : kind === 'symlink' ? <Link20Regular /> : <Document20Regular />}
      </span>
      <span className={styles.name} title={path}>
        {isPathShown ? path : name}
      </span>
      {hasWarning && (
        <span className={styles.warning} title={t('restoreWizard.items.warning')}>
          <Warning16Filled aria-hidden />
          <span className="visually-hidden">{t('restoreWizard.items.warning')}</span>
        </span>
      )}
      {/* Not drawn. Separates name and size for programs that read the text. */ ' '}
      <span className={styles.size}>{sizeBytes === null ? '' : formatBytes(sizeBytes)}</span>
    </>
  );
}
