// Owns the sentences that say why a certificate is not trusted. Reasons that speak for it are left out.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { TrustReason } from '../../../services/contracts/models/trust.ts';
import { useText } from '../../i18n/use-text.ts';

const inFavor: readonly TrustReason[] = [
  'chain.trusted',
  'name.covered',
  'pin.match',
  'pin.next',
  'pin.dates-ignored',
  'fingerprint.match',
  'fingerprint.match-sha1',
  'revocation.good',
];

const useStyles = makeStyles({
  root: { margin: '10px 0 0 0' },
  title: { margin: 0, color: tokens.colorNeutralForeground3 },
  list: { margin: '2px 0 0 0', paddingLeft: '18px' },
});

export function ReasonList({ reasons }: { readonly reasons: readonly TrustReason[] }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const shown = reasons.filter((reason) => !inFavor.includes(reason));
  if (shown.length === 0) return null;
  return (
    <div className={styles.root}>
      <p className={styles.title}>{t('trust.row.reasons')}</p>
      <ul className={styles.list}>
        {shown.map((reason) => (
          <li key={reason}>{t(`trust.reason.${reason}`)}</li>
        ))}
      </ul>
    </div>
  );
}
