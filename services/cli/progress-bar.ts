// Owns the progress line on a terminal: bar, share, amount, rate, time left. Writes to stderr, and only when that is a terminal.
import type { SessionProgress } from '../contracts/models/session.ts';
import { formatBytes, formatDuration, formatRate } from './quantities.ts';

export interface ProgressLine {
  show(progress: SessionProgress, label: string): void;
  /** Removes the line, so that other text can follow. */
  clear(): void;
}

const barWidth = 24;
const redrawIntervalMs = 100;

export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined };
  let lastDrawnAt = 0;
  let isShown = false;
  return {
    show(progress, label) {
      const now = Date.now();
      if (isShown && now - lastDrawnAt < redrawIntervalMs) return;
      lastDrawnAt = now;
      isShown = true;
      // Some terminals do not know their width.
      const width = stream.columns > 1 ? stream.columns - 1 : 79;
      const line = formatProgress(progress, label).slice(0, width);
      stream.write(`\r\u001b[2K${line}`);
    },
    clear() {
      if (isShown) stream.write('\r\u001b[2K');
      isShown = false;
    },
  };
}

export function formatProgress(progress: SessionProgress, label: string): string {
  const { totalBytes, processedBytes, readBytesPerSecond, secondsLeft } = progress;
  const share = totalBytes === null || totalBytes === 0 ? undefined : Math.min(1, processedBytes / totalBytes);
  const filled = Math.round((share ?? 0) * barWidth);
  const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${percent(share)}  `;
  const amount =
    totalBytes === null ? formatBytes(processedBytes) : `${formatBytes(processedBytes)} of ${formatBytes(totalBytes)}`;
  const left = secondsLeft === null ? '' : `  ${formatDuration(secondsLeft * 1000)} left`;
  return `${label}  ${bar}${amount}  ${formatRate(readBytesPerSecond)}${left}`;
}

/** Never 100 % before the end. */
function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}
