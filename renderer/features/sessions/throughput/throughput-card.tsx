// Owns the card Throughput: range, the current value or the value under the mouse, and the same figures as a table.
import { Button, Select, Tooltip, makeStyles, tokens } from '@fluentui/react-components';
import { DataLine20Regular, Table20Regular } from '@fluentui/react-icons';
import { memo, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { SessionState, ThroughputSample } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { formatInstant, formatRate } from '../../../platform/format.ts';
import { useMeaningColors } from '../../../ui/theme-name.tsx';
import { SimpleTable } from '../../../ui/table/simple-table.tsx';
import { Card } from '../../../ui/card.tsx';
import { movementOf } from '../state/shown-state.ts';
import { ThroughputGraph } from './throughput-graph.tsx';
import { samplesInRange, thinOut, toColumns } from './throughput-series.ts';
import type { ThroughputRange } from './throughput-series.ts';

const graphHeight = 112;
const mostPoints = 600;
const tableRows = 60;

const useStyles = makeStyles({
  aside: { display: 'flex', alignItems: 'center', gap: '4px' },
  legend: {
    display: 'flex',
    gap: '14px',
    fontSize: tokens.fontSizeBase200,
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
    height: '18px',
  },
  entry: { display: 'inline-flex', alignItems: 'center', gap: '5px' },
  swatch: { width: '10px', height: '10px', borderRadius: '2px', forcedColorAdjust: 'none' },
  muted: { color: tokens.colorNeutralForeground3, margin: '28px 0 0 0', textAlign: 'center' },
  frame: { height: `${graphHeight}px` },
  table: { height: `${graphHeight + 18}px`, overflowY: 'auto' },
});

interface ThroughputCardProps {
  readonly samples: readonly ThroughputSample[];
  readonly state: SessionState;
}

/** Redrawn after every sample (one a second), not after every change of the session's figures. */
export const ThroughputCard = memo(function ThroughputCard({ samples, state }: ThroughputCardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const colors = useMeaningColors();
  const [range, setRange] = useState<ThroughputRange>('five-minutes');
  const [isTable, setTable] = useState(false);
  const [hovered, setHovered] = useState<number | null>(null);
  const shown = useMemo(() => thinOut(samplesInRange(samples, range), mostPoints), [samples, range]);
  const columns = useMemo(() => toColumns(shown), [shown]);
  const hoveredSample =
    hovered === null ? undefined : shown.find(({ at }) => Date.parse(at) === Math.round(hovered * 1000));
  // Without a hovered sample, the legend shows the speed of now. A session that does not move has none.
  const current = hoveredSample ?? (movementOf(state) === 'moving' ? shown.at(-1) : undefined);
  const read = current === undefined ? '–' : formatRate(current.readBytesPerSecond);
  const transferred = current === undefined ? '–' : formatRate(current.transferredBytesPerSecond);
  const toggleLabel = t(isTable ? 'throughput.asGraph' : 'throughput.asTable');
  return (
    <Card
      isCompact
      title={t('throughput.title')}
      aside={
        <div className={styles.aside}>
          <Select
            size="small"
            aria-label={t('throughput.range')}
            value={range}
            onChange={(_event, data) => setRange(data.value === 'whole-run' ? 'whole-run' : 'five-minutes')}
          >
            <option value="five-minutes">{t('throughput.fiveMinutes')}</option>
            <option value="whole-run">{t('throughput.wholeRun')}</option>
          </Select>
          <Tooltip content={toggleLabel} relationship="label">
            <Button
              size="small"
              appearance="subtle"
              icon={isTable ? <DataLine20Regular /> : <Table20Regular />}
              onClick={() => setTable(!isTable)}
            />
          </Tooltip>
        </div>
      }
    >
      {isTable ? (
        <div className={styles.table} tabIndex={0} role="group" aria-label={t('throughput.title')}>
          <SimpleTable
            label={t('throughput.title')}
            rows={shown.slice(-tableRows).toReversed()}
            rowKey={({ at }) => at}
            columns={[
              { id: 'time', title: t('throughput.time'), cell: ({ at }) => formatInstant(at, 'time') },
              {
                id: 'read',
                title: t('throughput.read'),
                isNumeric: true,
                cell: (sample) => formatRate(sample.readBytesPerSecond),
              },
              {
                id: 'transferred',
                title: t('throughput.transferred'),
                isNumeric: true,
                cell: (sample) => formatRate(sample.transferredBytesPerSecond),
              },
            ]}
          />
        </div>
      ) : (
        <>
          <div className={styles.legend}>
            <span className={styles.entry}>
              <span className={styles.swatch} style={{ backgroundColor: colors.read }} aria-hidden />
              {t('throughput.read')} {read}
            </span>
            <span className={styles.entry}>
              <span className={styles.swatch} style={{ backgroundColor: colors.transferred }} aria-hidden />
              {t('throughput.transferred')} {transferred}
            </span>
            {hovered !== null && current !== undefined && <span>{formatInstant(current.at, 'time')}</span>}
          </div>
          <div className={styles.frame}>
            {shown.length === 0 ? (
              <p className={styles.muted}>{t(`throughput.empty.${movementOf(state)}`)}</p>
            ) : (
              <ThroughputGraph
                columns={columns}
                height={graphHeight}
                label={t('throughput.graph', { read, transferred })}
                onHover={setHovered}
              />
            )}
          </div>
        </>
      )}
    </Card>
  );
});
