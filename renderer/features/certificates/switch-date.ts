// Owns the date and time of a planned change: which ones are allowed, and which instant they mean. Pure.

const dayMs = 86_400_000;
const mostDaysAhead = 400;

/** A date and a time as the browser's input fields write them, in local time. */
export interface LocalMoment {
  /** "2027-01-31" */
  readonly date: string;
  /** "12:00" */
  readonly time: string;
}

/** The instant (ISO 8601). Null if the input is no date, is in the past, or is later than a rollover may be. */
export function switchMoment({ date, time }: LocalMoment, now: number): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || !/^\d{2}:\d{2}$/.test(time)) return null;
  const moment = new Date(`${date}T${time}:00`);
  const at = moment.getTime();
  if (Number.isNaN(at) || at <= now || at > now + mostDaysAhead * dayMs) return null;
  return moment.toISOString();
}

/** Noon in 30 days: tenants that connect once a month get the announcement, and at noon people are at work. */
export function proposedMoment(now: number): LocalMoment {
  const date = new Date(now + 30 * dayMs);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return { date: `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`, time: '12:00' };
}
