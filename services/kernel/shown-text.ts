// Owns making foreign text safe to show: names, messages and paths from the other side, from files, or typed by a user. Such text must not
// control a terminal, be invisible, change the reading order, or look like a line of this program.

/**
 * Control characters and escape sequences; characters that change the direction or are invisible (such as U+202E); line and paragraph
 * separators; lone surrogates; and letters and marks without a visible shape.
 */
const unseen = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u3164\\uffa0';
const unseenAnywhere = new RegExp(`[${unseen}]`, 'gu');
const unseenInLine = new RegExp(`(?!\\n)[${unseen}]`, 'gu');

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Makes foreign text safe inside a line of this program. */
export function inLine(text: string): string {
  return text.replace(unseenAnywhere, escape);
}

/** Makes complete lines safe, as the last check before a terminal. Line ends stay. */
export function asLines(text: string): string {
  return text.replace(unseenInLine, escape);
}

/** Makes a message of several lines safe. Later lines begin with "  | ", so that they do not look like lines of this program. */
export function asMessage(text: string): string {
  return asLines(text).replaceAll('\n', '\n  | ');
}

/** Writes JSON with the same meaning, and escapes each character that a terminal or a line reader could misread. */
export function toJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, null, indent));
}

/** Escapes the same characters as `toJson` in finished JSON text. These characters occur only inside the strings of JSON text. */
export function escapeJson(json: string): string {
  return json.replace(unseenInLine, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
