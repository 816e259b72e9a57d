// Owns the table of a trust prompt: the presented certificate, beside the saved one if there is one. Differences are marked.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { TrustPrompt } from '../../../services/contracts/models/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { compareCertificates } from './certificate-comparison.ts';
import type { ComparedRow } from './certificate-comparison.ts';

const useStyles = makeStyles({
  table: { width: '100%', borderCollapse: 'collapse', textAlign: 'left', tableLayout: 'fixed' },
  columnHead: {
    padding: '6px 10px',
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  rowHead: {
    width: '96px',
    padding: '4px 10px 4px 0',
    fontWeight: tokens.fontWeightRegular,
    color: tokens.colorNeutralForeground3,
    verticalAlign: 'top',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  cell: {
    padding: '4px 10px',
    verticalAlign: 'top',
    overflowWrap: 'anywhere',
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  words: { fontSize: tokens.fontSizeBase200, lineHeight: '18px' },
  differing: { backgroundColor: `color-mix(in srgb, ${tokens.colorPaletteMarigoldBackground3} 13%, transparent)` },
  inBoth: { marginLeft: '6px', color: tokens.colorNeutralForeground3, fontStyle: 'italic' },
  presented: { fontWeight: tokens.fontWeightSemibold },
  differs: { marginLeft: '6px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

function CellText({ row: { id }, text }: { readonly row: ComparedRow; readonly text: string }): ReactNode {
  return id === 'sha256' || id === 'sha1' ? <Thumbprint value={text} /> : text;
}

/** A text with more characters that is the same in both certificates is shown once, across both columns. That saves space for the others. */
const longText = 60;

function isSharedCell({ saved, isDifferent, presented }: ComparedRow): boolean {
  return saved !== null && !isDifferent && presented.length > longText;
}

export function ComparisonTable({ prompt }: { readonly prompt: TrustPrompt }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { saved, savedAt, presented } = prompt;
  const rows = compareCertificates(saved, presented, t);
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col" className={styles.rowHead}>
            <span className="visually-hidden">{t('word.details')}</span>
          </th>
          {saved !== null && (
            <th scope="col" className={styles.columnHead}>
              {savedAt === null
                ? t('trust.column.saved.unknown')
                : t('trust.column.saved', { date: formatInstant(savedAt, 'date') })}
            </th>
          )}
          <th scope="col" className={styles.columnHead}>
            {t('trust.column.presented')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const cell = mergeClasses(
            styles.cell,
            row.id === 'words' && styles.words,
            row.isDifferent && styles.differing,
          );
          return (
            <tr key={row.id} data-differs={row.isDifferent}>
              <th scope="row" className={styles.rowHead}>
                {row.name}
                {row.isDifferent && <span className="visually-hidden"> ({t('trust.differs')})</span>}
              </th>
              {isSharedCell(row) ? (
                <td className={cell} colSpan={2}>
                  {row.presented}
                  <span className={styles.inBoth}>({t('trust.inBoth')})</span>
                </td>
              ) : (
                <>
                  {row.saved !== null && (
                    <td className={cell}>
                      <CellText row={row} text={row.saved} />
                    </td>
                  )}
                  <td className={mergeClasses(cell, row.isDifferent && styles.presented)}>
                    <CellText row={row} text={row.presented} />
                  </td>
                </>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
