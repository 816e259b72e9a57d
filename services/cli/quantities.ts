// Owns sizes, durations and dates as people write and read them on the command line.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { formatBytes } from '../kernel/format-bytes.ts';

/** Exported again, so that commands find all quantities in this file. */
export { formatBytes };

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const durationUnits: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "500GB", "1.5 TiB", "1048576". @returns whole bytes */
export function parseSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = sizeUnits[(match?.[2] ?? '?').toLowerCase()];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    throw usageError(
      `"${text}" is not a size`,
      `Write ${option} like 500GB (10^9 bytes) or 500GiB (2^30 bytes).`,
      option,
    );
  }
  return bytes;
}

/**
 * "90s", "15m", "12h", "30d".
 * @param range allowed range, both ends included, in the same notation
 * @returns milliseconds
 */
export function parseDuration(
  text: string,
  option: string,
  range?: { readonly min: string; readonly max: string },
): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(text.trim());
  const durationMs = Math.round(Number(match?.[1]) * (durationUnits[match?.[2] ?? '?'] ?? Number.NaN));
  if (!Number.isSafeInteger(durationMs)) {
    throw usageError(`"${text}" is not a duration`, `Write ${option} like 90s, 15m, 12h or 30d.`, option);
  }
  if (range !== undefined && !(durationMs >= toMs(range.min) && durationMs <= toMs(range.max))) {
    throw usageError(`"${text}" is not between ${range.min} and ${range.max}`, `Correct ${option}.`, option);
  }
  return durationMs;

  function toMs(limit: string): number {
    return parseDuration(limit, option);
  }
}

/**
 * Reads a day such as "2027-03-31", or a full ISO 8601 instant. A day means its end or its start in UTC, as `partOfDay` says.
 * @returns ISO 8601 in UTC
 */
export function parseDate(text: string, option: string, partOfDay: 'start' | 'end' = 'end'): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  // A time without a time zone would mean a different instant on each machine.
  const time =
    isDay || /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
      ? Date.parse(isDay ? `${text}T${partOfDay === 'end' ? '23:59:59.999' : '00:00:00.000'}Z` : text)
      : Number.NaN;
  // Date.parse reads February 30th as March 2nd.
  const day = text.slice(0, 10);
  const isRealDay = !Number.isNaN(Date.parse(day)) && new Date(Date.parse(day)).toISOString().startsWith(day);
  if (Number.isNaN(time) || !isRealDay) {
    throw usageError(`"${text}" is not a date`, `Write ${option} like 2027-03-31.`, option);
  }
  return new Date(time).toISOString();
}

export function parseWholeNumber(text: string, option: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw usageError(`"${text}" is not a whole number from ${min} to ${max}`, `Correct ${option}.`, option);
  }
  return value;
}

export function usageError(message: string, hint: string, option: string): FarkeepError {
  return new FarkeepError('call.invalid', message, { hint, field: option.replace(/^-+/, '') });
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** "0.4 s", "42 s", "3 min 07 s", "2 h 05 min", "3 d 04 h". */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${two((whole % 3_600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${two((whole % 86_400) / 3_600)} h`;
}

/** Local time to the second: "2026-11-22 14:05:09". */
export function formatInstant(instant: string | null): string {
  if (instant === null) return '-';
  const date = new Date(instant);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** "1 file", "2,000 files". */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
