// Owns how a thumbprint or serial number looks, in every place of the console. All characters have one width, and a line ends only
// between two bytes, so that people can compare two of them.
import { makeStyles, tokens } from '@fluentui/react-components';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { formatThumbprint, shortThumbprint, thumbprintBytes } from '../../../services/contracts/models/thumbprint.ts';

/** A line has one or two of these groups, also if there is place for a part of the next one. */
const groupBytes = 8;
const usualLineBytes = 16;

const useStyles = makeStyles({
  code: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    lineHeight: '20px',
    // The places where a line may end are given below.
    overflowWrap: 'normal',
    wordBreak: 'keep-all',
  },
  // No blank or line break between the parts, so that a copy gives the whole thumbprint.
  part: { display: 'inline-block', maxWidth: '100%' },
});

interface ThumbprintProps {
  /** Hex digits, with or without colons. */
  readonly value: string;
  /** Shows start and end only, and the whole thumbprint in the tooltip. */
  readonly isShort?: boolean;
  readonly lineBytes?: 8 | 16;
}

export function Thumbprint({ value, isShort = false, lineBytes = usualLineBytes }: ThumbprintProps): ReactNode {
  const styles = useStyles();
  if (isShort) {
    return (
      <span className={styles.code} title={formatThumbprint(value)}>
        {shortThumbprint(value)}
      </span>
    );
  }
  const bytes = thumbprintBytes(value);
  return (
    <span className={styles.code}>
      {groupsOf(bytes, lineBytes).map((line, lineIndex, lines) => (
        <span key={lineIndex} className={styles.part}>
          {groupsOf(line, groupBytes).map((group, groupIndex, groups) => (
            <span key={groupIndex} className={styles.part}>
              {group.map((byte, index) => {
                const isLast =
                  lineIndex === lines.length - 1 && groupIndex === groups.length - 1 && index === group.length - 1;
                return (
                  <Fragment key={index}>
                    {isLast ? byte : `${byte}:`}
                    <wbr />
                  </Fragment>
                );
              })}
            </span>
          ))}
        </span>
      ))}
    </span>
  );
}

function groupsOf(bytes: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_group, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
}
