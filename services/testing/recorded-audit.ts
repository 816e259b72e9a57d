// Owns an audit log of a provider in memory, with the entries for comparison. For tests only.
import type { Clock } from '../kernel/clock.ts';
import { AuditLog } from '../provider/state/audit-log.ts';
import type { AuditEntry, AuditStore } from '../provider/state/audit-store.ts';

export class RecordedAudit {
  readonly entries: AuditEntry[] = [];
  readonly log: AuditLog;

  constructor(clock: Clock) {
    const store: AuditStore = {
      append: async (entry) => void this.entries.push(entry),
      trim: async (action, kept) => {
        const same = this.entries.filter((entry) => entry.action === action);
        const dropped = new Set(same.slice(0, Math.max(0, same.length - kept)));
        this.entries.splice(0, this.entries.length, ...this.entries.filter((entry) => !dropped.has(entry)));
      },
    };
    this.log = new AuditLog(store, clock);
  }

  /** "who: action subject" of each entry. */
  get lines(): string[] {
    return this.entries.map(({ who, action, subject }) => `${who}: ${action} ${subject}`);
  }
}
