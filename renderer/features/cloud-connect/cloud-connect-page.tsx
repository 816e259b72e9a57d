// Owns the page Cloud Connect: the provider identity that tenants compare, who relies on it, and the state of the service.
import {
  MessageBar,
  MessageBarBody,
  ToolbarButton,
  makeStyles,
  mergeClasses,
  tokens,
} from '@fluentui/react-components';
import {
  CalendarClock20Regular,
  CertificateRegular,
  Certificate20Regular,
  DocumentBulletList20Regular,
  Eye20Regular,
  Phone20Regular,
} from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import type { StoredCertificate } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatCount } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import { mirror, useMirror, useService } from '../../platform/use-mirror.ts';
import { CertificateUsageBoard } from '../../ui/certificate/certificate-usage-board.tsx';
import { IssuerBadge, ValidityBadge } from '../../ui/certificate/certificate-validity.tsx';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { NameList } from '../../ui/certificate/name-list.tsx';
import { PageFrame } from '../../ui/page-frame.tsx';
import { PopoverButton } from '../../ui/dialog/popover-button.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { QrCodeButton } from '../../ui/certificate/qr-code-button.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { WordList } from '../../ui/certificate/word-list.tsx';
import { RolloverCard } from './rollover-card.tsx';

const useStyles = makeStyles({
  page: { flexGrow: 1, overflowY: 'auto', minHeight: 0 },
  grid: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 5fr) minmax(310px, 2fr)',
    alignItems: 'stretch',
    minHeight: '100%',
  },
  section: { padding: '16px 20px', display: 'flex', flexDirection: 'column', gap: '12px', minWidth: 0 },
  side: { borderLeft: `1px solid ${tokens.colorNeutralStroke2}` },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  head: { display: 'flex', alignItems: 'flex-start', gap: '14px' },
  icon: { fontSize: '36px', color: tokens.colorBrandForeground1, lineHeight: 1 },
  name: { fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  badges: { display: 'flex', gap: '12px', flexWrap: 'wrap', marginTop: '4px' },
  thumbprint: { display: 'flex', alignItems: 'flex-start', gap: '4px' },
  forms: { display: 'flex', flexWrap: 'wrap', gap: '8px', marginTop: '4px' },
  wordsHint: { margin: '10px 0 0 0', color: tokens.colorNeutralForeground3 },
  hint: { margin: 0, color: tokens.colorNeutralForeground3 },
});

export function CloudConnectPage(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const slice = useMirror(({ provider }) => provider);
  const identity = slice.certificates.provider;
  const view = ({ friendlyName, summary }: StoredCertificate): void =>
    openDialog({
      kind: 'view-certificate',
      title: t('certificate.view.own', { name: friendlyName }),
      certificate: summary,
    });
  return (
    <PageFrame
      title={t('cloudConnect.title')}
      subtitle={t('cloudConnect.intro')}
      commands={
        <>
          <ToolbarButton
            icon={<Certificate20Regular />}
            disabled={identity === null}
            onClick={() => openDialog({ kind: 'manage-certificate', slot: 'provider' })}
          >
            {t('cloudConnect.manage')}
          </ToolbarButton>
          <ToolbarButton
            icon={<CalendarClock20Regular />}
            disabled={identity === null}
            onClick={() => openDialog({ kind: 'manage-certificate', slot: 'provider', isAnnouncing: true })}
          >
            {t('cloudConnect.announce')}
          </ToolbarButton>
          <ToolbarButton
            icon={<Eye20Regular />}
            disabled={identity === null}
            onClick={() => identity !== null && view(identity)}
          >
            {t('cloudConnect.view')}
          </ToolbarButton>
          <ToolbarButton
            icon={<DocumentBulletList20Regular />}
            onClick={() => openDialog({ kind: 'stored-certificates' })}
          >
            {t('storedCertificates.open')}
          </ToolbarButton>
        </>
      }
      notices={
        <>
          {slice.loadError !== null && (
            <ErrorView
              error={slice.loadError}
              action={{ label: t('word.retry'), run: () => void mirror.refetch('provider') }}
            />
          )}
          {identity?.origin === 'generated-at-first-start' && (
            <MessageBar intent="info" layout="multiline">
              <MessageBarBody>{t('cloudConnect.firstStart')}</MessageBarBody>
            </MessageBar>
          )}
        </>
      }
    >
      <div className={styles.page}>
        <div className={styles.grid}>
          <section className={styles.section} aria-label={t('cloudConnect.identity')}>
            {slice.rollover !== null && <RolloverCard rollover={slice.rollover} />}
            <h2 className={styles.title}>{t('cloudConnect.identity')}</h2>
            {identity !== null && <Identity certificate={identity} />}
            <h2 className={styles.title}>{t('usage.title')}</h2>
            <div>
              <CertificateUsageBoard slot="provider" />
            </div>
          </section>
          <ServiceState />
        </div>
      </div>
    </PageFrame>
  );
}

