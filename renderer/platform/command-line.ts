// Owns how the equivalent `farkeep` command is written. Secrets never get here: commands name a file or a prompt instead.

/** Quotes for a POSIX shell, only when needed. */
export function quoteArgument(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

export function commandLine(...parts: readonly (string | null)[]): string {
  return ['farkeep', ...parts.filter((part) => part !== null).map(quoteArgument)].join(' ');
}

/** "500GB": the largest decimal unit that keeps the number whole. */
export function sizeArgument(bytes: number): string {
  const units = [
    ['TB', 1e12],
    ['GB', 1e9],
    ['MB', 1e6],
    ['KB', 1e3],
  ] as const;
  const fitting = units.find(([, size]) => bytes >= size && bytes % size === 0);
  return fitting === undefined ? String(bytes) : `${bytes / fitting[1]}${fitting[0]}`;
}
