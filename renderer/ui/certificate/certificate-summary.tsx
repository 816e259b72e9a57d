// Owns the table with the rows of a certificate, in the form of the wizard's summary.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { CertificateRow } from './certificate-rows.ts';
import { NameList } from './name-list.tsx';
import { Thumbprint } from './thumbprint.tsx';

const useStyles = makeStyles({
  table: { width: '100%', borderCollapse: 'collapse', textAlign: 'left', tableLayout: 'fixed' },
  name: {
    width: '204px',
    padding: '5px 12px 5px 0',
    color: tokens.colorNeutralForeground3,
    fontWeight: tokens.fontWeightRegular,
    verticalAlign: 'top',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  value: {
    verticalAlign: 'top',
    padding: '5px 0',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    overflowWrap: 'anywhere',
  },
});

function RowValue({ id, value, isCode }: Pick<CertificateRow, 'id' | 'value' | 'isCode'>): ReactNode {
  if (isCode) return <Thumbprint value={value} />;
  return id === 'names' ? <NameList names={value.split(', ')} /> : value;
}

interface CertificateSummaryTableProps {
  readonly label: string;
  readonly rows: readonly CertificateRow[];
}

export function CertificateSummaryTable({ label, rows }: CertificateSummaryTableProps): ReactNode {
  const styles = useStyles();
  return (
    <table className={styles.table} aria-label={label}>
      <tbody>
        {rows.map(({ id, name, value, isCode }) => (
          <tr key={id}>
            <th scope="row" className={styles.name}>
              {name}
            </th>
            <td className={styles.value}>
              <RowValue id={id} value={value} isCode={isCode} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
