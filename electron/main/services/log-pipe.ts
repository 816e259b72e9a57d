// Owns the way of a service's standard error into its log file: whole lines, bounded, with secrets taken out once more. Must not
// understand what the lines say: state travels over the channel, never over a log.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { redact, redactText } from '../../../services/kernel/redaction.ts';

/** A longer line is cut: a broken service must not fill the console's memory. */
const maxLineLength = 64 * 1024;

export function pipeLog(stream: Readable, writeLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let held = '';
  let isCutting = false;
  const take = (text: string): void => {
    const pieces = (held + text).split('\n');
    held = pieces.pop() ?? '';
    for (const piece of pieces) {
      if (!isCutting && piece.trim() !== '') writeLine(redactLine(piece));
      isCutting = false;
    }
    if (held.length > maxLineLength) {
      if (!isCutting) writeLine(`${redactText(held.slice(0, maxLineLength))} [cut]`);
      held = '';
      isCutting = true;
    }
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream.on('end', () => {
    take(`${decoder.end()}\n`);
  });
  // A broken pipe means that the process ended; its exit tells the rest.
  stream.on('error', () => undefined);
}

export function redactLine(line: string): string {
  if (!line.startsWith('{')) return redactText(line);
  try {
    return redactText(JSON.stringify(redact(JSON.parse(line))));
  } catch {
    return redactText(line);
  }
}
