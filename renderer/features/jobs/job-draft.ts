// Owns how the input of the job wizard's fields is read. Pure.

/** One pattern for each line. Empty lines and surrounding spaces are ignored. */
export function excludePatterns(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
