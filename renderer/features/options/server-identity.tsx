// Owns the server identity on the Security tab: subject, expiry, who can read its key, and Install...
import { Button, Link, MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { useHasRole, useMirror } from '../../platform/use-mirror.ts';
import { IssuerBadge, ValidityBadge } from '../../ui/certificate/certificate-validity.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { OptionsSection } from './options-section.tsx';

const useStyles = makeStyles({
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  subject: { display: 'flex', alignItems: 'center', gap: '10px', flexWrap: 'wrap' },
});

export function ServerIdentity(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isProvider = useHasRole('provider');
  const certificate = useMirror(({ provider }) => provider.certificates.server);
  if (!isProvider) {
    return (
      <OptionsSection title={t('options.server')}>
        <p className={styles.text}>{t('options.server.notHere')}</p>
      </OptionsSection>
    );
  }
  return (
    <OptionsSection
      title={t('options.server')}
      aside={
        <Button
          disabled={certificate === null}
          onClick={() => openDialog({ kind: 'manage-certificate', slot: 'server' })}
        >
          {t('options.server.install')}
        </Button>
      }
    >
      <p className={styles.text}>{t('options.server.intro')}</p>
      {certificate !== null && (
        <>
          <PropertyList
            properties={[
              {
                name: t('options.server.subject'),
                value: (
                  <span className={styles.subject}>
                    <Link
                      as="button"
                      onClick={() =>
                        openDialog({
                          kind: 'view-certificate',
                          title: t('certificate.view.own', { name: certificate.friendlyName }),
                          certificate: certificate.summary,
                        })
                      }
                    >
                      {certificate.summary.subject}
                    </Link>
                    <IssuerBadge certificate={certificate.summary} />
                  </span>
                ),
              },
              { name: t('options.server.expires'), value: <ValidityBadge certificate={certificate.summary} /> },
              { name: t('options.server.protection'), value: certificate.keyProtection.description },
              {
                name: t('options.server.readers'),
                value: certificate.keyProtection.readers.join(', ') || t('word.unknown'),
              },
            ]}
          />
          {certificate.keyProtection.warnings.map((warning) => (
            <MessageBar key={warning} intent="warning" layout="multiline">
              <MessageBarBody>{warning}</MessageBarBody>
            </MessageBar>
          ))}
        </>
      )}
    </OptionsSection>
  );
}
