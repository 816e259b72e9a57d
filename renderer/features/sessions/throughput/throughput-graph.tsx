// Owns the canvas of the throughput graph. Gives columns to uPlot, and reports the sample under the mouse.
import { tokens } from '@fluentui/react-components';
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatInstant, formatRate } from '../../../platform/format.ts';
import type { MeaningColors } from '../../../ui/app-theme.ts';
import { useMeaningColors } from '../../../ui/theme-name.tsx';
import { useElementWidth } from '../../../ui/use-element-width.ts';
import type { ThroughputColumns } from './throughput-series.ts';

interface ThroughputGraphProps {
  readonly columns: ThroughputColumns;
  readonly height: number;
  readonly label: string;
  /** Time of the sample under the mouse, in seconds since 1970; null if the mouse is elsewhere. */
  readonly onHover: (seconds: number | null) => void;
}

const leastSeconds = 20;

function cssColor(element: HTMLElement, token: string): string {
  const name = token.slice('var('.length, -1);
  return getComputedStyle(element).getPropertyValue(name).trim() || '#888888';
}

/** The moments that divide a time into equal parts, with both ends. */
function evenly(min: number, max: number, parts: number): number[] {
  return Array.from({ length: parts + 1 }, (_, index) => min + ((max - min) * index) / parts);
}

/** Whether the graph has only one sample. One sample is not enough for a line. */
const isAlone = (plot: uPlot): boolean => plot.data[0].length < 2;

function optionsFor(
  element: HTMLElement,
  size: { readonly width: number; readonly height: number },
  colors: MeaningColors,
  onHover: (seconds: number | null) => void,
): uPlot.Options {
  const text = cssColor(element, tokens.colorNeutralForeground3);
  const lines = cssColor(element, tokens.colorNeutralStroke3);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: text, font, grid: { stroke: lines, width: 1 }, ticks: { show: false } } as const;
  return {
    ...size,
    // At the right there is room for half of the last time label.
    padding: [6, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: {
      // A session of one second also gets a time axis, and its line grows to the right. Without this range, uPlot would show a whole day
      // for one sample.
      x: {
        time: true,
        range: (plot, min, max) => [min, isAlone(plot) ? min + leastSeconds : Math.max(max, min + leastSeconds)],
      },
      y: { range: (_plot, _min, max) => [0, Math.max(1_000_000, max * 1.08)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        gap: 10,
        // Also a narrow graph names its first and its last moment.
        splits: ({ width }, _axis, min, max) => evenly(min, max, Math.max(1, Math.floor((width - 98) / 90))),
        values: (_plot, splits) =>
          splits.map((seconds) => formatInstant(new Date(seconds * 1000).toISOString(), 'time')),
      },
      { ...axis, size: 70, gap: 6, space: 26, values: (_plot, splits) => splits.map(formatRate) },
    ],
    series: [
      {},
      { stroke: colors.read, width: 1.5, fill: `${colors.read}22`, points: { show: isAlone, size: 5 } },
      { stroke: colors.transferred, width: 1.5, fill: `${colors.transferred}22`, points: { show: isAlone, size: 5 } },
    ],
    hooks: { setCursor: [({ cursor: { idx }, data }) => onHover(idx == null ? null : (data[0][idx] ?? null))] },
  };
}

export function ThroughputGraph({ columns, height, label, onHover }: ThroughputGraphProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const width = useElementWidth(frame, 300);
  const colors = useMeaningColors();
  const latestColumns = useRef(columns);
  const latestHover = useRef(onHover);
  useEffect(() => {
    latestColumns.current = columns;
    latestHover.current = onHover;
  });

  useEffect(() => {
    if (frame.current === null) return undefined;
    const hover = (seconds: number | null): void => latestHover.current(seconds);
    const options = optionsFor(frame.current, { width: 300, height }, colors, hover);
    plot.current = new uPlot(options, copyOf(latestColumns.current), frame.current);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [colors, height]);
  useEffect(() => {
    plot.current?.setSize({ width, height });
  }, [width, height, colors]);
  useEffect(() => {
    plot.current?.setData(copyOf(columns));
  }, [columns]);

  return <div ref={frame} role="img" aria-label={label} style={{ height, minWidth: 0, overflow: 'hidden' }} />;
}

/** uPlot's types require arrays that it may change. */
function copyOf([seconds, read, transferred]: ThroughputColumns): uPlot.AlignedData {
  return [[...seconds], [...read], [...transferred]];
}
