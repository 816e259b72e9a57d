// Owns the sentences about rows that a list lacks because they are damaged or from another version of Farkeep.
import type { LeftOutRows } from '../../services/contracts/row-list.ts';
import type { TextKey } from '../i18n/texts.ts';
import type { TextFunction } from '../i18n/use-text.ts';

/** The kind of a list's rows, as used in texts. */
export type LeftOutKind =
  Extract<TextKey, `leftOut.what.${string}`> extends `leftOut.what.${infer Kind}` ? Kind : never;

/** The kind for each list. The keys are the names of `LeftOutRows`. */
export type LeftOutLists = Readonly<Record<string, LeftOutKind>>;

const identifier = /^[0-9a-f]{32}$/;
/** Limit of the digits of an identifier in a sentence. The command line has the same limit. */
const shownDigits = 12;

/** Returns one sentence, such as "3 sessions cannot be shown: ...", for each list of `lists` that lacks rows, in the order of `lists`. */
export function leftOutTexts(leftOut: readonly LeftOutRows[], lists: LeftOutLists, t: TextFunction): readonly string[] {
  return Object.entries(lists).flatMap(([list, kind]) => {
    const ofList = leftOut.filter((rows) => rows.list === list);
    const count = ofList.reduce((sum, rows) => sum + rows.count, 0);
    if (count === 0) return [];
    const names = ofList.flatMap((rows) => rows.names.map(shortName));
    const shown = names.join(', ');
    return [
      t('leftOut.notice', {
        what: t(`leftOut.what.${kind}`, { count }),
        names: names.length < count ? t('leftOut.more', { names: shown, count: count - names.length }) : shown,
      }),
    ];
  });
}

function shortName(name: string): string {
  return identifier.test(name) ? name.slice(0, shownDigits) : name;
}
