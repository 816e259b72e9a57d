// Owns the `farkeep` program: global options, groups, help, wrong usage. Must not do the work of a command.
import { Command, CommanderError } from 'commander';
import { exitCodes } from '../contracts/errors.ts';
import { productVersion } from '../host/product-version.ts';
import { createActionDefiner } from './command-context.ts';
import { commandGroups } from './command-groups.ts';
import { withCurrentSpelling } from './old-spellings.ts';
import { createOutput, writeError } from './output.ts';
import { whatCannotBeRepresented } from './raw-arguments.ts';

const examples = `
Examples:
  $ farkeep demo --source ~/Documents          try everything on this machine
  $ farkeep serve provider                     run a provider service
  $ farkeep job run documents                  back up now
  $ farkeep restore latest --to ~/restored     bring everything back
  $ farkeep point list --json                  one JSON document, for scripts

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not trusted, 4 login refused, 5 warnings, 6 security warning, 130 canceled.
Help on a command: farkeep COMMAND --help`;

/** @returns the exit code */
export async function runCommandLine(typed: readonly string[], signal: AbortSignal): Promise<number> {
  const args = withCurrentSpelling(typed, operandsAt(typed));
  let exitCode: number = exitCodes.done;
  const isJson = args.slice(0, endOfOptions(args)).includes('--json');
  const unclear = whatCannotBeRepresented(args);
  if (unclear !== undefined) {
    createOutput({ isJson }).failure(unclear);
    return exitCodes.usage;
  }
  const program = createProgram(isJson);
  const action = createActionDefiner({
    signal,
    setExitCode: (code) => {
      exitCode = code;
    },
  });
  const [wanted] = operandsOf(args);
  for (const group of commandGroups) {
    if (group.name === wanted) (await group.load())(program, action);
    else program.command(group.name, { hidden: false }).description(group.description);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end with success when they were requested, but not when help is shown because something is missing.
    if (error.exitCode === 0) return exitCodes.done;
    if (isJson) {
      // Commander names only its own method when a group is called without a command.
      const called = ['farkeep', ...(error.code === 'commander.help' ? operandsOf(args) : [])].join(' ');
      const message =
        error.code === 'commander.help' ? `"${called}" needs a command` : error.message.replace(/^error: /, '');
      createOutput({ isJson }).failure({ code: 'call.invalid', message, hint: `See: ${called} --help` });
    }
    return exitCodes.usage;
  }
}

function createProgram(isJson: boolean): Command {
  const program = new Command('farkeep')
    .description('Off-site backup to a service provider that the tenant can verify.')
    .version(productVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .option('--home <dir>', "folder of the instance (default: FARKEEP_HOME, else the platform's usual folder)")
    .option('--json', 'print JSON and nothing else on stdout')
    .addHelpText('after', examples)
    .showHelpAfterError('(see the help with --help)')
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .exitOverride();
  // The message about wrong usage repeats the typed text.
  program.configureOutput({ writeErr: isJson ? () => undefined : (text) => writeError(text.trimEnd()) });
  return program;
}

const optionsWithValue = new Set(['--home']);

/** Arguments that are neither an option nor an option's value. The first is the command's name. */
function operandsOf(args: readonly string[]): string[] {
  return operandsAt(args).map((index) => args[index] ?? '');
}

function operandsAt(args: readonly string[]): number[] {
  const operands: number[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (optionsWithValue.has(argument)) index += 1;
    else if (!argument.startsWith('-')) operands.push(index);
  }
  return operands;
}

function endOfOptions(args: readonly string[]): number {
  const index = args.indexOf('--');
  return index === -1 ? args.length : index;
}
