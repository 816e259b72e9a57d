// Owns the output of the command line: results go to stdout (text, or JSON only), everything else goes to stderr. Only this file writes to
// the two streams (output.test.ts checks this), so all text for a terminal passes through shown-text.ts.
import type { ErrorInfo } from '../contracts/errors.ts';
import { asLines, asMessage, toJson } from '../kernel/shown-text.ts';
import { createProgressLine, noProgressLine, type ProgressLine } from './progress-bar.ts';

export interface Output {
  readonly isJson: boolean;
  readonly progress: ProgressLine;
  /** Prints the result of a command: one JSON document with --json, otherwise the text. */
  result(document: unknown, text: string | (() => string)): void;
  /** Prints one JSON object in a line during an operation; nothing in text mode. */
  line(document: unknown): void;
  /** Prints a remark for people to stderr. Prints nothing with --json. */
  note(text: string): void;
  /** Prints one line of a result that arrives in pieces to stdout. Prints nothing with --json. */
  text(line: string): void;
  failure(error: Pick<ErrorInfo, 'code' | 'message' | 'hint'> & Partial<ErrorInfo>): void;
}

export function createOutput({
  isJson,
  stdout = process.stdout,
  stderr = process.stderr,
}: {
  readonly isJson: boolean;
  readonly stdout?: NodeJS.WriteStream;
  readonly stderr?: NodeJS.WriteStream;
}): Output {
  const progress = isJson ? noProgressLine : createProgressLine(stderr);
  const writeJson = (document: unknown): void => {
    stdout.write(`${toJson(document)}\n`);
  };
  return {
    isJson,
    progress,
    result(document, text) {
      progress.clear();
      if (isJson) writeJson(document);
      else stdout.write(`${asLines(typeof text === 'string' ? text : text())}\n`);
    },
    line(document) {
      if (isJson) writeJson(document);
    },
    note(text) {
      if (isJson) return;
      progress.clear();
      stderr.write(`${asLines(text)}\n`);
    },
    text(line) {
      if (isJson) return;
      progress.clear();
      stdout.write(`${asLines(line)}\n`);
    },
    failure(error) {
      progress.clear();
      if (isJson) writeJson({ ok: false, error });
      else if (error.code === 'call.canceled') stderr.write(`${asMessage(error.message)}.\n`);
      else stderr.write(formatFailure(error));
    },
  };
}

/** Prints a question at the terminal, before the user types the answer. */
export function writeQuestion(question: string): void {
  process.stderr.write(asLines(question));
}

/** Prints an error while no command is running: wrong usage, or an unforeseen error. */
export function writeError(text: string): void {
  process.stderr.write(`${asLines(text)}\n`);
}

export function formatFailure({ message, hint }: Pick<ErrorInfo, 'message' | 'hint'>): string {
  return `Error: ${asMessage(message)}\n${hint === '' ? '' : `Next: ${asMessage(hint)}\n`}`;
}
