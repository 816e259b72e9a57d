// Owns the British command names of versions before December 2026, which scripts may still use. Must not appear in a help text.

/** For each command group: its old name, and the old names of its commands. */
const groups: Readonly<Record<string, { readonly name: string; readonly commands: Readonly<Record<string, string>> }>> =
  {
    licence: { name: 'license', commands: {} },
    gateway: { name: 'gateway', commands: { 'enrol-token': 'enroll-token', enrol: 'enroll' } },
  };

const oldOption = '--organisation';

/**
 * @param operandsAt positions of the arguments that are neither an option nor the value of one
 * @returns the arguments with the current names of group, command and option
 */
export function withCurrentSpelling(args: readonly string[], operandsAt: readonly number[]): string[] {
  const current = [...args];
  const [groupAt = -1, commandAt = -1] = operandsAt;
  const group = Object.hasOwn(groups, args[groupAt] ?? '') ? groups[args[groupAt] ?? ''] : undefined;
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
