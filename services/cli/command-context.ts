// Owns what every command uses: the instance's home, output, canceling, connections to services. Closes connections when the command ends.
import type { Command } from 'commander';
import type { ServiceRole } from '../contracts/contract.ts';
import { CallError } from '../contracts/client.ts';
import { errorCatalogue, exitCodes, type ErrorInfo } from '../contracts/errors.ts';
import type { AdminClient } from '../host/carriers/admin-client.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import { defaultHome } from '../kernel/state/home-folder.ts';
import { createOutput, type Output } from './output.ts';
import { printable } from './text-table.ts';

export interface CommandContext {
  /** Root folder of the instance. */
  readonly home: string;
  readonly output: Output;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** @throws FarkeepError service.not-running, with the command that starts it */
  connect(role: ServiceRole): Promise<AdminClient>;
}

/** @returns the exit code; undefined means success */
export type CommandWork<Arguments extends unknown[]> = (
  context: CommandContext,
  ...args: Arguments
) => Promise<number | undefined> | Promise<void>;

/** Converts the work of a command into the action that commander calls. */
export type DefineAction = <Arguments extends unknown[]>(
  work: CommandWork<Arguments>,
) => (...args: [...Arguments, Command]) => Promise<void>;

/** Registers one group of commands. Each file of `commands/` exports one such function. */
export type RegisterCommands = (program: Command, action: DefineAction) => void;

export interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
}

/** @param setExitCode called once, when the command has ended */
export function createActionDefiner({
  signal,
  setExitCode,
}: {
  readonly signal: AbortSignal;
  readonly setExitCode: (exitCode: number) => void;
}): DefineAction {
  return <Arguments extends unknown[]>(work: CommandWork<Arguments>) =>
    async (...args: [...Arguments, Command]): Promise<void> => {
      const command = args.at(-1) as Command;
      const { home, json } = command.optsWithGlobals<GlobalOptions>();
      const output = createOutput({ isJson: json ?? false });
      const clients: AdminClient[] = [];
      const context: CommandContext = {
        home: home ?? defaultHome(),
        output,
        signal,
        async connect(role) {
          const { connectAdmin } = await import('../host/carriers/admin-client.ts');
          const client = await connectAdmin({
            home: context.home,
            role,
            onLeftOut: (sentence) => output.note(`Not shown: ${printable(sentence)}`),
          });
          clients.push(client);
          return client;
        },
      };
      try {
        const exitCode = await work(context, ...(args.slice(0, -1) as unknown as Arguments));
        setExitCode(exitCode ?? exitCodes.done);
      } catch (thrown) {
        const error = errorInfoOf(thrown);
        output.failure(error);
        setExitCode(signal.aborted ? exitCodes.canceled : errorCatalogue[error.code].exitCode);
      } finally {
        for (const client of clients) client.close();
      }
    };
}

/** Converts any thrown value into the error that is printed. */
export function errorInfoOf(thrown: unknown): ErrorInfo {
  return thrown instanceof CallError ? thrown.info : toFarkeepError(thrown).toInfo();
}
