// Owns a thumbprint in words: numbered, so that two people on the phone do not lose their place.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  list: {
    listStyle: 'none',
    margin: 0,
    padding: 0,
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(104px, 1fr))',
    columnGap: '6px',
    rowGap: '2px',
  },
  word: { display: 'flex', gap: '6px' },
  number: {
    color: tokens.colorNeutralForeground3,
    fontSize: tokens.fontSizeBase200,
    width: '18px',
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
