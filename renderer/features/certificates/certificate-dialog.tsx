// Owns the view of one certificate: everything that people compare, and the PEM to copy.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';
import { IssuerBadge, ValidityBadge } from '../../ui/certificate/certificate-validity.tsx';
import { CertificateSummaryTable } from '../../ui/certificate/certificate-summary.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { QrCode } from '../../ui/certificate/qr-code.tsx';
import { WordList } from '../../ui/certificate/word-list.tsx';

const useStyles = makeStyles({
  badges: { display: 'flex', gap: '12px', marginBottom: '12px', flexWrap: 'wrap' },
  words: { marginTop: '14px' },
  wordsTitle: { margin: '0 0 6px 0', fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  codes: { display: 'flex', gap: '24px', alignItems: 'flex-start' },
  wordList: { flexGrow: 1, minWidth: 0 },
  hint: { margin: '6px 0 0 0', color: tokens.colorNeutralForeground3 },
});

interface CertificateDialogProps {
  readonly title: string;
  readonly certificate: CertificateSummary;
  readonly onClose: () => void;
}

export function CertificateDialog({ title, certificate, onClose }: CertificateDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const names = [...certificate.dnsNames, ...certificate.ipAddresses];
  const row = (id: string, name: string, value: string, isCode = false) => ({ id, name, value, isCode });
  return (
    <DialogFrame
      help="change-a-certificate"
      title={title}
      width="wide"
      onDismiss={onClose}
      footer={
        <>
          <CopyButton label={t('certificate.view.copyPem')} text={certificate.pem} />
          <Button appearance="primary" onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <div className={styles.badges}>
        <IssuerBadge certificate={certificate} />
        <ValidityBadge certificate={certificate} />
      </div>
      <CertificateSummaryTable
        label={title}
        rows={[
          row('issuedTo', t('certificate.row.issuedTo'), certificate.subject),
          row('issuedBy', t('certificate.row.issuedBy'), certificate.issuer),
          row('validFrom', t('certificate.row.validFrom'), formatInstant(certificate.notBefore)),
          row('expires', t('certificate.row.expires'), formatInstant(certificate.notAfter)),
          row('sha256', t('certificate.row.sha256'), certificate.sha256, true),
          row('sha1', t('certificate.row.sha1'), certificate.sha1, true),
          row('serial', t('certificate.row.serial'), certificate.serialNumber, true),
          row('names', t('certificate.row.names'), names.length === 0 ? t('certificate.names.none') : names.join(', ')),
          row('key', t('certificate.row.key'), certificate.keyType),
          row('signature', t('certificate.row.signature'), certificate.signatureAlgorithm),
        ]}
      />
      <section className={styles.words}>
        <h3 className={styles.wordsTitle}>{t('certificate.row.words')}</h3>
        <div className={styles.codes}>
          <div className={styles.wordList}>
            <WordList words={certificate.sha256Words} />
            <p className={styles.hint}>{t('certificate.view.words.hint')}</p>
          </div>
          <QrCode text={certificate.sha256} label={t('certificate.view.qr')} sizePixels={148} />
        </div>
      </section>
    </DialogFrame>
  );
}
