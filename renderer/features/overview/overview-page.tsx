// Owns the overview: remaining set-up steps, the state of each role, and the last sessions.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { useHasRole, useService } from '../../platform/use-mirror.ts';
import { GatewayCard } from './gateway-card.tsx';
import { FailedCard, ProviderCard, TenantCard } from './role-cards.tsx';
import { RecentSessions } from './recent-sessions.tsx';
import { SetupCards } from './setup-cards.tsx';

const useStyles = makeStyles({
  page: {
    height: '100%',
    overflowY: 'auto',
    padding: '16px 24px 24px 24px',
    display: 'flex',
    flexDirection: 'column',
    gap: '16px',
  },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
  },
  roles: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(280px, 1fr))', gap: '12px' },
});

export function OverviewPage(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isProvider = useHasRole('provider');
  const isGateway = useHasRole('gateway');
  const isTenant = useHasRole('tenant');
  const isFailed = {
    provider: useService('provider')?.state === 'failed',
    gateway: useService('gateway')?.state === 'failed',
    tenant: useService('tenant')?.state === 'failed',
  };
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{t('overview.title')}</h1>
      <SetupCards />
      <div className={styles.roles}>
        {isProvider && (isFailed.provider ? <FailedCard role="provider" /> : <ProviderCard />)}
        {isGateway && (isFailed.gateway ? <FailedCard role="gateway" /> : <GatewayCard />)}
        {isTenant && (isFailed.tenant ? <FailedCard role="tenant" /> : <TenantCard />)}
      </div>
      {(isProvider || isTenant) && <RecentSessions />}
    </div>
  );
}
