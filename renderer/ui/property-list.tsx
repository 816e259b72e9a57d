// Owns pairs of name and value, for details panes and summaries.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  list: {
    display: 'grid',
    gridTemplateColumns: 'minmax(84px, max-content) minmax(0, 1fr)',
    columnGap: '16px',
    rowGap: '8px',
    margin: 0,
  },
  stacked: { gridTemplateColumns: 'minmax(0, 1fr)', rowGap: '2px' },
  term: { color: tokens.colorNeutralForeground3 },
  // A value with several lines keeps them.
  value: { margin: 0, overflowWrap: 'anywhere', whiteSpace: 'pre-line' },
  stackedValue: { marginBottom: '10px' },
});

export interface Property {
  readonly name: string;
  readonly value: ReactNode;
}

interface PropertyListProps {
  readonly properties: readonly Property[];
  readonly isStacked?: boolean;
}

export function PropertyList({ properties, isStacked = false }: PropertyListProps): ReactNode {
  const styles = useStyles();
  return (
    <dl className={mergeClasses(styles.list, isStacked && styles.stacked)}>
      {properties.map(({ name, value }) => (
        // Screen readers must read name and value as one pair, although both are cells of the grid.
        <div key={name} className="contents">
          <dt className={styles.term}>{name}</dt>
          <dd className={mergeClasses(styles.value, isStacked && styles.stackedValue)}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
