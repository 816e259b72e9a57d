// Owns the question before a removal: at a terminal it names what is lost and what stays, and only "yes" continues. Scripts are not asked:
// with --json, with --yes, or without a terminal.
import { createInterface } from 'node:readline';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { CommandContext } from './command-context.ts';
import { printable } from './text-table.ts';

export const yesOption = ['--yes', 'do not ask at a terminal'] as const;

export interface Removal {
  /** For example: account "acme". */
  readonly what: string;
  /** Sentences about what is lost and what stays. */
  readonly consequences: readonly string[];
}

interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** @throws call.canceled when the answer is not "yes" */
export async function confirmRemoval(
  { output: { isJson }, signal }: Pick<CommandContext, 'signal'> & { readonly output: { readonly isJson: boolean } },
  { what, consequences }: Removal,
  { isSure, terminal = { input: process.stdin, output: process.stderr } }: { isSure: boolean; terminal?: Terminal },
): Promise<void> {
  const canAsk = terminal.input.isTTY === true && terminal.output.isTTY === true;
  if (isSure || isJson || !canAsk) return;
  const lines = [`Remove ${printable(what)}?`, ...consequences.map((sentence) => `  ${printable(sentence)}`)];
  terminal.output.write(`${lines.join('\n')}\n`);
  const answer = await ask('Type "yes" to remove it: ', terminal, signal);
  if (!/^\s*yes\s*$/i.test(answer)) throw new FarkeepError('call.canceled', 'Nothing was removed');
}

/** undefined for the end of input or Ctrl-C. */
function ask(question: string, { input, output }: Terminal, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const reader = createInterface({ input, output, signal });
    reader.once('close', () => resolve(''));
    reader.once('SIGINT', () => reader.close());
    reader.question(question, (answer) => {
      resolve(answer);
      reader.close();
    });
  });
}
