// Owns the Security tab: the server identity and the certificate settings of a provider; pins and the trust journal of a tenant.
import { makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useHasRole } from '../../platform/use-mirror.ts';
import { CertificateSettings } from './certificate-settings.tsx';
import { PinList } from './pin-list.tsx';
import { ServerIdentity } from './server-identity.tsx';
import { TrustSettings } from './trust-settings.tsx';
import { TrustJournal } from './trust-journal.tsx';

const useStyles = makeStyles({ root: { display: 'flex', flexDirection: 'column', gap: '20px' } });

export function SecurityTab(): ReactNode {
  const styles = useStyles();
  const isTenant = useHasRole('tenant');
  const isProvider = useHasRole('provider');
  return (
    <div className={styles.root}>
      <ServerIdentity />
      {isProvider && <CertificateSettings />}
      {isTenant && <PinList />}
      {isTenant && <TrustSettings />}
      {isTenant && <TrustJournal />}
    </div>
  );
}
