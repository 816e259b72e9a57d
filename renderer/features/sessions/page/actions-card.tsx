// Owns the list of a session's actions with their durations, newest at the end. The list scrolls to the end until the user scrolls up.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { ErrorCircle16Filled, Info16Regular, ShieldError16Filled, Warning16Filled } from '@fluentui/react-icons';
import { memo, useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import type { SessionAction } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { formatDuration } from '../../../platform/format.ts';
import { Instant } from '../../../ui/time/instant.tsx';
import { SimpleTable } from '../../../ui/table/simple-table.tsx';
import { Card } from '../../../ui/card.tsx';
import { LogButtons } from './log-buttons.tsx';
import type { LoggedSession } from './session-log.ts';

const icons: Readonly<Record<SessionAction['level'], ReactNode>> = {
  info: <Info16Regular aria-hidden />,
  warning: <Warning16Filled aria-hidden />,
  error: <ErrorCircle16Filled aria-hidden />,
  security: <ShieldError16Filled aria-hidden />,
};

const useStyles = makeStyles({
  scroller: { overflowY: 'auto', flexGrow: 1, minHeight: '120px', maxHeight: '340px' },
  muted: { margin: '4px 0', color: tokens.colorNeutralForeground3 },
  text: { display: 'flex', gap: '6px', alignItems: 'flex-start', '& svg': { flexShrink: 0, marginTop: '2px' } },
  info: { '& svg': { color: tokens.colorNeutralForeground3 } },
  warning: { '& svg': { color: tokens.colorPaletteDarkOrangeForeground1 } },
  error: { '& svg': { color: tokens.colorPaletteRedForeground1 } },
  security: { color: tokens.colorPaletteRedForeground1, fontWeight: tokens.fontWeightSemibold },
});

const nearEndPixels = 40;

interface ActionsCardProps extends LoggedSession {
  readonly hasEnded: boolean;
}

/** Redrawn after a new action, not after every change of the session's figures. */
export const ActionsCard = memo(function ActionsCard({ hasEnded, ...session }: ActionsCardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const { actions } = session;
  useEffect(() => {
    if (scroller.current !== null && isAtEnd.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [actions.length]);
  return (
    <Card isCompact title={t('actions.title')} aside={actions.length > 0 && <LogButtons {...session} />}>
      <div
        className={styles.scroller}
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={t('actions.title')}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - nearEndPixels;
        }}
      >
        {actions.length === 0 ? (
          <p className={styles.muted}>{t(hasEnded ? 'actions.none' : 'actions.empty')}</p>
        ) : (
          <SimpleTable
            label={t('actions.title')}
            rows={actions}
            rowKey={({ sequence }) => String(sequence)}
            columns={[
              {
                id: 'text',
                title: t('actions.text'),
                cell: ({ level, text }) => (
                  <span className={mergeClasses(styles.text, styles[level])}>
                    {icons[level]}
                    <span>{text}</span>
                  </span>
                ),
              },
              {
                id: 'time',
                title: t('actions.time'),
                width: '84px',
                cell: ({ at }) => <Instant at={at} style="time" />,
              },
              {
                id: 'duration',
                title: t('actions.duration'),
                width: '90px',
                isNumeric: true,
                cell: ({ durationMs }) => (durationMs === null ? '' : formatDuration(durationMs)),
              },
            ]}
          />
        )}
      </div>
    </Card>
  );
});
