// Owns converting a displayed path back to its bytes: \xNN stands for a byte that is not UTF-8, or for a control character.

/** Converts only bytes that are ever displayed as \xNN: "\x41" in a name is four characters. */
export function parseShownPath(shown: string): Buffer {
  const parts: Buffer[] = [];
  let last = 0;
  for (const match of shown.matchAll(/\\x([0-9a-f]{2})/g)) {
    const byte = Number.parseInt(match[1] ?? '', 16);
    if (byte >= 0x20 && byte < 0x7f) continue;
    parts.push(Buffer.from(shown.slice(last, match.index)), Buffer.of(byte));
    last = match.index + match[0].length;
  }
  parts.push(Buffer.from(shown.slice(last)));
  return Buffer.concat(parts);
}
