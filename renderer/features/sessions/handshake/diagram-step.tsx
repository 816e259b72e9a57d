// Owns drawing one step: arrow, local link, dot or bar, with its label. The color shows what it carries; red shows a failure.
import { mergeClasses } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../../i18n/use-text.ts';
import { groupKeyIdentifier } from '../../../platform/format.ts';
import type { MeaningColors } from '../../../ui/app-theme.ts';
import { useMeaningColors } from '../../../ui/theme-name.tsx';
import { useDiagramStyles } from './diagram-styles.ts';
import { fitLabel } from './handshake-layout.ts';
import type { PlacedStep, StepTone } from './handshake-layout.ts';
import { stepDetail } from './step-detail.ts';

interface DiagramStepProps {
  readonly placed: PlacedStep;
  readonly isFocusable: boolean;
  readonly isExplained: boolean;
  readonly describedBy: string;
  readonly onExplain: (isExplained: boolean) => void;
  readonly onFocus: () => void;
  readonly register: (element: SVGGElement | null) => void;
}

const barHeight = 16;

function toneColor(tone: StepTone, colors: MeaningColors): string {
  return tone === 'channel' ? colors.channel : tone === 'key-a' ? colors.keyA : colors.keyB;
}

export function DiagramStep({
  placed,
  isFocusable,
  isExplained,
  describedBy,
  onExplain,
  onFocus,
  register,
}: DiagramStepProps): ReactNode {
  const t = useText();
  const styles = useDiagramStyles();
  const colors = useMeaningColors();
  const { step, shape, tone, y } = placed;
  const isBad = step.outcome === 'failed' || step.outcome === 'security-warning';
  const color = isBad ? colors.danger : toneColor(tone, colors);
  const title = t(`step.${step.step}`);
  const stepText = stepDetail(step.detail, t);
  const showsKey = step.step === 'key-a-created' || step.step === 'key-b-created';
  const identifier = showsKey && step.keyIdentifier !== null ? groupKeyIdentifier(step.keyIdentifier) : '';
  const detail = isBad
    ? stepText === ''
      ? t(`handshake.outcome.${step.outcome}`)
      : stepText
    : identifier === ''
      ? stepText
      : identifier;
  const label = fitLabel(title, detail, placed.labelWidth);
  const left = Math.min(placed.fromX, placed.toX);
  const right = Math.max(placed.fromX, placed.toX);
  const hit = shape === 'dot' ? dotHit(placed) : { x: left - 4, width: right - left + 8 };
  const name = t('handshake.step.name', {
    title,
    outcome: t(`handshake.outcome.${step.outcome}`),
    detail: [stepText, identifier].filter((text) => text !== '').join(', '),
  });
  return (
    <g
      ref={register}
      role="img"
      tabIndex={isFocusable ? 0 : -1}
      aria-label={name}
      aria-describedby={isExplained ? describedBy : undefined}
      className={mergeClasses(styles.step, step.outcome === 'active' && styles.active)}
      data-step={step.step}
      data-outcome={step.outcome}
      onMouseEnter={() => onExplain(true)}
      onMouseLeave={() => onExplain(false)}
      onFocus={() => {
        onFocus();
        onExplain(true);
      }}
      onBlur={() => onExplain(false)}
    >
      <rect
        x={hit.x}
        y={y - 14}
        width={hit.width}
        height={19}
        rx={3}
        className={mergeClasses(styles.hit, isExplained && styles.hitHovered)}
      />
      {shape === 'bar' ? (
        <Bar
          placed={placed}
          color={color}
          soft={isBad ? 'transparent' : tone === 'key-b' ? colors.keyBSoft : colors.channelSoft}
          isBad={isBad}
        />
      ) : shape === 'dot' ? (
        <Dot x={placed.fromX} y={step.step === 'key-b-created' ? y : y - 3} color={color} isBad={isBad} />
      ) : (
        <Arrow placed={placed} color={color} isBad={isBad} />
      )}
      <text
        x={placed.labelX}
        y={shape === 'bar' ? y - 2 : shape === 'dot' && step.step !== 'key-b-created' ? y : y - 4}
        textAnchor={placed.labelAnchor}
        className={shape === 'bar' ? styles.barLabel : styles.label}
        fill={color}
        fontWeight={isBad ? 600 : 400}
      >
        {label}
      </text>
    </g>
  );
}

function dotHit({ labelX, labelAnchor, labelWidth, fromX }: PlacedStep): {
  readonly x: number;
  readonly width: number;
} {
  const length = Math.min(labelWidth, 240);
  return labelAnchor === 'start' ? { x: fromX - 8, width: length + 16 } : { x: labelX - length, width: length + 18 };
}

interface ShapeProps {
  readonly color: string;
  readonly isBad: boolean;
}

function Arrow({
  placed: { fromX, toX, y, shape },
  color,
  isBad,
}: ShapeProps & { readonly placed: PlacedStep }): ReactNode {
  const direction = toX > fromX ? 1 : -1;
  const tip = toX - direction * 2;
  return (
    <>
      <line
        x1={fromX + direction * 2}
        x2={tip - direction * 6}
        y1={y}
        y2={y}
        stroke={color}
        strokeWidth={isBad ? 2.5 : 1.5}
        strokeDasharray={shape === 'local' ? '5 3' : undefined}
      />
      <path d={`M${tip} ${y}l${-direction * 8} -4v8Z`} fill={color} />
      {isBad && <Cross x={(fromX + toX) / 2} y={y} color={color} />}
    </>
  );
}

function Bar({
  placed: { fromX, toX, y },
  color,
  soft,
  isBad,
}: ShapeProps & { readonly placed: PlacedStep; readonly soft: string }): ReactNode {
  const left = Math.min(fromX, toX);
  const right = Math.max(fromX, toX);
  return (
    <rect
      x={left}
      y={y - barHeight + 2}
      width={right - left}
      height={barHeight}
      rx={barHeight / 2}
      fill={soft}
      stroke={color}
      strokeWidth={isBad ? 2.5 : 1}
    />
  );
}

function Dot({ x, y, color, isBad }: ShapeProps & { readonly x: number; readonly y: number }): ReactNode {
  return isBad ? <Cross x={x} y={y} color={color} /> : <circle cx={x} cy={y} r={4.5} fill={color} />;
}

function Cross({ x, y, color }: { readonly x: number; readonly y: number; readonly color: string }): ReactNode {
  return <path d={`M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9`} stroke={color} strokeWidth={2.5} strokeLinecap="round" />;
}
