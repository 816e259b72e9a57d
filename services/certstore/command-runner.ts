// Owns the interface by which the store runs programs of the operating system. Must not start programs; services/host implements it.

export interface CommandOptions {
  /** Standard input, ASCII; closed afterwards. Default: empty. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /** A program that writes more is killed. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program with arguments (no shell) and returns its standard output; rejects when it fails, takes too long or writes too much. */
export type CommandRunner = (program: string, args: readonly string[], options?: CommandOptions) => Promise<string>;
