// Owns the live view of one session, the same for tenant and provider.
import { Spinner, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../../i18n/use-text.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import { isFinal } from '../../../platform/mirror/apply-event.ts';
import { mirror, useOpenSession } from '../../../platform/use-mirror.ts';
import { ErrorView } from '../../../ui/error-view.tsx';
import { useMediaQuery } from './use-media-query.ts';
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
    gridTemplateColumns: 'minmax(252px, 1fr) minmax(264px, 1.1fr) minmax(172px, 0.7fr) minmax(280px, 1.8fr)',
    gap: '10px',
    flexShrink: 0,
    '@media (max-width: 1150px)': { gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)' },
  },
  lists: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 2fr) minmax(0, 3fr)',
    gap: '10px',
    flexGrow: 1,
    alignItems: 'stretch',
    '@media (max-height: 820px)': {
      height: '250px',
      gridTemplateRows: 'minmax(0, 1fr)',
      flexShrink: 0,
      '& > *': { minHeight: 0 },
    },
  },
});

interface SessionPageProps {
  readonly side: SessionSide;
  readonly sessionId: string;
}

export function SessionPage({ side, sessionId }: SessionPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  // In a low window, the diagram would push objects and actions out of view.
  const isLow = useMediaQuery('(max-height: 820px)');
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
  const handshake = (
    <HandshakeCard steps={detail.steps} attempt={detail.attempt} gateway={detail.gateway} state={detail.state} />
  );
  return (
    <div className={styles.page}>
      <SessionHeader side={side} detail={detail} />
      <SessionNotices detail={detail} leftOut={leftOut} />
      {!isLow && handshake}
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
      {isLow && handshake}
      {detail.warnings.length > 0 && <WarningsCard detail={detail} />}
    </div>
  );
}
