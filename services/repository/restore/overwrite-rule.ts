// Owns the overwrite rules: whether a restored entry may replace an existing one.
import type { BigIntStats } from 'node:fs';
import { timeToleranceNs } from './entry-metadata.ts';
import type { TreeEntry } from '../points/tree-entry.ts';

export type OverwriteRule = 'never' | 'older' | 'always';

/** Whether the restored entry may replace an existing entry that differs from it. */
export function mayReplace(rule: OverwriteRule, existing: BigIntStats, entry: TreeEntry): boolean {
  return rule === 'always' || (rule === 'older' && existing.mtimeNs + timeToleranceNs < entry.mtimeNs);
}
