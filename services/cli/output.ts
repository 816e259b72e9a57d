// Owns what the command line prints and where: results on stdout (text, or JSON and nothing else), everything else on stderr.
// The only file of the command line that writes to them (output.test.ts sees to that): nothing reaches a terminal but through shown-text.ts.
import type { ErrorInfo } from '../contracts/errors.ts';
import { asLines, asMessage, toJson } from '../kernel/shown-text.ts';
import { createProgressLine, noProgressLine, type ProgressLine } from './progress-bar.ts';

export interface Output {
  readonly isJson: boolean;
  readonly progress: ProgressLine;
  /** The result of a command: one JSON document, or text. */
  result(document: unknown, text: string | (() => string)): void;
  /** One JSON object a line while something goes on; nothing in text mode. */
  line(document: unknown): void;
  /** A remark for people, on stderr; nothing with --json. */
  note(text: string): void;
  /** One line of a result that comes bit by bit, on stdout; nothing with --json. */
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
      else if (error.code === 'call.cancelled') stderr.write(`${asMessage(error.message)}.\n`);
      else stderr.write(formatFailure(error));
    },
  };
}

/** What is asked at a terminal, before the answer is typed. */
export function writeQuestion(question: string): void {
  process.stderr.write(asLines(question));
}

/** Where no command runs (yet): wrong usage, and what nobody foresaw. */
export function writeError(text: string): void {
  process.stderr.write(`${asLines(text)}\n`);
}

export function formatFailure({ message, hint }: Pick<ErrorInfo, 'message' | 'hint'>): string {
  return `Error: ${asMessage(message)}\n${hint === '' ? '' : `Next: ${asMessage(hint)}\n`}`;
}
