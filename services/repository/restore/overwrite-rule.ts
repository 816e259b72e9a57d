// Owns the decision of an overwrite rule about an existing entry in the place of a restored one.
import type { BigIntStats } from 'node:fs';
import { timeToleranceNs } from './entry-metadata.ts';
import type { TreeEntry } from '../points/tree-entry.ts';

export type OverwriteRule = 'never' | 'older' | 'always';

/** Whether the entry may replace an existing, different one. */
export function mayReplace(rule: OverwriteRule, existing: BigIntStats, entry: TreeEntry): boolean {
  return rule === 'always' || (rule === 'older' && existing.mtimeNs + timeToleranceNs < entry.mtimeNs);
}
