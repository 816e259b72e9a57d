// Owns drawing the handshake: one lane for each party, and each step when it happens. Mouse or keyboard selects one step, which is then explained.
import { mergeClasses } from '@fluentui/react-components';
import { useId, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { lanes } from '../../../../services/contracts/models/handshake.ts';
import type { HandshakeStep } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { formatDuration, formatInstant, groupKeyIdentifier } from '../../../platform/format.ts';
import { useElementWidth } from '../../../ui/use-element-width.ts';
import { DiagramStep } from './diagram-step.tsx';
import { useDiagramStyles } from './diagram-styles.ts';
import { diagramHeight, headHeight, laneX, placeSteps, rowOffsets, titleLines } from './handshake-layout.ts';
import type { PlacedStep } from './handshake-layout.ts';
import { stepDetail } from './step-detail.ts';

interface HandshakeDiagramProps {
  readonly steps: readonly HandshakeStep[];
  readonly attempt: number;
  readonly gateway: string | null;
  readonly hasEnded: boolean;
}

const compactBelowHeight = 800;
const tooltipWidth = 320;

export function HandshakeDiagram({ steps, attempt, gateway, hasEnded }: HandshakeDiagramProps): ReactNode {
  const t = useText();
  const styles = useDiagramStyles();
  const tooltipId = useId();
  const frame = useRef<HTMLDivElement>(null);
  const width = useElementWidth(frame, 980);
  const rowHeight = window.innerHeight < compactBelowHeight ? 19 : 22;
  const size = { width, rowHeight };
  const placed = placeSteps(steps, attempt, size);
  const [explainedName, setExplainedName] = useState<string | null>(null);
  const [focusedName, setFocusedName] = useState<string | null>(null);
  const explained = placed.find(({ step }) => step.step === explainedName);
  const focusable = placed.find(({ step }) => step.step === focusedName) ?? placed[0];

  const marks = useRef(new Map<string, SVGGElement>());
  const move = (event: KeyboardEvent): void => {
    const index = placed.findIndex(({ step }) => step.step === focusable?.step.step);
    const offset = ['ArrowDown', 'ArrowRight'].includes(event.key)
      ? 1
      : ['ArrowUp', 'ArrowLeft'].includes(event.key)
        ? -1
        : 0;
    if (event.key === 'Escape' && explainedName !== null) setExplainedName(null);
    const next = offset === 0 ? undefined : placed[index + offset];
    if (next === undefined) return;
    event.preventDefault();
    setFocusedName(next.step.step);
    marks.current.get(next.step.step)?.focus();
  };
  const height = diagramHeight(size);
  return (
    <div className={styles.frame} ref={frame}>
      <svg
        className={styles.svg}
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={t('handshake.diagram', { attempt })}
        onKeyDown={move}
      >
        {lanes.map((lane) => (
          <g key={lane}>
            <text className={styles.laneTitle}>
              {titleLines(
                lane === 'gateway' && gateway !== null
                  ? t('handshake.lane.gateway.named', { name: gateway })
                  : t(`handshake.lane.${lane}`),
                size,
              ).map((line, index, lines) => (
                <tspan key={line} x={laneX(lane, size)} y={lines.length === 1 ? 14 : 10 + index * 11}>
                  {line}
                </tspan>
              ))}
            </text>
            <line
              x1={laneX(lane, size)}
              x2={laneX(lane, size)}
              y1={headHeight - 4}
              y2={height}
              className={styles.lane}
            />
          </g>
        ))}
        {[...rowOffsets(placed)].map(([row, { y, at, offsetMs }]) => (
          <text key={row} x={0} y={y + 4} className={styles.time}>
            {row === 0 ? formatInstant(at, 'time') : `+${formatDuration(offsetMs)}`}
          </text>
        ))}
        {placed.map((step) => (
          <DiagramStep
            key={step.step.step}
            placed={step}
            isFocusable={step.step.step === focusable?.step.step}
            isExplained={step.step.step === explainedName}
            describedBy={tooltipId}
            onExplain={(isExplained) => setExplainedName(isExplained ? step.step.step : null)}
            onFocus={() => setFocusedName(step.step.step)}
            register={(element) => {
              if (element === null) marks.current.delete(step.step.step);
              else marks.current.set(step.step.step, element);
            }}
          />
        ))}
      </svg>
      {placed.length === 0 && <p className={styles.empty}>{t(hasEnded ? 'handshake.none' : 'handshake.empty')}</p>}
      {explained !== undefined && <Explanation id={tooltipId} placed={explained} width={width} height={height} />}
    </div>
  );
}

interface ExplanationProps {
  readonly id: string;
  readonly placed: PlacedStep;
  readonly width: number;
  readonly height: number;
}

function Explanation({ id, placed, width, height }: ExplanationProps): ReactNode {
  const t = useText();
  const styles = useDiagramStyles();
  const { step } = placed;
  const middle = (placed.fromX + placed.toX) / 2;
  const left = Math.max(0, Math.min(width - tooltipWidth, middle - tooltipWidth / 2));
  const isAbove = placed.y > height / 2;
  const isBad = step.outcome === 'failed' || step.outcome === 'security-warning';
  return (
    <div
      id={id}
      role="tooltip"
      className={styles.tooltip}
      style={{ left, width: tooltipWidth, ...(isAbove ? { bottom: height - placed.y + 16 } : { top: placed.y + 12 }) }}
    >
      <span className={styles.tooltipTitle}>{t(`step.${step.step}`)}</span>
      <span>{t(`step.${step.step}.help`)}</span>
      {step.detail !== '' && <span className={styles.tooltipDetail}>{stepDetail(step.detail, t)}</span>}
      {step.keyIdentifier !== null && (
        <span className={styles.tooltipDetail}>
          {t('handshake.column.key')} {groupKeyIdentifier(step.keyIdentifier)}
        </span>
      )}
      <span className={mergeClasses(styles.tooltipMeta, isBad && styles.tooltipBad)}>
        {formatInstant(step.at, 'exact')} · {t(`handshake.outcome.${step.outcome}`)}
        {step.durationMs !== null && ` · ${formatDuration(step.durationMs)}`}
      </span>
    </div>
  );
}
