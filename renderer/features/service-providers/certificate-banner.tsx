// Owns the banner on the Credentials page: the certificate, why it is trusted, and a field to compare its thumbprint again.
import { Button, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { CheckmarkCircle20Filled, DismissCircle20Filled, ShieldCheckmark24Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { errorTitle } from '../../platform/error-info.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { matchesThumbprint } from './provider-draft.ts';

const useStyles = makeStyles({
  banner: {
    display: 'flex',
    gap: '12px',
    padding: '12px',
    borderRadius: tokens.borderRadiusMedium,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground3,
  },
  icon: { color: tokens.colorPaletteGreenForeground1, flexShrink: 0 },
  content: { flexGrow: 1, minWidth: 0, display: 'flex', flexDirection: 'column', gap: '4px' },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase300,
    fontWeight: tokens.fontWeightSemibold,
    overflowWrap: 'anywhere',
  },
  verify: { display: 'flex', gap: '8px', alignItems: 'flex-start', marginTop: '4px' },
  field: { flexGrow: 1 },
  button: { marginTop: '26px' },
  outcome: { margin: 0, minHeight: '20px', display: 'flex', gap: '6px', alignItems: 'center' },
  good: { color: tokens.colorPaletteGreenForeground1 },
  bad: { color: tokens.colorPaletteRedForeground1 },
});

interface CertificateBannerProps {
  readonly certificate: CertificateSummary;
  readonly trust: 'trusted' | 'pinned';
}

export function CertificateBanner({ certificate, trust }: CertificateBannerProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [pasted, setPasted] = useState('');
  const [match, setMatch] = useState<boolean | 'malformed' | null>(null);
  const verify = (): void => setMatch(matchesThumbprint(pasted, certificate) ?? 'malformed');
  return (
    <section className={styles.banner} aria-label={t('providerWizard.certificate')}>
      <ShieldCheckmark24Regular className={styles.icon} aria-hidden />
      <div className={styles.content}>
        <h4 className={styles.title}>{certificate.subject}</h4>
        <span>
          {t(trust === 'pinned' ? 'providerWizard.certificate.pinned' : 'providerWizard.certificate.trusted')}
        </span>
        <Thumbprint value={certificate.sha256} />
        <div className={styles.verify}>
          <Field className={styles.field} label={t('providerWizard.verify.label')}>
            <Input
              value={pasted}
              spellCheck={false}
              onChange={(_event, data) => {
                setPasted(data.value);
                setMatch(null);
              }}
            />
          </Field>
          <Button className={styles.button} disabled={pasted.trim() === ''} onClick={verify}>
            {t('providerWizard.verify')}
          </Button>
        </div>
        <p className={styles.outcome} role="status">
          {match === true && (
            <>
              <CheckmarkCircle20Filled className={styles.good} aria-hidden />
              <span className={styles.good}>{t('providerWizard.verify.match')}</span>
            </>
          )}
          {match === false && (
            <>
              <DismissCircle20Filled className={styles.bad} aria-hidden />
              <span className={styles.bad}>{t('providerWizard.verify.noMatch')}</span>
            </>
          )}
          {match === 'malformed' && <span className={styles.bad}>{errorTitle('trust.thumbprint-malformed')}</span>}
        </p>
      </div>
    </section>
  );
}
