// Owns the list of a session's objects. If the job hides its names, the provider's side shows a note instead.
import { makeStyles, tokens } from '@fluentui/react-components';
import { memo } from 'react';
import type { ReactNode } from 'react';
import type { SessionObject, SessionState } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { formatBytes, formatPercent } from '../../../platform/format.ts';
import { SimpleTable } from '../../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../../ui/status-badge.tsx';
import type { Tone } from '../../../ui/status-badge.tsx';
import { Card } from '../../../ui/card.tsx';
import { movementOf } from '../state/shown-state.ts';

const tones: Readonly<Record<SessionObject['state'], Tone>> = {
  waiting: 'neutral',
  paused: 'paused',
  unfinished: 'neutral',
  running: 'info',
  done: 'success',
  warning: 'warning',
  failed: 'danger',
};

const useStyles = makeStyles({
  scroller: { overflowY: 'auto', flexGrow: 1, minHeight: '120px', maxHeight: '340px' },
  muted: { margin: '4px 0', color: tokens.colorNeutralForeground3 },
});

interface ObjectsCardProps {
  readonly objects: readonly SessionObject[];
  readonly areNamesHidden: boolean;
  /** The session's state. */
  readonly state: SessionState;
}

/** Redrawn after a change of an object, not after every change of the session's figures. */
export const ObjectsCard = memo(function ObjectsCard({
  objects,
  areNamesHidden,
  state: sessionState,
}: ObjectsCardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const stateBadge = ({ state, sizeBytes, processedBytes }: SessionObject): ReactNode => (
    <StatusBadge tone={tones[state]}>
      {state === 'running' && sizeBytes !== null && sizeBytes > 0
        ? formatPercent(processedBytes, sizeBytes)
        : t(`objects.state.${state}`)}
    </StatusBadge>
  );
  return (
    <Card isCompact title={t('objects.title')}>
      {areNamesHidden && <p className={styles.muted}>{t('objects.hidden')}</p>}
      <div className={styles.scroller} tabIndex={0} role="group" aria-label={t('objects.title')}>
        {objects.length === 0 ? (
          <p className={styles.muted}>{t(`objects.empty.${movementOf(sessionState)}`)}</p>
        ) : (
          <SimpleTable
            label={t('objects.title')}
            rows={objects}
            rowKey={({ name }) => name}
            columns={[
              { id: 'name', title: t('objects.name'), isBreakable: true, cell: ({ name }) => name },
              {
                id: 'state',
                title: t('objects.state'),
                width: '110px',
                cell: stateBadge,
              },
              {
                id: 'size',
                title: t('objects.size'),
                width: '90px',
                isNumeric: true,
                cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : formatBytes(sizeBytes)),
              },
            ]}
          />
        )}
      </div>
    </Card>
  );
});
