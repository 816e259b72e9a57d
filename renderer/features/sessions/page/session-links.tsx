// Owns the line below the name of a session: attempt, and links to its job, and to its provider or tenant.
import { Link, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import { goToItem } from '../../../platform/navigation-store.ts';
import { useMirror } from '../../../platform/use-mirror.ts';
import { jobOfSession, otherSideOfSession } from './session-origin.ts';

const useStyles = makeStyles({
  line: {
    display: 'flex',
    flexWrap: 'wrap',
    columnGap: '6px',
    color: tokens.colorNeutralForeground3,
    overflowWrap: 'anywhere',
  },
});

export function SessionLinks({
  side,
  detail,
}: {
  readonly side: SessionSide;
  readonly detail: SessionDetail;
}): ReactNode {
  const t = useText();
  const styles = useStyles();
  const job = useMirror(({ tenant }) => (side === 'tenant' ? jobOfSession(detail, tenant.jobs) : undefined));
  const others = useMirror(({ tenant, provider }): readonly { id: string; name: string }[] =>
    side === 'tenant' ? tenant.providers : provider.tenants,
  );
  const other = otherSideOfSession(detail, others);
  const place = side === 'provider' ? 'session.ofTenant' : detail.kind === 'backup' ? 'session.to' : 'session.from';
  return (
    <div className={styles.line}>
      <span>{t('session.attempt', { attempt: detail.attempt })}</span>
      {job !== undefined && (
        <>
          <span aria-hidden>·</span>
          <span>
            {t('session.ofJob')} <Link onClick={() => goToItem('tenant/jobs', job.id)}>{job.name}</Link>
          </span>
        </>
      )}
      <span aria-hidden>·</span>
      <span>
        {t(place)}{' '}
        {other === undefined ? (
          detail.otherSide
        ) : (
          <Link onClick={() => goToItem(side === 'tenant' ? 'tenant/service-providers' : 'provider/tenants', other.id)}>
            {detail.otherSide}
          </Link>
        )}{' '}
        / {detail.repository}
      </span>
      {detail.gateway !== null && (
        <>
          <span aria-hidden>·</span>
          <span>{t('session.via', { gateway: detail.gateway })}</span>
        </>
      )}
    </div>
  );
}
