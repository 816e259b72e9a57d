// Owns how text that is not ours is shown to people: names, messages and paths of the other side, of files, of whoever typed them. Nothing of it may
// steer a terminal, hide, change the order of what is read, or look like a line of ours.

/**
 * Control characters and escape sequences; characters that change the direction or are not seen (U+202E and its kin); ends of lines and
 * paragraphs; halves of surrogate pairs; and the letters and marks that are drawn as nothing at all.
 */
const unseen = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u3164\\uffa0';
const unseenAnywhere = new RegExp(`[${unseen}]`, 'gu');
const unseenInLine = new RegExp(`(?!\\n)[${unseen}]`, 'gu');

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** For a text that stands inside a line of ours. */
export function inLine(text: string): string {
  return text.replace(unseenAnywhere, escape);
}

/** For whole lines: the last gate before a terminal. Ends of lines stay. */
export function asLines(text: string): string {
  return text.replace(unseenInLine, escape);
}

/** For a message that may have several lines: only the first one stands where a line of ours would. */
export function asMessage(text: string): string {
  return asLines(text).replaceAll('\n', '\n  | ');
}

/** JSON that means the same, without a character that a terminal or a reader of lines would take for something else. */
export function toJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, null, indent));
}

/** The same for JSON that is written already: such characters stand only inside its strings. */
export function escapeJson(json: string): string {
  return json.replace(unseenInLine, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
