// Owns the sentences that say why a certificate is not trusted. Reasons in favor of the certificate are left out.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { reasonsAgainst } from '../../../services/contracts/models/trust-texts.ts';
import type { TrustReason } from '../../../services/contracts/models/trust.ts';
import { useText } from '../../i18n/use-text.ts';

const useStyles = makeStyles({
  root: { margin: '8px 0 0 0' },
  title: { color: tokens.colorNeutralForeground3 },
});

export function ReasonList({ reasons }: { readonly reasons: readonly TrustReason[] }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const shown = reasonsAgainst(reasons);
  if (shown.length === 0) return null;
  return (
    <p className={styles.root}>
      <span className={styles.title}>{t('trust.row.reasons')}</span>{' '}
      {shown.map((reason) => t(`trust.reason.${reason}`)).join(' ')}
    </p>
  );
}
