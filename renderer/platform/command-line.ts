// Owns the text of the equivalent `farkeep` command. Never contains a secret: the command names a file, or asks for the password.

/** Adds quotes for a POSIX shell if they are needed. */
export function quoteArgument(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

export function commandLine(...parts: readonly (string | null)[]): string {
  return ['farkeep', ...parts.filter((part) => part !== null).map(quoteArgument)].join(' ');
}

/** "500GB": the largest decimal unit that gives a whole number. */
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
