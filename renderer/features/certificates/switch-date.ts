// Owns the date of a planned change: what may be chosen and which moment it means. Pure.

const dayMs = 86_400_000;
const mostDaysAhead = 400;

/** Noon local time of a date as `<input type="date">` gives it; null when it is no date or out of range. */
export function switchMoment(date: string, now: number): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const moment = new Date(`${date}T12:00:00`);
  const time = moment.getTime();
  if (Number.isNaN(time) || time <= now || time > now + mostDaysAhead * dayMs) return null;
  return moment.toISOString();
}

/** In 30 days: time for tenants that connect once a week or once a month. */
export function proposedDate(now: number): string {
  const date = new Date(now + 30 * dayMs);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}
