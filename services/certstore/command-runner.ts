// Owns the signature by which the store has programs of the operating system run. Starts none itself: services/process does.

export interface CommandOptions {
  /** Standard input, ASCII; it is closed afterwards. Left out: empty. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /** The program is ended when it writes more. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program with arguments (no shell) and gives its standard output; rejects when it fails, takes too long or writes too much. */
export type CommandRunner = (program: string, args: readonly string[], options?: CommandOptions) => Promise<string>;
