// Owns the identifiers of all created things (sessions, jobs, tenants): 128 random bits as 32 lower-case hex digits.
import { randomBytes } from 'node:crypto';

export function newId(): string {
  return randomBytes(16).toString('hex');
}
