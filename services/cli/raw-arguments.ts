// Owns the check that all typed arguments are valid UTF-8. Node.js replaces invalid bytes of the command line by U+FFFD, so a command would
// read or write a different folder than the user named. Code behind this check can rely on valid text.
import { isUtf8 } from 'node:buffer';
import { readFileSync, readlinkSync } from 'node:fs';
import type { ErrorInfo } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

const hint =
  'Rename the folder, or use a symbolic link with a UTF-8 name. Type paths inside a restore point as farkeep point ls shows them, with \\xNN.';

/** The raw bytes of the command line, on systems that provide them. */
export interface RawCommandLine {
  readonly commandLine: Buffer | undefined;
  readonly environment: Buffer | undefined;
  readonly currentFolder: Buffer | undefined;
}

export function readRawCommandLine(): RawCommandLine {
  const read = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      return undefined; // there is no /proc, or the current folder was deleted
    }
  };
  return {
    commandLine: read(() => readFileSync('/proc/self/cmdline')),
    environment: read(() => readFileSync('/proc/self/environ')),
    currentFolder: read(() => readlinkSync('/proc/self/cwd', { encoding: 'buffer' })),
  };
}

/** @returns undefined when all arguments are valid UTF-8 */
export function whatCannotBeRepresented(
  args: readonly string[],
  raw: RawCommandLine = readRawCommandLine(),
): ErrorInfo | undefined {
  const message = messageOf(args, raw);
  return message === undefined ? undefined : new FarkeepError('call.invalid', message, { hint }).toInfo();
}

function messageOf(args: readonly string[], raw: RawCommandLine): string | undefined {
  const invalidArgument = oddArgument(args, raw.commandLine);
  if (invalidArgument !== undefined)
    return `${JSON.stringify(invalidArgument)} is not valid UTF-8, so its bytes cannot be kept`;
  const home = partsOf(raw.environment).find((part) => part.subarray(0, 13).equals(Buffer.from('FARKEEP_HOME=')));
  if (home !== undefined && !isUtf8(home)) return 'FARKEEP_HOME is not UTF-8, and cannot be used';
  if (raw.currentFolder !== undefined && !isUtf8(raw.currentFolder))
    return 'The name of the current folder is not UTF-8, so that paths below it cannot be named';
  return undefined;
}

function oddArgument(args: readonly string[], commandLine: Buffer | undefined): string | undefined {
  if (args.length === 0) return undefined;
  if (commandLine === undefined) return args.find((argument) => argument.includes('\ufffd'));
  // Only the last arguments are checked: the first ones are the install paths of Node.js and this program, which the user did not type.
  const invalidPart = partsOf(commandLine)
    .slice(-args.length)
    .find((part) => !isUtf8(part));
  return invalidPart?.toString('utf8');
}

function partsOf(joined: Buffer | undefined): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; joined !== undefined && at < joined.length;) {
    const end = joined.indexOf(0, at);
    const stop = end === -1 ? joined.length : end;
    parts.push(joined.subarray(at, stop));
    at = stop + 1;
  }
  return parts;
}
