// Owns the live view of one session, the same for tenant and provider.
import { Spinner, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../../i18n/use-text.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import { isFinal } from '../../../platform/mirror/apply-event.ts';
import { mirror, useOpenSession } from '../../../platform/use-mirror.ts';
import { ErrorView } from '../../../ui/error-view.tsx';
import { ActionsCard } from './actions-card.tsx';
import { DataCard, StatusCard, SummaryCard } from '../throughput/figure-cards.tsx';
import { HandshakeCard } from '../handshake/handshake-card.tsx';
import { ObjectsCard } from './objects-card.tsx';
import { SessionHeader } from './session-header.tsx';
import { SessionNotices } from './session-notices.tsx';
import { ThroughputCard } from '../throughput/throughput-card.tsx';
import { WarningsCard } from './warnings-card.tsx';

const useStyles = makeStyles({
  page: {
    height: '100%',
    overflowY: 'auto',
    padding: '10px 24px 16px 24px',
    display: 'flex',
    flexDirection: 'column',
    gap: '10px',
  },
  center: { height: '100%', display: 'flex', alignItems: 'center', justifyContent: 'center', padding: '24px' },
  figures: {
    display: 'grid',
    gridTemplateColumns: 'minmax(268px, 1fr) minmax(264px, 1.1fr) minmax(150px, 0.7fr) minmax(292px, 1.6fr)',
    gap: '10px',
  },
  lists: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 2fr) minmax(0, 3fr)',
    gap: '10px',
    flexGrow: 1,
    alignItems: 'stretch',
  },
});

interface SessionPageProps {
  readonly side: SessionSide;
  readonly sessionId: string;
}

export function SessionPage({ side, sessionId }: SessionPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { detail, samples, leftOut, loadError } = useOpenSession(side, sessionId);
  if (detail === null) {
    return (
      <div className={styles.center}>
        {loadError === null ? (
          <Spinner label={t('word.loading')} />
        ) : (
          <ErrorView
            error={loadError}
            action={{ label: t('word.retry'), run: () => mirror.refetchSession(side, sessionId) }}
          />
        )}
      </div>
    );
  }
  return (
    <div className={styles.page}>
      <SessionHeader side={side} detail={detail} />
      <SessionNotices detail={detail} leftOut={leftOut} />
      <HandshakeCard steps={detail.steps} attempt={detail.attempt} gateway={detail.gateway} state={detail.state} />
      <div className={styles.figures}>
        <SummaryCard detail={detail} />
        <DataCard detail={detail} />
        <StatusCard detail={detail} />
        <ThroughputCard samples={samples} state={detail.state} />
      </div>
      <div className={styles.lists}>
        <ObjectsCard objects={detail.objects} areNamesHidden={detail.areObjectNamesHidden} state={detail.state} />
        <ActionsCard
          sessionId={detail.id}
          jobName={detail.jobName}
          actions={detail.actions}
          hasEnded={isFinal(detail)}
        />
      </div>
      {detail.warnings.length > 0 && <WarningsCard detail={detail} />}
    </div>
  );
}
