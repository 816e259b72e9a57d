// Owns how the table looks: light lines, a clear selection, aligned figures.
import { makeStyles, tokens } from '@fluentui/react-components';

/** In pixels. The keyboard code needs it to compute how many rows fit on a page. */
export const headHeight = 34;
/** In pixels, of the additional line of a row. */
export const noteHeight = 20;

export const useDataTableStyles = makeStyles({
  // The ring of the focus is a layer above the table. Rows and heads would cover a ring of the table itself.
  frame: {
    position: 'relative',
    display: 'flex',
    flexGrow: 1,
    minHeight: 0,
    minWidth: 0,
    ':has(> [role="grid"]:focus-visible:not([aria-activedescendant]))::after': {
      content: '""',
      position: 'absolute',
      inset: 0,
      zIndex: 3,
      pointerEvents: 'none',
      border: `2px solid ${tokens.colorStrokeFocus2}`,
      borderRadius: tokens.borderRadiusLarge,
    },
  },
  grid: {
    display: 'flex',
    flexDirection: 'column',
    flexGrow: 1,
    minHeight: 0,
    minWidth: 0,
    overflowY: 'auto',
    overflowX: 'auto',
    scrollbarGutter: 'stable',
    outlineStyle: 'none',
  },
  head: { position: 'sticky', top: 0, zIndex: 1, flexShrink: 0, backgroundColor: tokens.colorNeutralBackground1 },
  headRow: { display: 'grid', borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  headCell: {
    position: 'relative',
    padding: '0 12px',
    height: `${headHeight}px`,
    display: 'flex',
    alignItems: 'center',
    minWidth: 0,
    whiteSpace: 'nowrap',
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground3,
    fontWeight: tokens.fontWeightSemibold,
  },
  sortButton: {
    appearance: 'none',
    border: 'none',
    background: 'none',
    padding: 0,
    font: 'inherit',
    color: 'inherit',
    display: 'inline-flex',
    alignItems: 'center',
    gap: '4px',
    cursor: 'pointer',
    borderRadius: tokens.borderRadiusSmall,
    minWidth: 0,
    ':hover': { color: tokens.colorNeutralForeground1 },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '2px' },
  },
  headTitle: { overflow: 'hidden', textOverflow: 'ellipsis' },
  rows: { flexGrow: 1, display: 'flex', flexDirection: 'column' },
  canvas: { position: 'relative', width: '100%', flexShrink: 0 },
  row: {
    position: 'absolute',
    top: 0,
    left: 0,
    width: '100%',
    display: 'grid',
    alignItems: 'center',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    cursor: 'default',
    ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover },
  },
  selectedRow: {
    backgroundColor: tokens.colorBrandBackground2,
    boxShadow: `inset 3px 0 0 ${tokens.colorBrandStroke1}`,
    ':hover': { backgroundColor: tokens.colorBrandBackground2 },
    // Forced colors remove the background and the shadow.
    '@media (forced-colors: active)': {
      '::before': {
        content: '""',
        position: 'absolute',
        inset: '0 auto 0 0',
        width: '6px',
        backgroundColor: 'Highlight',
        forcedColorAdjust: 'none',
      },
    },
  },
  // The row that the keyboard is on, also if it is not selected.
  currentRow: { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  note: {
    gridColumn: '1 / -1',
    height: `${noteHeight + 4}px`,
    marginTop: '-10px',
    padding: '0 12px',
    fontSize: tokens.fontSizeBase200,
    lineHeight: '20px',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  disabledRow: {
    color: tokens.colorNeutralForeground3,
    // The two high contrast themes make all text colors the same white.
    '@media (prefers-contrast: more) and (forced-colors: none)': { color: tokens.colorNeutralForegroundDisabled },
    '@media (forced-colors: active)': { color: 'GrayText' },
  },
  cell: {
    padding: '0 12px',
    minWidth: 0,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  numeric: { justifyContent: 'flex-end', textAlign: 'right', fontVariantNumeric: 'tabular-nums' },
  emptyRow: { flexGrow: 1, display: 'flex' },
  emptyCell: { flexGrow: 1, display: 'flex', flexDirection: 'column' },
});
