// Owns the line "Who can read now" with its lock. The text says the same as the symbols.
import { makeStyles, tokens } from '@fluentui/react-components';
import { Checkmark16Filled, Dismiss16Filled, LockClosed16Filled, LockOpen16Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../../i18n/use-text.ts';
import type { Reader, Reading } from './who-can-read.ts';

const useStyles = makeStyles({
  line: {
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    columnGap: '14px',
    rowGap: '2px',
    minHeight: '24px',
    margin: 0,
  },
  title: { display: 'inline-flex', alignItems: 'center', gap: '6px', fontWeight: tokens.fontWeightSemibold },
  reader: { display: 'inline-flex', alignItems: 'center', gap: '4px', whiteSpace: 'nowrap' },
  yes: { color: tokens.colorPaletteGreenForeground1, display: 'inline-flex' },
  no: { color: tokens.colorPaletteRedForeground1, display: 'inline-flex' },
  muted: { color: tokens.colorNeutralForeground2 },
});

export function ReadingLine({ reading }: { readonly reading: Reading }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isLocked = reading.what === 'commands' || reading.what === 'data';
  const reader = (who: Reader, canRead: boolean): ReactNode => (
    <span key={who} className={styles.reader}>
      <span aria-hidden className={styles.reader}>
        {t(`reading.${who}`)}
        <span className={canRead ? styles.yes : styles.no}>
          {canRead ? <Checkmark16Filled /> : <Dismiss16Filled />}
        </span>
      </span>
      <span className="visually-hidden">{t(canRead ? 'reading.yes' : 'reading.no', { who: t(`reading.${who}`) })}</span>
    </span>
  );
  return (
    <p className={styles.line} aria-live="polite">
      <span className={styles.title}>
        {isLocked ? <LockClosed16Filled aria-hidden /> : <LockOpen16Regular aria-hidden />}
        {t('reading.title')}
      </span>
      {reading.what === 'commands' || reading.what === 'data' ? (
        <>
          <span className={styles.muted}>{t(`reading.${reading.what}`)}</span>
          {reading.canRead.map((who) => reader(who, true))}
          {reading.cannotRead.map((who) => reader(who, false))}
        </>
      ) : (
        <span className={styles.muted}>{t(`reading.${reading.what}`)}</span>
      )}
    </p>
  );
}
