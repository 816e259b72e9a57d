// Owns short tables without selection: summaries, comparisons, the table form of graphs.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  table: { width: '100%', borderCollapse: 'collapse', textAlign: 'left' },
  head: {
    padding: '6px 12px 6px 0',
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    whiteSpace: 'nowrap',
    position: 'sticky',
    top: 0,
    backgroundColor: tokens.colorNeutralBackground1,
  },
  cell: {
    padding: '6px 12px 6px 0',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    verticalAlign: 'top',
    overflowWrap: 'break-word',
  },
  breakable: { overflowWrap: 'anywhere' },
  numeric: { textAlign: 'right', fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' },
});

export interface SimpleColumn<T> {
  readonly id: string;
  readonly title: string;
  readonly isNumeric?: boolean;
  readonly isTitleHidden?: boolean;
  /** Cells with paths and similar texts, which may break anywhere. */
  readonly isBreakable?: boolean;
  readonly width?: string;
  readonly cell: (row: T) => ReactNode;
}

interface SimpleTableProps<T> {
  readonly label: string;
  readonly columns: readonly SimpleColumn<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
}

export function SimpleTable<T>({ label, columns, rows, rowKey }: SimpleTableProps<T>): ReactNode {
  const styles = useStyles();
  return (
    <table className={styles.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ id, title, isNumeric, isTitleHidden, width }) => (
            <th
              key={id}
              scope="col"
              className={mergeClasses(styles.head, isNumeric === true && styles.numeric)}
              style={{ width }}
            >
              {isTitleHidden === true ? <span className="visually-hidden">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ id, isNumeric, isBreakable, cell }) => (
              <td
                key={id}
                className={mergeClasses(
                  styles.cell,
                  isBreakable === true && styles.breakable,
                  isNumeric === true && styles.numeric,
                )}
              >
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