function Identity({ certificate }: { readonly certificate: StoredCertificate }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { summary, friendlyName, keyProtection } = certificate;
  const names = [...summary.dnsNames, ...summary.ipAddresses];
  return (
    <>
      <div className={styles.head}>
        <span className={styles.icon} aria-hidden>
          <CertificateRegular />
        </span>
        <div>
          <div className={styles.name}>{summary.subject}</div>
          <div className={styles.badges}>
            <IssuerBadge certificate={summary} />
            <ValidityBadge certificate={summary} />
          </div>
        </div>
      </div>
      <PropertyList
        properties={[
          { name: t('certificate.row.name'), value: friendlyName },
          {
            name: t('certificate.row.sha256'),
            value: (
              <>
                <div className={styles.thumbprint}>
                  <Thumbprint value={summary.sha256} />
                  <CopyButton text={summary.sha256} label={t('cloudConnect.thumbprint.copy')} isIconOnly size="small" />
                </div>
                <div className={styles.forms}>
                  <PopoverButton icon={<Phone20Regular />} label={t('cloudConnect.words')} width={520}>
                    <WordList words={summary.sha256Words} />
                    <p className={styles.wordsHint}>{t('certificate.view.words.hint')}</p>
                  </PopoverButton>
                  <QrCodeButton
                    thumbprint={summary.sha256}
                    buttonLabel={t('cloudConnect.qr')}
                    codeLabel={t('certificate.view.qr')}
                  />
                </div>
              </>
            ),
          },
          { name: t('certificate.row.names'), value: <NameList names={names} /> },
          { name: t('certificate.row.protection'), value: keyProtection.description },
          { name: t('certificate.row.readers'), value: keyProtection.readers.join(', ') || t('word.unknown') },
        ]}
      />
      {keyProtection.warnings.map((warning) => (
        <MessageBar key={warning} intent="warning" layout="multiline">
          <MessageBarBody>{warning}</MessageBarBody>
        </MessageBar>
      ))}
      <p className={styles.hint}>{t('cloudConnect.tenantsSee')}</p>
    </>
  );
}

function ServiceState(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const service = useService('provider');
  const { gateways, tenants, repositories, sessions } = useMirror(({ provider }) => provider);
  const connected = gateways.filter(({ state }) => state === 'connected').length;
  const isGood = service?.state === 'running';
  return (
    <section className={mergeClasses(styles.section, styles.side)} aria-label={t('cloudConnect.service')}>
      <h2 className={styles.title}>{t('cloudConnect.service')}</h2>
      {service !== undefined && (
        <StatusBadge tone={isGood ? 'success' : 'warning'}>
          {service.reason ?? `${t('role.provider.service')} ${t(`service.${service.state}`)}`}
        </StatusBadge>
      )}
      <PropertyList
        properties={[
          {
            name: t('cloudConnect.service.gateways'),
            value: t('cloudConnect.service.gateways.value', { connected, total: gateways.length }),
          },
          { name: t('cloudConnect.service.tenants'), value: formatCount(tenants.length) },
          { name: t('cloudConnect.service.repositories'), value: formatCount(repositories.length) },
          {
            name: t('cloudConnect.service.sessions'),
            value: formatCount(sessions.filter((session) => !isFinal(session)).length),
          },
          { name: t('cloudConnect.service.infrastructure'), value: service?.listeners['infrastructure'] ?? '–' },
          { name: t('cloudConnect.service.control'), value: service?.listeners['control'] ?? '–' },
        ]}
      />
    </section>
  );
}
