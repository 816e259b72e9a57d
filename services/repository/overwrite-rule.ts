// Owns what an overwrite rule says of something that stands where an entry is to be restored.
import type { BigIntStats } from 'node:fs';
import { timeToleranceNs } from './entry-metadata.ts';
import type { TreeEntry } from './tree-entry.ts';

export type OverwriteRule = 'never' | 'older' | 'always';

/** Whether what stands there may be replaced by the entry, if they differ. */
export function mayReplace(rule: OverwriteRule, existing: BigIntStats, entry: TreeEntry): boolean {
  return rule === 'always' || (rule === 'older' && existing.mtimeNs + timeToleranceNs < entry.mtimeNs);
}
