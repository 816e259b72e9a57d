// Owns the button that shows a text as a QR code, to scan with a phone.
import { makeStyles, tokens } from '@fluentui/react-components';
import { QrCode20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { PopoverButton } from '../dialog/popover-button.tsx';
import { QrCode } from './qr-code.tsx';

const useStyles = makeStyles({
  code: { display: 'block' },
  text: {
    margin: '10px 0 0 0',
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    lineHeight: '18px',
    overflowWrap: 'anywhere',
  },
});

interface QrCodeButtonProps {
  readonly text: string;
  readonly buttonLabel: string;
  /** A text for people who cannot see the code. */
  readonly codeLabel: string;
}

export function QrCodeButton({ text, buttonLabel, codeLabel }: QrCodeButtonProps): ReactNode {
  const styles = useStyles();
  return (
    <PopoverButton icon={<QrCode20Regular />} label={buttonLabel} surfaceLabel={codeLabel} width={292}>
      <span className={styles.code}>
        <QrCode text={text} label={codeLabel} sizePixels={260} />
      </span>
      <p className={styles.text}>{text}</p>
    </PopoverButton>
  );
}
