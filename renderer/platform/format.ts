// Owns the format of numbers, sizes, rates, durations and times. Pure. The locale is American English with a 24-hour clock.

const sizeUnits = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
const wholeNumber = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function formatCount(count: number): string {
  return wholeNumber.format(count);
}

/** Decimal units as on the command line: 1 GB = 10^9 bytes. At most three significant digits, so that columns do not jump. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // Rounding would turn 999.5 and more into "1,000 KB".
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return value === 1 ? '1 byte' : `${wholeNumber.format(value)} bytes`;
  const number = value >= 99.95 ? wholeNumber.format(value) : oneDigit.format(value);
  return `${number} ${sizeUnits[unit] ?? ''}`;
}

export function formatRate(bytesPerSecond: number): string {
  return bytesPerSecond < 1 ? '0 MB/s' : `${formatBytes(bytesPerSecond)}/s`;
}

/** Formats the time of a running clock: "00:03:41", with days in front if there are any. */
export function formatClock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(total / 86_400);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const clock = [Math.floor((total % 86_400) / 3600), Math.floor((total % 3600) / 60), total % 60].map(pad).join(':');
  return days === 0 ? clock : `${days} d ${clock}`;
}

/** Formats how long a session has run or ran: like a clock, but a short run is not zero. */
export function formatRunTime(milliseconds: number): string {
  return milliseconds < 1000 ? '< 1 s' : formatClock(milliseconds);
}

/** Formats the rest of a wait. The rest is rounded up to whole seconds, so that 00:00:00 is not shown before the end. */
export function formatCountdown(milliseconds: number): string {
  return formatClock(Math.ceil(milliseconds / 1000) * 1000);
}

/** Formats a finished duration: "38 ms", "4.2 s", "2 min 10 s", "3 h 5 min". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1) return '< 1 ms';
  if (milliseconds < 999.5) return `${wholeNumber.format(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${oneDigit.format(seconds)} s`;
  if (seconds < 59.5) return `${wholeNumber.format(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return withRest(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return withRest(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function withRest(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0
    ? `${wholeNumber.format(big)} ${bigUnit}`
    : `${wholeNumber.format(big)} ${bigUnit} ${small} ${smallUnit}`;
}

/** Never shows 100 % before the end, and never 0 % after the first progress. */
export function formatPercent(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const percent = (part / whole) * 100;
  if (part >= whole) return '100 %';
  return `${Math.min(99, part > 0 ? Math.max(1, Math.floor(percent)) : 0)} %`;
}

/** "3.0x": how many times smaller the transferred data is than its content. */
export function formatRatio(contentBytes: number, transferredBytes: number): string | null {
  if (contentBytes <= 0 || transferredBytes <= 0) return null;
  const ratio = contentBytes / transferredBytes;
  // For a few bytes the ratio would be "0.0x", which is useless.
  if (ratio < 0.1) return null;
  return ratio >= 1000 ? '> 999x' : `${oneDigit.format(ratio)}x`;
}

export type InstantStyle = 'date' | 'date-time' | 'time' | 'exact';

const instantFormats: Readonly<Record<InstantStyle, Intl.DateTimeFormatOptions>> = {
  date: { year: 'numeric', month: 'short', day: 'numeric' },
  'date-time': {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  exact: {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'short',
  },
};
const instantFormatters = new Map<string, Intl.DateTimeFormat>();

/** Uses local time if no zone is given. */
export function formatInstant(instant: string, style: InstantStyle = 'date-time', timeZone?: string): string {
  const key = `${style} ${timeZone ?? ''}`;
  let formatter = instantFormatters.get(key);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      ...instantFormats[style],
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    instantFormatters.set(key, formatter);
  }
  return formatter.format(new Date(instant));
}

const dayMs = 86_400_000;

/** Whole days until an instant. Negative if the instant has passed. */
export function daysUntil(instant: string, now: number): number {
  return Math.floor((Date.parse(instant) - now) / dayMs);
}

/** "6d41 02ef 9b7c 11a0": groups, because people compare key identifiers by eye. */
export function groupKeyIdentifier(identifier: string): string {
  return identifier.replaceAll(/(.{4})(?=.)/g, '$1 ');
}
