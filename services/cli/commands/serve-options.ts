// Owns the options of the commands that take the settings of a role as flags: `serve ROLE` and `service set ROLE`.
import type { Command } from 'commander';
import type { ServeFlag } from '../../host/serve-flags.ts';

export function addFlags(command: Command, flags: readonly ServeFlag[]): void {
  for (const flag of flags) {
    const spelling = `--${flag.name}${flag.value === undefined ? '' : ` <${flag.value.toLowerCase()}>`}`;
    if (flag.isRepeatable === true) {
      command.option(spelling, flag.description, (value: string, earlier?: string[]) => [...(earlier ?? []), value]);
    } else command.option(spelling, flag.description);
  }
}

/** commander gives `logLevel` for `--log-level`. */
export function byFlagName(
  options: Readonly<Record<string, string | boolean | string[]>>,
): Record<string, string | boolean | string[]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}
