// Owns reading what the job wizard's fields say. Pure.

/** One pattern a line; empty lines and spaces around do not count. */
export function excludePatterns(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
