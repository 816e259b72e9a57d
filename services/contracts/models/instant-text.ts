// Owns instants and days in sentences of services: short, with their zone, because the reader may be in another zone. Pure.

/** "2026-11-29 14:03 UTC" */
export function instantText(instant: string | number | Date): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The end of "The certificate ...". @param days whole days until the expiration date; below 0 after it */
export function expiryText(days: number): string {
  if (days < 0) return 'has expired';
  if (days === 0) return 'expires today';
  return days === 1 ? 'expires tomorrow' : `expires in ${days} days`;
}
