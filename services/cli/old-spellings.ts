// Owns the British command names of versions before December 2026: scripts may still use them. No help text names them.

/** For each command group: its old name, and the old names of its commands. */
const groups: Readonly<Record<string, { readonly name: string; readonly commands: Readonly<Record<string, string>> }>> =
  {
    licence: { name: 'license', commands: {} },
    gateway: { name: 'gateway', commands: { 'enrol-token': 'enroll-token', enrol: 'enroll' } },
  };

const oldOption = '--organisation';

/**
 * @param operandsAt where the words that are neither an option nor its value are among the arguments
 * @returns the arguments with today's names of group, command and option
 */
export function withCurrentSpelling(args: readonly string[], operandsAt: readonly number[]): string[] {
  const current = [...args];
  const [groupAt = -1, commandAt = -1] = operandsAt;
  const group = groups[args[groupAt] ?? ''];
  if (group !== undefined) {
    current[groupAt] = group.name;
    const command = group.commands[args[commandAt] ?? ''];
    if (command !== undefined) current[commandAt] = command;
  }
  if (current[groupAt] !== 'license') return current;
  return current.map((argument) =>
    argument === oldOption || argument.startsWith(`${oldOption}=`)
      ? `--organization${argument.slice(oldOption.length)}`
      : argument,
  );
}
