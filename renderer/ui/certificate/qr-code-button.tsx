// Owns the button that shows a thumbprint as a QR code, to scan with a phone.
import { makeStyles } from '@fluentui/react-components';
import { QrCode20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { PopoverButton } from '../dialog/popover-button.tsx';
import { QrCode } from './qr-code.tsx';
import { Thumbprint } from './thumbprint.tsx';

const useStyles = makeStyles({
  code: { display: 'block' },
  text: { margin: '10px 0 0 0' },
});

interface QrCodeButtonProps {
  readonly thumbprint: string;
  readonly buttonLabel: string;
  /** A text for people who cannot see the code. */
  readonly codeLabel: string;
}

export function QrCodeButton({ thumbprint, buttonLabel, codeLabel }: QrCodeButtonProps): ReactNode {
  const styles = useStyles();
  return (
    <PopoverButton icon={<QrCode20Regular />} label={buttonLabel} surfaceLabel={codeLabel} width={292}>
      <span className={styles.code}>
        <QrCode text={thumbprint} label={codeLabel} sizePixels={260} />
      </span>
      <p className={styles.text}>
        <Thumbprint value={thumbprint} lineBytes={8} />
      </p>
    </PopoverButton>
  );
}
