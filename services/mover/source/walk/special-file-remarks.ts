// Owns the messages of a backup about pipes, sockets and devices: one line for each kind. Pipes and sockets are only mentioned; devices
// cause a warning (docs/data-movers.md, section 5).
import { countOfKind, isMissed, namesOf, type SpecialFiles } from '../../../repository/points/special-files.ts';
import type { SourceEvent } from '../../link/local-link.ts';
import { showPath } from './path-text.ts';

export function specialFileRemarks(
  specials: SpecialFiles,
): Extract<SourceEvent, { readonly type: 'remark' | 'warning' }>[] {
  return specials.groups().map((group) => {
    const text = `${countOfKind(group)} ${group.count === 1 ? 'is' : 'are'} kept by name only`;
    const names = namesOf(group, showPath);
    if (!isMissed(group.kind)) return { type: 'remark', text: `${text}: ${names}` };
    const path = showPath(group.firstPaths[0] ?? Buffer.alloc(0));
    const message = `${text} and will not come back with a restore: ${names}`;
    return { type: 'warning', warning: { code: 'source.device', message, path } };
  });
}
