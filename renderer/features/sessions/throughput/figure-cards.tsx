// Owns the three boxes Summary, Data and Status. Figures stay in place while they change.
import { InfoLabel, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import {
  formatBytes,
  formatClock,
  formatRunTime,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatRatio,
} from '../../../platform/format.ts';
import { isFinal } from '../../../platform/mirror/apply-event.ts';
import { useNow } from '../../../ui/time/use-now.ts';
import { bottleneckParts, largestPart } from './bottleneck.ts';
import { Card } from '../../../ui/card.tsx';
import { ratesOf } from '../state/session-rates.ts';
import { hasFigures, movementOf } from '../state/shown-state.ts';
import { statusFigures } from './status-figures.ts';

const useStyles = makeStyles({
  list: { display: 'grid', gridTemplateColumns: '1fr auto', columnGap: '12px', rowGap: '3px', margin: 0 },
  name: { color: tokens.colorNeutralForeground3, whiteSpace: 'nowrap' },
  value: {
    margin: 0,
    textAlign: 'right',
    fontWeight: tokens.fontWeightSemibold,
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
  },
  warning: { color: tokens.colorPaletteDarkOrangeForeground1 },
  danger: { color: tokens.colorPaletteRedForeground1 },
  help: { display: 'flex', flexDirection: 'column', gap: '6px', maxWidth: '280px' },
  share: { display: 'grid', gridTemplateColumns: '1fr auto', columnGap: '12px', margin: 0 },
});

interface Figure {
  readonly name: string;
  readonly value: ReactNode;
  readonly tone?: 'warning' | 'danger';
}

function Figures({ figures }: { readonly figures: readonly Figure[] }): ReactNode {
  const styles = useStyles();
  return (
    <dl className={styles.list}>
      {figures.map(({ name, value, tone }) => (
        <div key={name} className="contents">
          <dt className={styles.name}>{name}</dt>
          <dd className={mergeClasses(styles.value, tone !== undefined && styles[tone])}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function SummaryCard({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const isRunning = !isFinal(detail);
  const now = useNow(isRunning);
  const { createdAt, endedAt, progress } = detail;
  const durationMs = (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(createdAt);
  const rates = ratesOf(detail);
  const left = movementOf(detail.state) === 'moving' ? progress.secondsLeft : null;
  return (
    <Card isCompact title={t('session.summary')}>
      <Figures
        figures={[
          {
            name: t('session.summary.duration'),
            value: isRunning ? formatClock(durationMs) : formatRunTime(durationMs),
          },
          { name: t('session.summary.readRate'), value: rates === null ? '–' : formatRate(rates.readBytesPerSecond) },
          {
            name: t('session.summary.transferRate'),
            value: rates === null ? '–' : formatRate(rates.transferredBytesPerSecond),
          },
          { name: t('session.summary.left'), value: left === null ? '–' : formatDuration(left * 1000) },
          { name: t('session.summary.bottleneck'), value: <BottleneckFigure detail={detail} /> },
        ]}
      />
    </Card>
  );
}

function BottleneckFigure({ detail: { bottleneck, state } }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const part = largestPart(bottleneck);
  if (bottleneck === null || movementOf(state) === 'still') return '–';
  const name = t(`bottleneck.${part}`);
  return (
    <InfoLabel
      info={
        <div className={styles.help}>
          <span>{t(`bottleneck.help.${part}`)}</span>
          <dl className={styles.share} aria-label={t('bottleneck.title')}>
            {bottleneckParts.map((candidate) => (
              <div key={candidate} className="contents">
                <dt>{t(`bottleneck.${candidate}`)}</dt>
                <dd className={styles.value}>{Math.round(bottleneck[candidate] * 100)} %</dd>
              </div>
            ))}
          </dl>
        </div>
      }
    >
      {part === 'none' ? name : t('bottleneck.share', { name, percent: `${Math.round(bottleneck[part] * 100)} %` })}
    </InfoLabel>
  );
}

export function DataCard({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const { totalBytes, processedBytes, readBytes, transferredBytes, contentBytes = 0 } = detail.progress;
  const { safeBytes, restored } = detail.progress;
  const ratio = formatRatio(contentBytes, transferredBytes);
  const bytes = (count: number): string => (hasFigures(detail) ? formatBytes(count) : '–');
  return (
    <Card isCompact title={t('session.data')}>
      <Figures
        figures={[
          {
            name: t('session.data.processed'),
            value:
              totalBytes === null
                ? bytes(processedBytes)
                : t('session.data.percent', {
                    bytes: formatBytes(processedBytes),
                    percent: formatPercent(processedBytes, totalBytes),
                  }),
          },
          { name: t('session.data.read'), value: bytes(readBytes) },
          {
            name: t('session.data.transferred'),
            value:
              ratio === null
                ? bytes(transferredBytes)
                : t('session.data.ratio', { bytes: formatBytes(transferredBytes), ratio }),
          },
          detail.kind === 'restore'
            ? { name: t('session.data.restored'), value: restored === undefined ? '–' : formatBytes(restored.bytes) }
            : { name: t('session.data.safe'), value: formatBytes(safeBytes) },
        ]}
      />
    </Card>
  );
}

export function StatusCard({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const { success, errors, other } = statusFigures(detail);
  return (
    <Card isCompact title={t('session.status')}>
      <Figures
        figures={[
          { name: t('session.status.success'), value: formatCount(success) },
          {
            name: t('session.status.warnings'),
            value: formatCount(detail.warningCount),
            ...(detail.warningCount > 0 ? { tone: 'warning' as const } : {}),
          },
          {
            name: t('session.status.errors'),
            value: formatCount(errors),
            ...(errors > 0 ? { tone: 'danger' as const } : {}),
          },
          { name: t(`session.status.${other.name}`), value: formatCount(other.count) },
        ]}
      />
    </Card>
  );
}
