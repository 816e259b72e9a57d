// Owns the table of the handshake: the same steps and details as the diagram, for screen readers and for copying.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { handshakeRoutes } from '../../../../services/contracts/models/handshake.ts';
import type { HandshakeStep } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { formatDuration, groupKeyIdentifier } from '../../../platform/format.ts';
import { Instant } from '../../../ui/time/instant.tsx';
import { SimpleTable } from '../../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../../ui/status-badge.tsx';
import type { Tone } from '../../../ui/status-badge.tsx';
import { stepDetail } from './step-detail.ts';

const tones: Readonly<Record<HandshakeStep['outcome'], Tone>> = {
  active: 'info',
  done: 'success',
  failed: 'danger',
  'security-warning': 'security',
};

const useStyles = makeStyles({
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, whiteSpace: 'nowrap' },
});

interface HandshakeTableProps {
  readonly steps: readonly HandshakeStep[];
  readonly attempt: number;
}

export function HandshakeTable({ steps, attempt }: HandshakeTableProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const shown = steps.filter((step) => step.attempt === attempt);
  const between = ({ step }: HandshakeStep): string => {
    const { from, to } = handshakeRoutes[step];
    return from === to ? t(`handshake.lane.${from}`) : `${t(`handshake.lane.${from}`)} → ${t(`handshake.lane.${to}`)}`;
  };
  return (
    <SimpleTable
      label={t('handshake.title')}
      rows={shown}
      rowKey={({ step }) => step}
      columns={[
        { id: 'step', title: t('handshake.column.step'), cell: ({ step }) => t(`step.${step}`) },
        { id: 'between', title: t('handshake.column.from'), cell: between },
        { id: 'time', title: t('handshake.column.time'), cell: ({ at }) => <Instant at={at} style="time" /> },
        {
          id: 'outcome',
          title: t('handshake.column.outcome'),
          cell: ({ outcome }) => <StatusBadge tone={tones[outcome]}>{t(`handshake.outcome.${outcome}`)}</StatusBadge>,
        },
        {
          id: 'detail',
          title: t('handshake.column.detail'),
          isBreakable: true,
          cell: ({ detail }) => stepDetail(detail, t),
        },
        {
          id: 'key',
          title: t('handshake.column.key'),
          cell: ({ keyIdentifier }) => (
            <span className={styles.code}>{keyIdentifier === null ? '' : groupKeyIdentifier(keyIdentifier)}</span>
          ),
        },
        {
          id: 'duration',
          title: t('handshake.column.duration'),
          isNumeric: true,
          cell: ({ durationMs }) => (durationMs === null ? '' : formatDuration(durationMs)),
        },
      ]}
    />
  );
}
