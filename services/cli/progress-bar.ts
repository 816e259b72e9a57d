// Owns the progress line on a terminal: bar, share, amount, rate, time left. Writes to stderr, and only when that is a terminal.
import type { SessionProgress } from '../contracts/models/session.ts';
import { formatBytes, formatDuration, formatRate } from './quantities.ts';

export interface ProgressLine {
  show(progress: SessionProgress, label: string): void;
  /** Shows progress for work that is not a session. @param share from 0 to 1 */
  showShare(share: number, label: string): void;
  /** Removes the line, so that other text can be printed. */
  clear(): void;
}

const barWidth = 24;
const redrawIntervalMs = 100;

/** Shows nothing; for output that is not a terminal. */
export const noProgressLine: ProgressLine = {
  show: () => undefined,
  showShare: () => undefined,
  clear: () => undefined,
};

export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (!stream.isTTY) return noProgressLine;
  let lastDrawnAt = 0;
  let isShown = false;
  const draw = (text: string): void => {
    const now = Date.now();
    if (isShown && now - lastDrawnAt < redrawIntervalMs) return;
    lastDrawnAt = now;
    isShown = true;
    // Some terminals do not report their width.
    const width = stream.columns > 1 ? stream.columns - 1 : 79;
    stream.write(`\r\u001b[2K${text.slice(0, width)}`);
  };
  return {
    show: (progress, label) => draw(formatProgress(progress, label)),
    showShare: (share, label) => draw(`${label}  ${formatBar(share)}`),
    clear() {
      if (isShown) stream.write('\r\u001b[2K');
      isShown = false;
    },
  };
}

export function formatProgress(progress: SessionProgress, label: string): string {
  const { totalBytes, processedBytes, readBytesPerSecond, secondsLeft } = progress;
  const share = totalBytes === null || totalBytes === 0 ? undefined : Math.min(1, processedBytes / totalBytes);
  const bar = share === undefined ? '' : `${formatBar(share)}  `;
  const amount =
    totalBytes === null ? formatBytes(processedBytes) : `${formatBytes(processedBytes)} of ${formatBytes(totalBytes)}`;
  const left = secondsLeft === null ? '' : `  ${formatDuration(secondsLeft * 1000)} left`;
  return `${label}  ${bar}${amount}  ${formatRate(readBytesPerSecond)}${left}`;
}

function formatBar(share: number): string {
  const filled = Math.round(share * barWidth);
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${percent(share)}`;
}

/** Never shows 100 % before the end. */
function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}
