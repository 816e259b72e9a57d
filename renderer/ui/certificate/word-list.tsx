// Owns a thumbprint in words. The words are numbered, so that two people on the phone can follow.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  list: {
    listStyle: 'none',
    margin: 0,
    padding: 0,
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(108px, 1fr))',
    columnGap: '4px',
    rowGap: '2px',
  },
  // A word must not break at the end of a line, because people then misread it over the phone.
  word: { display: 'flex', gap: '6px', whiteSpace: 'nowrap' },
  number: {
    color: tokens.colorNeutralForeground3,
    fontSize: tokens.fontSizeBase200,
    width: '16px',
    flexShrink: 0,
    textAlign: 'right',
    fontVariantNumeric: 'tabular-nums',
  },
});

export function WordList({ words }: { readonly words: readonly string[] }): ReactNode {
  const styles = useStyles();
  return (
    <ol className={styles.list}>
      {words.map((word, index) => (
        <li key={index} className={styles.word}>
          <span className={styles.number} aria-hidden>
            {index + 1}
          </span>
          {word}
        </li>
      ))}
    </ol>
  );
}
