// Owns what the command line prints and where: results on stdout (text, or JSON and nothing else), everything else on stderr.
import type { ErrorInfo } from '../contracts/errors.ts';
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
    stdout.write(`${JSON.stringify(document)}\n`);
  };
  return {
    isJson,
    progress,
    result(document, text) {
      progress.clear();
      if (isJson) writeJson(document);
      else stdout.write(`${typeof text === 'string' ? text : text()}\n`);
    },
    line(document) {
      if (isJson) writeJson(document);
    },
    note(text) {
      if (isJson) return;
      progress.clear();
      stderr.write(`${text}\n`);
    },
    failure(error) {
      progress.clear();
      if (isJson) writeJson({ ok: false, error });
      else if (error.code === 'call.cancelled') stderr.write(`${error.message}.\n`);
      else stderr.write(`Error: ${error.message}\n${error.hint === '' ? '' : `Next: ${error.hint}\n`}`);
    },
  };
}
