// Owns thumbprints and serial numbers. All characters have one width, and a long text breaks in the middle, so that two can be compared.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

/** "AB:" sixteen times. */
const usualLineLength = 48;

const useStyles = makeStyles({
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, lineHeight: '20px' },
  // No blank or line break between the parts, so that a copy gives the whole thumbprint.
  line: { display: 'inline-block', maxWidth: '100%', overflowWrap: 'anywhere', whiteSpace: 'break-spaces' },
});

interface CodeTextProps {
  readonly text: string;
  /** In characters. */
  readonly lineLength?: number;
}

export function CodeText({ text, lineLength = usualLineLength }: CodeTextProps): ReactNode {
  const styles = useStyles();
  const lines = text.match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return (
    <span className={styles.code}>
      {lines.map((line, index) => (
        <span key={index} className={styles.line}>
          {line}
        </span>
      ))}
    </span>
  );
}
