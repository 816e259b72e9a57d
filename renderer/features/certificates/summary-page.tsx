// Owns the page Summary: the certificate in rows, warnings, who relies on the old one, and the equivalent command.
import { MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type {
  CertificateSlot,
  CertificateSummary,
  KeyProtection,
} from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { certificateRows, rowsAsText } from '../../ui/certificate/certificate-rows.ts';
import { CertificateSummaryTable } from '../../ui/certificate/certificate-summary.tsx';
import { CertificateUsageBoard } from '../../ui/certificate/certificate-usage-board.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';

const useStyles = makeStyles({
  usageTitle: { margin: '6px 0 0 0', fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
});

interface SummaryPageProps {
  readonly slot: CertificateSlot;
  readonly certificate: {
    readonly friendlyName: string;
    readonly summary: CertificateSummary;
    readonly keyProtection: KeyProtection;
    readonly warnings?: readonly string[];
  };
  readonly isReplacing: boolean;
  readonly candidateId: string | null;
  readonly commands: readonly string[];
  readonly whenChoice: ReactNode;
}

export function SummaryPage({
  slot,
  certificate,
  isReplacing,
  candidateId,
  commands,
  whenChoice,
}: SummaryPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const rows = certificateRows(certificate, t);
  const warnings = [...(certificate.warnings ?? []), ...certificate.keyProtection.warnings];
  return (
    <>
      {warnings.map((warning) => (
        <MessageBar key={warning} intent="warning" layout="multiline">
          <MessageBarBody>{warning}</MessageBarBody>
        </MessageBar>
      ))}
      <CertificateSummaryTable label={t('certificate.summary.table')} rows={rows} />
      <div>
        <CopyButton label={t('certificate.summary.copy')} text={() => rowsAsText(rows)} />
      </div>
      {whenChoice !== null && <div data-focus="later">{whenChoice}</div>}
      {isReplacing && (
        <section>
          <h4 className={styles.usageTitle}>{t('certificate.summary.usage')}</h4>
          <CertificateUsageBoard slot={slot} {...(candidateId === null ? {} : { candidateId })} />
        </section>
      )}
      <ShowCommand commands={commands} />
    </>
  );
}
